"""From what was typed to a value: a text, a whole number, a number, several texts, yes or no.

Typer does this by Pydantic, which takes longer to load than NumPy. What is wrong is answered here in our own words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class NoSuchValue(typer.BadParameter):
    """What cannot be read: the option, what was typed, what to give."""

    def format_message(self) -> str:
        """The message as it is, which names the option already."""
        return self.message


class Value:
    """Reads what is typed for one option or argument; it stands in Typer for an adapter of Pydantic."""

    def __init__(self, read: Callable[[str], Any], wanted: str, least: Any, most: Any) -> None:
        self.read, self.wanted, self.least, self.most = read, wanted, least, most

    def coerce(self, value: Any, param: Any, ctx: typer.Context) -> Any:
        """The value of a text, or of several where an option may be repeated; what is none already stays."""
        if param.multiple or param.nargs == -1:
            return () if value is None else [self._one(each, param, ctx) for each in value]
        return value if value is None else self._one(value, param, ctx)

    def _one(self, typed: Any, param: Any, ctx: typer.Context) -> Any:
        if not isinstance(typed, str):  # a default, or a flag
            return typed
        try:
            value = self.read(typed)
        except ValueError:
            wanted = "a smaller number" if typed.strip().lstrip("+-").isdecimal() else self.wanted
        else:
            if self.least is not None and not value >= self.least:  # which not a number is neither
                wanted = f"at least {self.least}"
            elif self.most is not None and not value <= self.most:
                wanted = f"at most {self.most}"
            else:
                return value
        raise NoSuchValue(f"{param.opts[0]} {typed!r}; give {wanted}", ctx=ctx, param=param)


def whole_number(text: str) -> int:
    """Also one that is written with a point.

    >>> whole_number(" 4 "), whole_number("4.0")
    (4, 4)
    """
    head, point, tail = text.strip().partition(".")
    if point and head and tail.strip("0"):
        raise ValueError(text)
    return int(head if head else text)


KINDS: dict[Any, tuple[Callable[[str], Any], str]] = {
    str: (str, "a text"),
    list[str]: (str, "a text"),
    bool: (bool, "a text"),
    int: (whole_number, "a whole number"),
    float: (float, "a number"),
}


def read_plainly(parameters: Iterable[Any]) -> None:
    """Let these options and arguments of Typer be read here, where their kind is known."""
    for parameter in parameters:
        described = getattr(parameter, "type_descriptor", None)
        if described is None or described.annotation not in KINDS:
            continue
        said = described.parameter_info
        value = Value(*KINDS[described.annotation], said.min, said.max)
        parameter.get_runtime_param = lambda value=value: value
