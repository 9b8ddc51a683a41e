"""An explanation in JSON; in all other formats it is a table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..text.escaping import json_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..records.explanation import Explanation


def json_(explanation: Explanation) -> Iterator[bytes]:
    """An object on one line; its schema is `files/schemas/explanation.json`."""
    yield f"{json_text(explanation.as_dict())}\n".encode()
