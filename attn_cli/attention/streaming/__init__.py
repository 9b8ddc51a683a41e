"""Attention of any length: blocks of queries with every key they can reach, never queries × keys at once.

The weights of a block are whole rows, made by the same `Rule` as dense attention: whatever a rule can say can
be streamed. They are summed into cells no smaller than a picture's pixels, and let go.
"""

from __future__ import annotations

import itertools
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import torch

from ...errors import note
from ...records.attention import Attention
from ...variants import normalisation, scores
from ..devices import keep_freed_memory
from ..heads import as_layer, warn_of_blind_rows
from ..rules import Rule, positions
from .blocking import in_blocks, in_order, room_on
from .kept import MOST_CELLS, Kept, Streamed

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from jaxtyping import Float
    from torch import Tensor

    from ..heads import Heads
    from .blocking import Block
    from .kept import Addition, Part

MOST_DENSE = 2**23  # weights of all heads together that are held at once; where there are more, stream
SAMPLE = 64  # rows in which the error of an approximation is measured: in all it would take as long again

SCALED_DOT = Rule()

T = TypeVar("T")


class Progress(NamedTuple):
    """How many queries are done, and of how many."""

    done: int
    total: int


def n_weights(heads: Heads) -> int:
    """How many weights these heads have together: above `MOST_DENSE`, stream."""
    n_heads, n_query, _ = heads.query.shape
    return n_heads * n_query * heads.key.shape[-2]


def streamed(
    heads: Heads, rule: Rule = SCALED_DOT, *, norms: bool = False
) -> Generator[Progress, None, Attention]:
    """The record of what these heads attend to under a rule, pooled; says how far it is, returns the record.

    The numbers are those of `attention.dense`, pooled where the axes are longer than `MOST_CELLS`; scores and
    mask are not kept. One warning names blind rows.
    """
    rule.check(len(heads.query_tokens), len(heads.key_tokens))
    lengths = heads.value_lengths[None] if norms else None
    kept = yield from stream(heads.query[None], heads.key[None], heads.value[None], rule, lengths=lengths)
    warn_of_blind_rows(kept.seeing, heads.query_tokens)
    if rule.score is scores.linear:
        _note_error(heads, rule)
    return Attention(
        heads.query_tokens,
        heads.key_tokens,
        kept.weights,
        kind=heads.kind,
        provenance=", ".join(filter(None, [heads.provenance, rule.provenance])),
        output=as_layer(heads.merge(kept.output[0])),
        pooled=kept.weights.shape[2:] != (len(heads.query_tokens), len(heads.key_tokens)),
        entropy=kept.entropy,
        mass=kept.mass,
        top_keys=kept.top_keys,
        top_weights=kept.top_weights,
        norms=kept.norms,
    )


def stream(
    query: Float[Tensor, "layer head query d_head"],
    key: Float[Tensor, "layer head key d_head"],
    value: Float[Tensor, "layer head key d_value"],
    rule: Rule = SCALED_DOT,
    *,
    n_maps: int | None = None,
    lengths: Float[Tensor, "layer head key"] | None = None,
) -> Generator[Progress, None, Streamed]:
    """Attention of several layers and heads in one pass over the queries; says how far it is.

    With the `lengths` of what arrives of each key, also a map of norms, weight · length.
    `n_maps` is the number of maps that there will be in all, if there are others than these: the more, the
    fewer cells has each.

    The same numbers as `attention.attention`, bit for bit the same with any number of threads. Memory is that
    of the vectors, a block of rows for each thread and the pooled maps; a rule whose masks reach few keys
    takes time for those alone.

    >>> x = torch.eye(3)[None, None]
    >>> steps = list(stream(x, x, x))
    >>> steps[-1]
    Progress(done=3, total=3)
    """
    precise = torch.float64 if query.dtype == torch.float64 else torch.float32
    key, wide = key.to(precise), value.to(precise)
    n_layers, n_heads, n_query, _ = query.shape
    together = n_heads if rule.of_heads else 1  # one head after the other finds more in the cache
    starts = itertools.product(range(n_layers), range(0, n_heads, together))
    parts = [(layer, slice(head, head + together)) for layer, head in starts]
    with torch.inference_mode(False):  # which is of this thread alone, and others are to fill what is kept
        kept = Kept(query, wide, n_maps, lengths)
    work = partial(_attend, query=query, key=key, value=wide, rule=rule, parts=parts, kept=kept)
    keep_freed_memory()
    room = room_on(key.device) // (together * precise.itemsize)
    for block, additions in in_order(work, in_blocks(rule, n_query, key.shape[-2], room), key.device):
        kept.sum_up(additions)
        yield Progress(block.rows.stop, n_query)
    return kept.finish(value.dtype)


def drain(steps: Generator[Progress, None, T]) -> T:
    """What is returned in the end; how far it is, is told to whoever watches.

    >>> x = torch.eye(3)[None, None]
    >>> drain(stream(x, x, x)).weights.shape
    (1, 1, 3, 3)
    """
    tell = _tell.get()
    while True:
        try:
            step = next(steps)
        except StopIteration as end:
            return end.value
        tell(step)


@contextmanager
def watched(tell: Callable[[Progress], None]) -> Iterator[None]:
    """While this is open, all that is drained tells how far it is, however deep within a model.

    >>> x = torch.eye(3)[None, None]
    >>> with watched(print):
    ...     _ = drain(stream(x, x, x))
    Progress(done=3, total=3)
    """
    before = _tell.set(tell)
    try:
        yield
    finally:
        _tell.reset(before)


def _nobody(step: Progress) -> None:
    """Who watches by default."""


_tell: ContextVar[Callable[[Progress], None]] = ContextVar("tell", default=_nobody)


@torch.no_grad()
def _attend(
    block: Block,
    *,
    query: Float[Tensor, "layer head query d_head"],
    key: Float[Tensor, "layer head key d_head"],
    value: Float[Tensor, "layer head key d_value"],
    rule: Rule,
    parts: list[Part],
    kept: Kept,
) -> list[Addition]:
    """The rows of a block: what is known of them is kept at once, what is to be summed is returned."""
    q, k, v = query[..., block.rows, :], block.reached(key), block.reached(value)
    query_pos, key_pos = positions(query.shape[-2], key.shape[-2], key.device)
    here = query_pos[block.rows], block.reached(key_pos[:, None])[:, 0]
    allowed = rule.allowed(q, k, *here)
    if allowed is not None:
        kept.seeing[block.rows] = allowed.any(dim=-1).reshape(-1, len(here[0])).all(dim=0)
    additions: list[Addition] = []
    for part in parts if block.reach else ():
        raw = rule.scores(q[part], k[part], *here)
        weights = rule.weights(raw, allowed[part] if allowed is not None and allowed.ndim > 2 else allowed)
        plain = allowed is None and rule.normalise is normalisation.softmax
        kept.fill(part, block, here[1], weights, v[part], raw if plain else None)
        additions += kept.additions(part, block, weights)
    return additions


def _note_error(heads: Heads, rule: Rule) -> None:
    """How far linear attention is from what it approximates, in some rows spread over all."""
    query_pos, key_pos = positions(heads.query.shape[-2], heads.key.shape[-2], heads.key.device)
    rows = slice(0, None, -(-len(query_pos) // SAMPLE))
    sample = heads.query[:, rows], heads.key, query_pos[rows], key_pos
    allowed = rule.allowed(*sample)
    exact = replace(rule, score=scores.scaled_dot)
    off = rule.weights(rule.scores(*sample), allowed) - exact.weights(exact.scores(*sample), allowed)
    note(
        f"linear attention approximates scaled_dot: in {len(query_pos[rows])} rows spread over all, weights are "
        f"off by {off.abs().mean():.2g} on average and {off.abs().max():.2g} at most"
    )


__all__ = [
    "MOST_CELLS",
    "MOST_DENSE",
    "Progress",
    "Streamed",
    "drain",
    "n_weights",
    "stream",
    "streamed",
    "watched",
]
