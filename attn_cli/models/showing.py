"""What of a text or an image is shown: which tokens, what they are called, which of them are pieces of a word."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..attention.layers import Sides
from ..attention.wanted_parts import Wanted
from ..errors import InputError, note
from ..records.selection import places_named
from ..records.words import words_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ..records.attention import Kind
    from ..transformer.intervening import Intervention
    from .reading import Pick, Reading


@dataclass(frozen=True)
class Side:
    """The tokens of one side, which of them the tokenizer added, and the text that they are of, if any."""

    labels: Sequence[str]
    special: Sequence[bool] | None = None  # None: none of them
    text: str | None = None

    def shown(self, *, special: bool) -> list[int]:
        """The places of those that are shown.

        >>> Side(("[CLS]", "a"), (True, False)).shown(special=False)
        [1]
        """
        return [i for i in range(len(self.labels)) if special or not (self.special and self.special[i])]

    @property
    def words(self) -> tuple[int, ...] | None:
        """A number for the word of each token, as far as the text tells."""
        return None if self.text is None else words_in(self.text, self.labels)


def sides_of(
    query: Side,
    key: Side,
    kind: Kind,
    provenance: str,
    reading: Reading,
    beside: Mapping[str, Any] | None = None,
) -> tuple[Sides, Wanted]:
    """All of a record but its numbers, and what of the numbers is wanted.

    Special tokens are left out first, then queries and keys picked among the rest. Raises InputError where
    nothing is left.
    """
    queries, keys = (side.shown(special=reading.special == "keep") for side in (query, key))
    if not queries or not keys:
        raise InputError("the text has only special tokens", hint="leave --special out")
    lost = len(keys) < len(key.labels)
    if lost or len(queries) < len(query.labels):
        provenance += _said_hidden(lost, renormalise=reading.special == "renormalise")
    picked_queries, picked_keys = _picked(query, queries, reading.queries), _picked(key, keys, reading.keys)
    said = [] if reading.queries is None else [places_named("query", picked_queries, len(queries))]
    said += [] if reading.keys is None else [places_named("key", picked_keys, len(keys))]
    wanted = Wanted(
        _places(queries, picked_queries, len(query.labels)),
        _places(keys, picked_keys, len(key.labels)),
        reading.heads,
        over=keys if lost and reading.special == "renormalise" else None,
        said="; ".join(said),
        watch=reading.watch,
    )
    provenance += intervened(reading.intervention)
    words = query.words
    same = query.labels is key.labels and query.text is key.text
    special = [0] * len(key.labels) if key.special is None else [int(mark) for mark in key.special]
    both = words, words if same else key.words
    return Sides(query.labels, key.labels, kind, provenance, *both, special, beside or {}), wanted


def intervened(done: Intervention | None) -> str:
    """What was done to the model, as the end of a provenance."""
    return "" if done is None or not done.provenance else f"; intervened: {done.provenance}"


def _picked(side: Side, shown: list[int], pick: Pick | None) -> Sequence[int]:
    """Places among the tokens that are shown."""
    return range(len(shown)) if pick is None else pick([side.labels[i] for i in shown])


def _places(shown: list[int], picked: Sequence[int], n: int) -> Sequence[int] | None:
    """Places among all tokens, None for all."""
    places = [shown[i] for i in picked]
    return None if len(places) == n else places


def _said_hidden(lost: bool, *, renormalise: bool) -> str:
    """Note that special tokens are hidden; what the provenance says of it."""
    if not lost:
        note("special tokens are hidden")
        return ", special tokens hidden"
    note(f"special tokens are hidden; rows {'are renormalised' if renormalise else 'sum to less than 1'}")
    return f", special tokens hidden{' and rows renormalised' if renormalise else ''}"
