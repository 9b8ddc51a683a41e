"""Values that are one of a list: `help` in their place prints the list, a shell completes them, a slip is answered."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Choices(Protocol):
    """What a value may be."""

    def rows(self) -> list[tuple[str, str]]:
        """A row for each: what is typed, and what it means."""

    def names(self, incomplete: str) -> list[tuple[str, str]]:
        """What a shell offers for what was typed so far."""


@dataclass(frozen=True)
class Listed:
    """A few names with what they mean."""

    meanings: Mapping[str, str]

    def rows(self) -> list[tuple[str, str]]:
        """A row for each name."""
        return list(self.meanings.items())

    def names(self, incomplete: str) -> list[tuple[str, str]]:
        """The names that begin so."""
        return [row for row in self.rows() if row[0].startswith(incomplete)]


@dataclass(frozen=True)
class Registered:
    """The entries of registries, imported only when they are asked for: `module:REGISTRY`."""

    places: tuple[str, ...]

    def rows(self) -> list[tuple[str, str]]:
        """A row for each entry, of the first registry that has it."""
        rows: dict[str, tuple[str, str]] = {}
        for registry in self._registries():
            for spec, line in registry.lines():
                rows.setdefault(spec.partition(":")[0], (spec, line))
        return list(rows.values())

    def names(self, incomplete: str) -> list[tuple[str, str]]:
        """The names that begin so; behind `name:` the keys of its options, behind `key=` its values."""
        from ...registry import Registry, complete

        registries = self._registries()
        if not all(isinstance(registry, Registry) for registry in registries):
            return [row for row in self.rows() if row[0].startswith(incomplete)]
        found = [one for registry in registries for one in complete(registry, incomplete)]
        return list(dict(reversed(found)).items())[::-1]

    def _registries(self) -> list[Any]:
        split = [place.partition(":") for place in self.places]
        return [getattr(importlib.import_module(f"attn_cli.{module}"), name) for module, _, name in split]


def explain(choices: Choices) -> Callable[[Any], Any]:
    """An option's callback: the value `help` prints what there is, a line each, and ends the command."""

    def show(value: Any) -> Any:
        if value == "help" or (isinstance(value, list) and "help" in value):
            rows = choices.rows()
            width = max(len(name) for name, _ in rows)
            print("\n".join(f"{name:{width}}  {line}" for name, line in rows))
            raise typer.Exit
        return value

    return show


def completion(choices: Choices) -> Callable[[str], list[tuple[str, str]]]:
    """An option's completion, by name and meaning."""

    def offered(incomplete: str) -> list[tuple[str, str]]:
        return choices.names(incomplete)

    return offered
