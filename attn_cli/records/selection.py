"""Parts of an attention: some of its layers and heads, or what they have in common; a range of queries or keys."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

from ..errors import InputError
from ..registry import half_width, nearest
from . import fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .attention import Attention

    Choice = Literal["all", "last", "mean", "max"] | tuple[int, ...]


def parse_choice(axis: Literal["layer", "head"], text: Any) -> Choice:
    """The layers or heads that a text names: numbers from 0, `0-2`, `-1`, `last`, `all`, `mean`; of heads also `max`.

    Raises InputError for anything else.

    >>> parse_choice("layer", "0,5"), parse_choice("head", "max"), parse_choice("head", "last")
    ((0, 5), 'max', (-1,))
    """
    known = ("all", "last", "mean") if axis == "layer" else ("all", "last", "mean", "max")
    if not isinstance(text, str):
        try:
            return tuple(map(operator.index, text if isinstance(text, Iterable) else (text,)))
        except TypeError:
            hint = f"give numbers from 0, or {', '.join(known)}"
            raise InputError(f"--{axis} {text!r}", hint=hint) from None
    if text == "last" and axis == "head":
        return (-1,)
    if text in known:
        return text  # type: ignore[return-value]
    try:
        return tuple(number for part in half_width(text).split(",") for number in _run(part))
    except ValueError:
        hint = f"give numbers from 0, or {', '.join(known)}{nearest(text, list(known))}"
        raise InputError(f"--{axis} {text!r}", hint=hint) from None


def _run(text: str) -> range:
    """One number, which may be negative, or a run of them, its last included: `0-2`."""
    match = re.fullmatch(r"(\d+)-(\d+)", text.strip())
    return range(int(match[1]), int(match[2]) + 1) if match else range(int(text), int(text) + 1)


def choose(attention: Attention, axis: Literal["layer", "head"], wanted: Choice) -> Attention:
    """Only these layers or heads, under the numbers that they have where they come from; or their mean or maximum.

    A mean of weights, mean_h weights[h], has rows that sum to 1, as each head's own do; a maximum has not.
    The numbers from which single heads were computed are then left out, and a key counts as permitted where
    any of them permits it. Raises InputError for a number that is not there.

    >>> from attn_cli.records.attention import Attention
    >>> mean = choose(Attention(("a",), ("a", "b"), [[[[1.0, 0.0]], [[0.5, 0.5]]]]), "head", "mean")
    >>> mean.weights.tolist(), mean.heads
    ([[[[0.75, 0.25]]]], ('mean',))
    """
    there: tuple[int | str, ...] = getattr(attention, f"{axis}s")
    if wanted == "all":
        return attention
    if wanted == "mean" or wanted == "max":
        return attention if len(there) == 1 else _combine(attention, axis, wanted)
    numbers = there[-1:] if wanted == "last" else _from_the_end(wanted, there)
    if missing := [number for number in numbers if number not in there]:
        hint = f"it has {', '.join(map(str, there))}"
        raise InputError(f"no {axis} {missing[0]} in this attention", hint=hint)
    places = [i for i, number in enumerate(there) if number in numbers]
    return at_places(attention, axis, places)


def at_places(attention: Attention, axis: str, places: Sequence[int], **changes: Any) -> Attention:
    """Only these layers, heads, queries or keys, and what else is to change.

    An image stays where all its patches, which are the last keys, do.
    """
    taken = fields.taken(attention, axis, places)
    if axis == "key" and attention.patches is not None:
        patches = range(len(attention.key_tokens))[-math.prod(attention.patches) :]
        taken |= {} if set(patches) <= set(places) else fields.broken(attention, "patch")
    found: Attention = fields.changed(attention, **taken | changes)
    return found


def _from_the_end(wanted: tuple[int, ...], there: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """Negative numbers count from the end, as in Python."""
    return tuple(there[n] if -len(there) <= n < 0 else n for n in wanted)


def crop(attention: Attention, axis: Literal["query", "key"], wanted: range | str) -> Attention:
    """Only the queries or keys of a range, `0:20`, `20:` or `-5:` as Python counts.

    Weights stay as they are: rows that have lost keys sum to less than 1. Raises InputError for a range
    that is none or holds nothing, and for weights that are means of neighbours already.

    >>> from attn_cli.records.attention import Attention
    >>> part = crop(Attention(("a", "b"), ("a", "b"), [[[[0.5, 0.5], [0.5, 0.5]]]]), "query", "1:")
    >>> part.query_tokens, part.weights.shape, part.provenance
    (('b',), (1, 1, 1, 2), 'query 1 of 2')
    """
    tokens: tuple[str, ...] = getattr(attention, f"{axis}_tokens")
    if attention.pooled:
        raise InputError(
            f"these weights are pooled over positions, so a part of the {_PLURAL[axis]} cannot be chosen",
            hint="choose the part when they are computed",
        )
    places = range_of(axis, wanted, len(tokens)) if isinstance(wanted, str) else wanted
    said = _also(attention, places_named(axis, places, len(tokens)))
    return at_places(attention, axis, places, provenance=said)


_PLURAL = {"query": "queries", "key": "keys"}


def range_of(axis: Literal["query", "key"], text: str, n: int) -> range:
    """The positions that a range names, of n.

    Raises InputError for a range that is none or holds nothing.

    >>> range_of("query", "-5:", 20)
    range(15, 20)
    """
    option = f"--{axis}-range {text!r}"
    match = re.fullmatch(r"(-?\d+)?:(-?\d+)?", half_width(text).strip())
    if match is None:
        raise InputError(option, hint="give FROM:TO, counted from 0, TO not included")
    places = range(n)[slice(*(None if number is None else int(number) for number in match.groups()))]
    if not places:
        raise InputError(f"{option} is empty", hint=f"there are {n} positions, from 0")
    return places


def places_named(axis: str, places: Sequence[int], n: int) -> str:
    """Which part of an axis some rising places are, in words.

    >>> places_named("query", range(1, 3), 12), places_named("key", [0, 2], 5)
    ('queries 1 to 2 of 12', 'keys 0, 2 of 5')
    """
    if len(places) == 1:
        return f"{axis} {places[0]} of {n}"
    neighbours = places[-1] - places[0] == len(places) - 1
    which = f"{places[0]} to {places[-1]}" if neighbours else ", ".join(map(str, places))
    return f"{_PLURAL[axis]} {which} of {n}"


def _combine(attention: Attention, axis: Literal["layer", "head"], how: Literal["mean", "max"]) -> Attention:
    numbers = getattr(attention, f"{axis}s")
    name = {"mean": "mean", "max": "maximum"}[how]
    changes = fields.combined(attention, axis, how, also=attention.show) | {
        f"{axis}s": (how,),
        "provenance": _also(attention, f"{name} of {len(numbers)} {axis}s"),
    }
    found: Attention = fields.changed(attention, **changes)
    return found


def _also(attention: Attention, what: str) -> str:
    return "; ".join(filter(None, (attention.provenance, what)))
