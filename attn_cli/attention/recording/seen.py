"""What a recording has seen, as a list of its attentions, and as the `Attention` of some layers in one step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError, note
from ...records.attention import Attention
from .numbers import FIGURES, Numbers
from .places import kind_of
from .steps import Step, put_together

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...records.attention import Kind
    from .calls import Calls
    from .recorder import Recorder

_COLUMNS = (
    "module",
    "layer",
    "kind",
    "calls",
    "kept",
    "heads",
    "queries",
    "keys",
    "mask",
    "dropout",
    "computed by",
    "on",
)


@dataclass(frozen=True)
class Row:
    """One attention of a program, over all of its calls."""

    module: str  # its path
    layer: int
    kind: Kind
    calls: int
    kept: int
    heads: int
    kv_heads: int
    queries: tuple[int, int]  # the fewest, the most
    keys: tuple[int, int]
    masked: str
    dropout: float
    way: str
    where: str

    def cells(self) -> tuple[str, ...]:
        """What a table shows of it."""
        heads = f"{self.heads}" if self.heads == self.kv_heads else f"{self.heads} ({self.kv_heads} kv)"
        counts = self.module, str(self.layer), self.kind, str(self.calls), str(self.kept), heads
        dropout = f"{self.dropout:g}" if self.dropout else ""
        return (*counts, _span(self.queries), _span(self.keys), self.masked, dropout, self.way, self.where)


def _span(sizes: tuple[int, int]) -> str:
    return str(sizes[0]) if sizes[0] == sizes[1] else f"{sizes[0]}…{sizes[1]}"


@dataclass(frozen=True)
class _Part:
    """What was kept of one attention in one step."""

    calls: Calls
    step: Step
    numbers: Numbers


class Seen(Sequence[Row]):
    """The attentions that a program has computed while it was recorded, a row each."""

    def __init__(self, recorder: Recorder, name: str = "") -> None:
        self._recorder, self._name = recorder, name

    def __len__(self) -> int:
        return len(self._recorder.calls)

    def __getitem__(self, index: Any) -> Any:
        rows = [self._row(calls) for calls in self._recorder.calls.values()]
        return rows[index]

    def __iter__(self) -> Iterator[Row]:
        return iter(self[:])

    def __repr__(self) -> str:
        rows = [_COLUMNS, *(row.cells() for row in self)]
        shown = [i for i in range(len(_COLUMNS)) if any(row[i] for row in rows[1:])]
        widths = [max(len(row[i]) for row in rows) for i in shown]
        return "\n".join(
            "  ".join(f"{row[i]:{width}}" for i, width in zip(shown, widths, strict=True)).rstrip()
            for row in rows
        )

    @property
    def remarks(self) -> list[str]:
        """What is to be known of the recording."""
        return [*self._recorder.remarks, *filter(None, [self._recorder.store.remark])]

    @property
    def steps(self) -> list[int]:
        """The numbers of the steps of which something was kept."""
        return sorted({step.number for step in self._steps()})

    def attention(
        self,
        tokens: Sequence[str] | None = None,
        key_tokens: Sequence[str] | None = None,
        *,
        step: int | None = None,
        kind: Kind | None = None,
        module: str | None = None,
    ) -> Attention:
        """The attention of all layers of a kind and size, in a step or in the last.

        `tokens` are those of the queries, and of the keys where these are the same; without them what `label` was
        told, else numbers. `module` picks by path, as "encoder.*". Without `kind` the first that the program has
        computed is taken. Raises InputError when there is none, or the tokens do not fit.
        """
        parts = self._parts(step, kind, module)
        first, *others = _of_a_size(parts)
        if others:
            sizes = ", ".join(f"{len(some)} of {_size(some[0])}" for some in others)
            note(f"taken are the {len(first)} attentions of {_size(first[0])}; there are also {sizes}")
        return self._record(first, tokens, key_tokens)

    def figures(self) -> list[dict[str, Any]]:
        """A row for each step, attention and head, where figures were kept: a mean over the queries each."""
        rows = []
        for step in self._steps():
            for spot, pieces in step.pieces.items():
                if (figures := put_together(pieces).figures) is None:
                    continue
                calls = self._recorder.calls[spot]
                place = {"step": step.number, "module": self._path(calls), "layer": calls.layer}
                rows += [
                    {**place, "head": head, **dict(zip(FIGURES, map(float, row), strict=True))}
                    for head, row in zip(self._heads(len(figures)), figures, strict=True)
                ]
        return rows

    # ---- what there is ----

    def _steps(self) -> list[Step]:
        going = [
            root.step for root in self._recorder.roots.values() if root.step is not None and root.step.pieces
        ]
        return [*self._recorder.store.steps(), *going]

    def _row(self, calls: Calls) -> Row:
        queries, keys = ([size[i] for size in calls.sizes] for i in (0, 1))
        return Row(
            self._path(calls), calls.layer, self._kind(calls), calls.count, calls.n_kept, calls.n_heads, calls.kv_heads,
            (min(queries), max(queries)), (min(keys), max(keys)), ", ".join(calls.masked), calls.dropout, calls.way, calls.where,
        )  # fmt: skip

    def _kind(self, calls: Calls) -> Kind:
        path = self._recorder.places.path(calls.spot.module)
        return kind_of(path, crosses=calls.crosses, causal=calls.causal, square=calls.square)

    def _path(self, calls: Calls) -> str:
        places, number = self._recorder.places, calls.spot.module
        path = places.path(number).replace("_orig_mod.", "")
        root = places.root(number)
        if not path:
            return root
        return f"{root}.{path}" if root and places.several_roots else path

    def _parts(self, number: int | None, kind: Kind | None, module: str | None) -> list[_Part]:
        """What was kept in a step of a kind, in the order in which the program has computed it first."""
        steps = self._steps()
        if number is not None and steps and number not in self.steps:
            raise InputError(f"no step {number} was kept", hint=f"kept are {_listed(self.steps)}")
        last = {step.root: step.number for step in sorted(steps, key=lambda step: step.number)}
        there = [
            _Part(calls, step, put_together(step.pieces[spot]))
            for spot, calls in self._recorder.calls.items()
            for step in steps
            if spot in step.pieces and step.number == (last[step.root] if number is None else number)
        ]
        if not there:
            raise InputError("no attention was recorded", hint="see what was, with print(seen)")
        parts = [part for part in there if module is None or _matches(self._path(part.calls), module)]
        if not parts:
            raise InputError(
                f"no module {module!r} attends",
                hint=f"give one of {_listed([self._path(p.calls) for p in there])}",
            )
        kinds = list(dict.fromkeys(self._kind(part.calls) for part in parts))
        if kind is not None and kind not in kinds:
            raise InputError(f"no attention of the kind {kind!r}", hint=f"give {' or '.join(kinds)}")
        return [part for part in parts if self._kind(part.calls) == (kinds[0] if kind is None else kind)]

    # ---- the record ----

    def _record(
        self, parts: list[_Part], tokens: Sequence[str] | None, key_tokens: Sequence[str] | None
    ) -> Attention:
        numbers = [part.numbers for part in parts]
        if numbers[0].weights is None:
            raise InputError("only figures were kept", hint="look at seen.figures(), or keep maps")
        layers = _layers(parts)
        size = numbers[0].n_query, numbers[0].n_key
        queries, keys = self._tokens(parts[0], size, tokens, key_tokens)
        stacked: dict[str, Any] = {
            name: _stacked(layers, name) for name in ("entropy", "mass", "top_keys", "top_weights")
        }
        weights = _stacked(layers, "weights")
        assert weights is not None
        return Attention(
            queries,
            keys,
            weights,
            kind=self._kind(parts[0].calls),
            provenance=self._provenance(parts),
            mask=_mask(layers, size),
            layers=_layer_numbers(layers),
            heads=self._heads(weights.shape[1]),
            pooled=numbers[0].pooled,
            **stacked,
        )

    def _heads(self, n: int) -> tuple[int, ...]:
        wanted = self._recorder.wanted.heads
        return tuple(range(n)) if wanted is None else tuple(wanted[:n])

    def _tokens(
        self,
        part: _Part,
        size: tuple[int, int],
        tokens: Sequence[str] | None,
        key_tokens: Sequence[str] | None,
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        n_query, n_key = size
        if n_query == n_key and self._kind(part.calls) != "cross":
            names = self._named(part, n_query, tokens)
            return names, names if key_tokens is None else self._named(part, n_key, key_tokens)
        if (
            self._kind(part.calls) != "cross"
            and tokens is not None
            and key_tokens is None
            and len(tokens) == n_key
        ):
            key_tokens, tokens = tokens, tokens[n_key - n_query :]
        return self._named(part, n_query, tokens), self._named(part, n_key, key_tokens)

    def _named(self, part: _Part, n: int, tokens: Sequence[str] | None) -> tuple[str, ...]:
        """Given tokens, else those that the program has told last before, else after; else numbers.

        Of a text that the program has written the last token is not attended to, so that there may be one more.
        """
        written = len(part.step.pieces[part.calls.spot]) > 1
        fits = (n, n + 1) if written else (n,)
        if tokens is not None:
            if len(tokens) not in fits:
                raise InputError(f"{len(tokens)} tokens for {n} positions", hint="give one for each")
            return tuple(map(str, tokens[:n]))
        labels = [one for one in self._recorder.labels if len(one.tokens) in fits]
        before = [one for one in labels if one.at < part.step.at]
        found = before[-1] if before else labels[0] if labels else None
        return tuple(map(str, range(n))) if found is None else found.tokens[:n]

    def _provenance(self, parts: list[_Part]) -> str:
        part, recorder = parts[0], self._recorder
        n_steps = recorder.roots[part.step.root].n_steps
        root = recorder.places.root(part.calls.spot.module) or self._path(part.calls)
        said = [f"recorded from {self._name}: {root}" if self._name else f"recorded: {root}"]
        said += [f"step {part.step.number} of {n_steps}"] if n_steps > 1 else []
        said += (
            [f"example {recorder.wanted.example} of {part.calls.n_batch}"] if part.calls.n_batch > 1 else []
        )
        said += ["weights before dropout"] if any(one.calls.dropout for one in parts) else []
        return ", ".join(said)


def _matches(path: str, pattern: str) -> bool:
    return fnmatchcase(path, pattern) or path.startswith(f"{pattern}.")


def _listed(things: Sequence[Any]) -> str:
    shown = ", ".join(map(str, things[:6]))
    return f"{shown}, … {things[-1]}" if len(things) > 6 else shown


def _key(part: _Part) -> tuple[Any, ...]:
    numbers = part.numbers
    shape = None if numbers.weights is None else numbers.weights.shape
    return part.step.root, part.calls.head is None, numbers.n_query, numbers.n_key, shape


def _of_a_size(parts: list[_Part]) -> list[list[_Part]]:
    """The parts that can be layers of one record; the most first."""
    groups: dict[tuple[Any, ...], list[_Part]] = {}
    for part in parts:
        groups.setdefault(_key(part), []).append(part)
    return sorted(groups.values(), key=len, reverse=True)


def _size(part: _Part) -> str:
    n_heads = "" if part.numbers.weights is None else f"{len(part.numbers.weights)} heads, "
    return f"{n_heads}{part.numbers.n_query} × {part.numbers.n_key}"


def _layers(parts: list[_Part]) -> list[list[_Part]]:
    """A list for each layer: of one part, or of one for each head."""
    if parts[0].calls.head is None:
        return [[part] for part in sorted(parts, key=lambda part: part.calls.layer)]
    layers: dict[int, list[_Part]] = {}
    for part in sorted(parts, key=lambda part: (part.calls.layer, part.calls.head)):
        layers.setdefault(part.calls.layer, []).append(part)
    most = max(map(len, layers.values()))
    return [heads for heads in layers.values() if len(heads) == most]


def _layer_numbers(layers: list[list[_Part]]) -> tuple[int, ...]:
    numbers = tuple(heads[0].calls.layer for heads in layers)
    return numbers if len(set(numbers)) == len(numbers) else tuple(range(len(layers)))


def _stacked(layers: list[list[_Part]], name: str) -> np.ndarray | None:
    of: Callable[[_Part], Any] = lambda part: getattr(part.numbers, name)  # noqa: E731
    if any(of(part) is None for heads in layers for part in heads):
        return None
    return np.stack([np.concatenate([of(part) for part in heads]) for heads in layers])


def _mask(layers: list[list[_Part]], size: tuple[int, int]) -> np.ndarray | None:
    """One mask where all layers have the same, else one for each; None where nothing is forbidden."""
    masks = [heads[0].numbers.mask for heads in layers]
    if all(mask is None for mask in masks) or layers[0][0].numbers.pooled:
        return None
    everywhere = np.ones((1, *size), bool)
    full = [everywhere if mask is None else mask for mask in masks]
    if all(np.array_equal(mask, full[0]) for mask in full):
        return full[0][None]
    n_heads = max(map(len, full))
    return np.stack([np.broadcast_to(mask, (n_heads, *size)) for mask in full])
