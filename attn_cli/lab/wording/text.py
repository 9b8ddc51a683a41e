"""The parts of a text on a mistake, the same in every language."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Text:
    """What one mistake is called and computes, why that is wrong, how it shows, and what to do.

    `here` is the title with the numbers of an exercise, where there are any: {d_head}, {d_model}, {n_heads},
    {n_query}, {n_key}.
    """

    title: str
    computes: str
    why: str
    see: str
    fix: str
    here: str = ""

    def here_with(self, facts: Mapping[str, Any]) -> str:
        """The title, with the numbers of an exercise."""
        return (self.here or self.title).format(**facts)

    def fix_with(self, facts: Mapping[str, Any]) -> str:
        """What to do, with the numbers of an exercise."""
        return self.fix.format(**facts)
