"""A text as it runs, once under each name, shaded by that name's numbers: a part of a page."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .document import as_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy as np
    from jaxtyping import Float

    from ..text import Piece

_BETWEEN = {"nothing": "", "break": "<wbr>", "space": " "}


@dataclass(frozen=True, eq=False)
class Running:
    """The pieces of a text, a row of numbers for each name, and what is noted beside a name."""

    title: str
    pieces: Sequence[Piece]
    rows: Mapping[str, Float[np.ndarray, " token"]]
    notes: Mapping[str, str] = field(default_factory=dict)
    ends: Mapping[float, str] = field(
        default_factory=dict
    )  # what the colours at the ends of a scale, −1 and 1, say


def running_section(text: Running, hint: str) -> str:
    """A section whose script is `assets/table/running.js`.

    >>> import numpy as np
    >>> from attn_cli.render.text import Piece
    >>> one = Running("Tokens", [Piece("a", "nothing")], {"flow": np.ones(1)})
    >>> '<span class="token" role="option" id="token-0-0" data-n="1.0">a</span>' in running_section(one, "")
    True
    """
    rows = "".join(
        f'<h3>{as_text(name)} <span class="hint">{as_text(text.notes.get(name, ""))}</span></h3>\n'
        f'<p class="running" role="listbox" tabindex="0" aria-label="{as_text(name)}">'
        f"{''.join(_tokens(i, text.pieces, numbers))}</p>\n"
        for i, (name, numbers) in enumerate(text.rows.items())
    )
    ends = "".join(f'<span data-n="{at!r}">{as_text(said)}</span>\n' for at, said in text.ends.items())
    legend = f'<p class="hint ends">{ends}</p>\n' if ends else ""
    return f"""<section class="methods" aria-labelledby="running">
<h2 id="running">{as_text(text.title)}</h2>
{rows}{legend}<p id="told" class="hint">{as_text(hint)}</p>
</section>
"""


def _tokens(row: int, pieces: Sequence[Piece], numbers: Float[np.ndarray, " token"]) -> Iterator[str]:
    for i, (piece, number) in enumerate(zip(pieces, numbers.tolist(), strict=True)):
        yield _BETWEEN[piece.before]
        yield f'<span class="token" role="option" id="token-{row}-{i}" data-n="{number!r}">{as_text(piece.text)}</span>'
