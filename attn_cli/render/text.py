"""A text shaded by attention: its tokens as they run, and how strongly one query attends to each."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..errors import InputError
from ..records.queries import CONTINUES, bare, place_of
from ..text.pieces import SPACES
from .labels import label, titles
from .written_tokens import row_title, steps_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Bool, Float

    from ..records.attention import Attention
    from .written_tokens import Step

    # What lies before a token: nothing, a place where a line may end, or a space.
    Before = Literal["nothing", "break", "space"]

LONGEST = 40  # cells of one token
_OPENING, _CLOSING = ("Ps", "Pi"), ("Pe", "Pf", "Po", "Pd")  # categories of punctuation


@dataclass(frozen=True)
class Piece:
    """A token of a running text."""

    text: str
    before: Before


@dataclass(frozen=True, eq=False)
class Shading:
    """What the view says: a text, and for each panel the weight that a query gives each of its tokens."""

    pieces: tuple[Piece, ...]
    weights: Float[np.ndarray, "panel key"]
    hidden: Bool[np.ndarray, "panel key"]
    titles: tuple[str, ...]  # of the panels
    query: int | None  # None where the weights are the mean over all queries
    name: str  # of the query
    queries: tuple[Piece, ...]  # another text that the query is in; none where it is the same
    said: str

    @property
    def own(self) -> int | None:
        """Which of the shaded tokens the query itself is."""
        return None if self.queries else self.query


def shading(attention: Attention, query: str | None) -> Shading:
    """What a query, given by position or by its token, attends to; without one, what all do in the mean.

    Of a text that a model has written, there is a panel for each token instead: what was attended to for it.

    Raises InputError for a query that is not there, and where weights are means over positions already.
    """
    if attention.pooled:
        raise InputError(
            "text cannot be shaded by weights pooled over positions",
            hint="give a shorter text, or draw a map",
        )
    if query is None and (written := [step for step in steps_of(attention) if step.row >= 0]):
        return _as_it_was_written(attention, written)
    at = None if query is None else place_of(query, attention.query_tokens)
    rows = attention.shown if at is None else attention.shown[:, :, at : at + 1]
    weights = rows.mean(axis=2, dtype=np.result_type(rows, np.float32))
    hidden: Bool[np.ndarray, "layer head key"] = np.zeros(weights.shape, bool)
    if attention.mask is not None:
        mask = np.broadcast_to(attention.mask, attention.shown.shape)
        hidden = np.logical_not((mask if at is None else mask[:, :, at : at + 1]).any(axis=2))
    same = attention.one_text and attention.query_tokens == attention.key_tokens
    n = len(attention.query_tokens)
    name = f"all {n} queries" if at is None else label(attention.query_tokens[at])
    return Shading(
        pieces=running(attention.key_tokens, attention.key_words),
        weights=weights.reshape(-1, weights.shape[-1]),
        hidden=hidden.reshape(-1, weights.shape[-1]),
        titles=tuple(titles(attention)) if weights[..., 0].size > 1 else ("",),
        query=at,
        name=name,
        queries=() if same or at is None else running(attention.query_tokens, attention.query_words),
        said=f"mean {attention.unit} from {name}"
        if at is None
        else f"{attention.unit} from query {at}, {name}",
    )


def _as_it_was_written(attention: Attention, written: Sequence[Step]) -> Shading:
    """A panel for each token and head: the row from which it was written."""
    rows = [step.row for step in written]
    weights = attention.shown[:, :, rows]
    hidden = np.zeros(weights.shape, bool)
    if attention.mask is not None:
        hidden = ~np.broadcast_to(attention.mask, attention.shown.shape)[:, :, rows]
    names = [row_title(attention, step.at) for step in written]
    several = titles(attention) if weights.shape[0] * weights.shape[1] > 1 else [""]
    return Shading(
        pieces=running(attention.key_tokens, attention.key_words),
        weights=weights.reshape(-1, weights.shape[-1]),
        hidden=hidden.reshape(-1, weights.shape[-1]),
        titles=tuple(" · ".join(filter(None, [title, name])) for title in several for name in names),
        query=None,
        name="each token that was written",
        queries=(),
        said=f"{attention.unit} from which each token was written",
    )


def running(tokens: Sequence[str], words: Sequence[int] | None) -> tuple[Piece, ...]:
    """Tokens as the text that they make up: pieces of a word together, words apart, punctuation where it belongs.

    >>> [(p.text, p.before) for p in running(("un", "do", "it", "!"), (0, 0, 1, 2))]
    [('un', 'nothing'), ('do', 'nothing'), ('it', 'space'), ('!', 'nothing')]
    """
    spaced = any(token[:1] in (" ", *SPACES) for token in tokens if token)
    pieces = [Piece(_written(token), "nothing") for token in tokens[:1]]
    for i in range(1, len(tokens)):
        before, token = tokens[i - 1], tokens[i]
        joined = token.startswith(CONTINUES) or (words is not None and words[i] == words[i - 1])
        pieces.append(Piece(_written(token), _before(before, token, joined=joined, spaced=spaced)))
    return tuple(pieces)


def is_right_to_left(pieces: Sequence[Piece]) -> bool:
    """Whether most of the letters are Arabic or Hebrew, so that lines begin at the right.

    >>> is_right_to_left([Piece("שלום", "nothing"), Piece("abc", "space")])
    True
    """
    sides = [unicodedata.bidirectional(c) for piece in pieces for c in piece.text]
    return sum(side in ("R", "AL") for side in sides) > sum(side == "L" for side in sides)


def _before(last: str, token: str, *, joined: bool, spaced: bool) -> Before:
    """What lies between two tokens, by what they tell; where tokens carry no spaces, by their characters."""
    if joined or not last or not token:
        return "nothing" if joined else "space"
    if token[0].isspace() or token[0] in SPACES or last[-1].isspace():
        return "space"
    if _is_wide(last[-1]) or _is_wide(token[0]):
        return "nothing" if _kind(token) in _CLOSING or _kind(last) in _OPENING else "break"
    if spaced:
        return "nothing"
    return "nothing" if _kind(token) in _CLOSING or _kind(last) in _OPENING else "space"


def _kind(token: str) -> str:
    """The category of a token of one character."""
    return unicodedata.category(token) if len(token) == 1 else ""


def _is_wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def _written(token: str) -> str:
    """The token without the marks that tell where words begin; a space alone stays visible."""
    return label(bare(token) or token, LONGEST)
