"""From the pieces that were kept to records: attentions of a kind and a size are the layers of one."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from ...records.attention import Attention
from ...records.recording import Part, Recording
from .places import kind_of
from .steps import put_together, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...records.attention import Kind
    from .calls import Calls
    from .kept_numbers import Numbers
    from .recorder import Recorder
    from .steps import Piece, Step


@dataclass(frozen=True, eq=False)
class One:
    """What was kept of one attention in one step."""

    calls: Calls
    pieces: Sequence[Piece]  # several where a text was written with a cache

    @cached_property
    def numbers(self) -> Numbers:
        """Its numbers as a whole."""
        return put_together(self.pieces)

    @property
    def size(self) -> tuple[Any, ...]:
        """What must be the same in the layers of one record."""
        kept = self.pieces[0].numbers.weights
        n_query, n_key = whole(self.pieces)
        cells = None if kept is None or len(self.pieces) > 1 else kept.shape[1:]
        vectors = (self.pieces[0].numbers.query, self.pieces[0].numbers.value)
        widths = tuple(None if x is None else x.shape[-1] for x in vectors)
        return self.calls.head is None, n_query, n_key, None if kept is None else len(kept), cells, widths


@dataclass(frozen=True)
class Group:
    """The layers of one record, each one attention, or one for each head."""

    part: Part
    layers: tuple[tuple[One, ...], ...]
    step: Step


def recording_of(recorder: Recorder, steps: Sequence[Step], table: str = "") -> Recording:
    """What was kept in some steps; what it holds is put together when it is read."""
    groups = {group.part: group for step in steps for group in groups_of(recorder, step)}
    return Recording(tuple(groups), lambda part: record_of(recorder, groups[part]), table, recorder.said)


def groups_of(recorder: Recorder, step: Step) -> Iterator[Group]:
    """All that was kept in a step, in the order in which the program computes it first."""
    alike: dict[tuple[Any, ...], list[One]] = {}
    for spot, calls in recorder.calls.items():
        if spot in step.pieces and _has_wanted_head(recorder, calls):
            one = One(calls, step.pieces[spot])
            alike.setdefault((kind(recorder, calls), *one.size), []).append(one)
    for number, ones in enumerate(alike.values()):
        yield _group(recorder, step, ones, f"{step.number}/{step.root}.{number}")


def _has_wanted_head(recorder: Recorder, calls: Calls) -> bool:
    """Whether an attention of one head is a head that was chosen; of several only those were kept."""
    wanted = recorder.wanted.heads
    return wanted is None or calls.n_heads > 1 or (calls.head or 0) in wanted


def _group(recorder: Recorder, step: Step, ones: list[One], name: str) -> Group:
    layers = _in_layers(ones)
    calls, (n_query, n_key) = layers[0][0].calls, whole(layers[0][0].pieces)
    n_heads = calls.n_heads if calls.head is None else len(layers[0])
    part = Part(
        step.number,
        recorder.places.root(calls.spot.module) or path(recorder, calls),
        kind(recorder, calls),
        tuple(path(recorder, heads[0].calls) for heads in layers),
        _numbered(layers),
        n_heads,
        n_query,
        n_key,
        name,
    )
    return Group(part, layers, step)


def _in_layers(ones: list[One]) -> tuple[tuple[One, ...], ...]:
    """In the order of the layers; where heads are modules, those of each layer together."""
    if ones[0].calls.head is None:
        return tuple((one,) for one in sorted(ones, key=lambda one: one.calls.layer))
    layers: dict[int, list[One]] = {}
    for one in sorted(ones, key=lambda one: (one.calls.layer, one.calls.head)):
        layers.setdefault(one.calls.layer, []).append(one)
    most = max(map(len, layers.values()))
    return tuple(tuple(heads) for heads in layers.values() if len(heads) == most)


def _numbered(layers: Sequence[Sequence[One]]) -> tuple[int, ...]:
    numbers = tuple(heads[0].calls.layer for heads in layers)
    return numbers if len(set(numbers)) == len(numbers) else tuple(range(len(layers)))


def kind(recorder: Recorder, calls: Calls) -> Kind:
    """Which kind of attention it is, by all that is known now."""
    name = recorder.places.path(calls.spot.module)
    return kind_of(name, crosses=calls.crosses, causal=calls.causal, square=calls.square)


def path(recorder: Recorder, calls: Calls) -> str:
    """What the module is called, with its outermost module in front where there are several."""
    places, number = recorder.places, calls.spot.module
    name, root = places.path(number).replace("_orig_mod.", ""), places.root(number)
    if not name:
        return root
    return f"{root}.{name}" if root and places.several_roots else name


# ---- the record -------------------------------------------------------------------------------------


def record_of(recorder: Recorder, group: Group) -> Attention:
    """The attention of a group.

    Raises InputError where no maps were kept.
    """
    one, part = group.layers[0][0], group.part
    if one.numbers.weights is None:
        raise InputError("only figures were kept", hint="look at these, or keep maps")
    queries = _named(recorder, group, part.n_query)
    keys = (
        queries
        if part.n_query == part.n_key and part.kind != "cross"
        else _named(recorder, group, part.n_key)
    )
    figures = ("weights", "entropy", "mass", "top_keys", "top_weights", "maxima")
    vectors = ("scores", "query", "key", "value")
    wanted = recorder.wanted.heads
    return Attention(
        queries,
        keys,
        kind=part.kind,
        provenance=_provenance(recorder, group),
        mask=_mask(group),
        layers=part.layers,
        heads=() if wanted is None else _heads(group, wanted),
        pooled=one.numbers.pooled,
        **{figure: _stacked(group, figure) for figure in (*figures, *vectors)},  # type: ignore[arg-type]
    )


def _heads(group: Group, wanted: Sequence[int]) -> tuple[int, ...]:
    """The numbers of the heads of which something was kept."""
    if (first := group.layers[0][0].calls).head is None:
        return tuple(head for head in wanted if head < first.n_heads)
    return tuple(one.calls.head for one in group.layers[0] if one.calls.head is not None)


def _named(recorder: Recorder, group: Group, n: int) -> tuple[str, ...]:
    """What the program has told last before, else after; else numbers.

    Of a text that the program has written the last token is not attended to, so that there may be one more.
    """
    fits = (n, n + 1) if len(group.layers[0][0].pieces) > 1 else (n,)
    labels = [label for label in recorder.labels if len(label.tokens) in fits]
    before = [label for label in labels if label.at < group.step.at]
    found = before[-1] if before else labels[0] if labels else None
    return tuple(map(str, range(n))) if found is None else found.tokens[:n]


def _provenance(recorder: Recorder, group: Group) -> str:
    part, ones = group.part, [one for heads in group.layers for one in heads]
    n_batch = ones[0].calls.n_batch
    said = [f"recorded from {recorder.name}: {part.root}" if recorder.name else f"recorded: {part.root}"]
    said += [f"step {part.step}"]
    said += [f"example {min(recorder.wanted.example, n_batch - 1)} of {n_batch}"] if n_batch > 1 else []
    said += ["weights before dropout"] if any(one.calls.dropout for one in ones) else []
    return ", ".join(said)


def _stacked(group: Group, name: str) -> np.ndarray | None:
    arrays = [[getattr(one.numbers, name) for one in heads] for heads in group.layers]
    if any(array is None for heads in arrays for array in heads):
        return None
    return np.stack([np.concatenate(heads) for heads in arrays])


def _mask(group: Group) -> np.ndarray | None:
    """One mask where all layers have the same, else one for each; None where nothing is forbidden."""
    masks = [heads[0].numbers.mask for heads in group.layers]
    if all(mask is None for mask in masks) or group.layers[0][0].numbers.pooled:
        return None
    size = group.part.n_query, group.part.n_key
    full = [np.ones((1, *size), bool) if mask is None else mask for mask in masks]
    if all(np.array_equal(mask, full[0]) for mask in full):
        return full[0][None]
    n_heads = max(map(len, full))
    return np.stack([np.broadcast_to(mask, (n_heads, *size)) for mask in full])
