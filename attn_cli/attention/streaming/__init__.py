"""Attention of any length: blocks of queries with every key they can reach, never queries × keys at once.

The weights of a block are whole rows, made by the same `Rule` as dense attention: whatever a rule can say can
be streamed. They are summed into cells no smaller than a picture's pixels, and then dropped.
"""

from __future__ import annotations

import itertools
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from ...records.progress import Progress, drain, watched
from ..devices import keep_freed_memory
from ..rules import Rule, positions
from .blocking import in_order, shape_of_blocks
from .kept import MOST_CELLS, Kept, Streamed
from .rows import Scratch, in_tiles, rows_of
from .shares import Share, share

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from jaxtyping import Float, Int
    from torch import Tensor

    from ..streamed_rows import Eye
    from .blocking import Block
    from .kept import Addition, Part

SCALED_DOT = Rule()


def stream(
    query: Float[Tensor, "layer head query d_head"],
    key: Float[Tensor, "layer head key d_head"],
    value: Float[Tensor, "layer head key d_value"],
    rule: Rule = SCALED_DOT,
    *,
    n_maps: int | None = None,
    lengths: Float[Tensor, "layer head key"] | None = None,
    places: Sequence[int] | None = None,
    columns: Sequence[int] | None = None,
    over: Sequence[int] | None = None,
    eye: Eye | None = None,
) -> Generator[Progress, None, Streamed]:
    """Attention of several layers and heads in one pass over the queries; says how far it is.

    With the `lengths` of what arrives of each key, also a map of norms, weight · length.
    `n_maps` is the number of maps that there will be in all, if there are others than these: the more, the
    fewer cells has each. `places` tells where the queries stand, in rising order; else the last stands at the
    last key. Of each row only the `columns` are summed up, after the softmax; it is divided by what it gives to the
    keys that it is to sum to 1 `over`. An `eye` shows the rows, as they are then, to whoever counts something
    in them.

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
    together, room, most = shape_of_blocks(rule, n_heads, n_query, key)
    with torch.inference_mode(False):  # which is of this thread alone, and others are to fill what is kept
        kept = Kept(query, wide, n_maps, lengths, columns)
    if places is None:
        places = range(key.shape[-2] - n_query, key.shape[-2])
    where = torch.tensor(places, device=key.device), positions(n_query, key.shape[-2], key.device)[1]
    work = partial(
        _attend,
        query=query,
        key=key,
        value=wide,
        where=where,
        rule=rule,
        parts=_parts(n_layers, n_heads, together),
        kept=kept,
        over=None if over is None else torch.tensor(over, device=key.device),
        eye=eye,
        scratch=Scratch(),
    )
    keep_freed_memory()
    ours = share() if eye is None else Share()  # what is counted in rows is counted in one process
    blocks = ours.blocks(rule, places, key.shape[-2], room, most)
    yield from _summed_up(in_order(work, blocks, key.device), kept, eye)
    ours.put_together(kept)
    return kept.finish(value.dtype)


def _summed_up(
    done: Iterator[tuple[Block, tuple[list[Addition], list[Any]]]], kept: Kept, eye: Eye | None
) -> Iterator[Progress]:
    for block, (additions, seen) in done:
        kept.sum_up(additions)
        if eye is not None:
            eye.take(seen)
        yield Progress(block.rows.stop, len(kept.seeing))


def _parts(n_layers: int, n_heads: int, together: int) -> list[Part]:
    starts = itertools.product(range(n_layers), range(0, n_heads, together))
    return [(layer, slice(head, head + together)) for layer, head in starts]


def _over(
    weights: Float[Tensor, "head row reached"], keys: Int[Tensor, " reached"], over: Int[Tensor, " key"]
) -> Float[Tensor, "head row reached"]:
    """Rows divided by what they give to some keys; one that gives them nothing stays as it is."""
    sums = (weights * torch.isin(keys, over)).sum(dim=-1, keepdim=True)
    return weights / sums.masked_fill(sums == 0, 1)


@torch.no_grad()
def _attend(
    block: Block,
    *,
    query: Float[Tensor, "layer head query d_head"],
    key: Float[Tensor, "layer head key d_head"],
    value: Float[Tensor, "layer head key d_value"],
    where: tuple[Int[Tensor, " query"], Int[Tensor, " key"]],
    rule: Rule,
    parts: list[Part],
    kept: Kept,
    over: Int[Tensor, " key"] | None,
    eye: Eye | None,
    scratch: Scratch,
) -> tuple[list[Addition], list[Any]]:
    """The rows of a block: what is known of them is kept at once, what is to be summed or taken is returned."""
    q, k, v = query[..., block.rows, :], block.reached(key), block.reached(value)
    here = where[0][block.rows], block.reached(where[1][:, None])[:, 0]
    allowed = rule.allowed(q, k, *here)
    if allowed is not None:
        kept.seeing[block.rows] = allowed.any(dim=-1).reshape(-1, len(here[0])).all(dim=0)
    additions: list[Addition] = list(kept.permitted(block, allowed))
    seen: list[Any] = []
    for part in parts if block.reach else ():
        may = allowed[part] if allowed is not None and allowed.ndim > 2 else allowed
        rows = rows_of(rule, q[part], k[part], v[part], here, may, scratch)
        kept.fill(part, block, here[1], rows)
        if over is not None:
            rows = in_tiles(_over(rows.whole(len(here[1])), here[1], over), rows.output)
        additions += kept.additions(part, block, rows)
        if eye is not None:
            seen.append(eye.see(part[1].start, block.rows, here[1], rows.whole(len(here[1])), may))
    if eye is not None and not block.reach:
        seen += [eye.see_nothing(part[1].start, block.rows, q[part]) for part in parts]
    return additions, seen


__all__ = [
    "MOST_CELLS",
    "Progress",
    "Streamed",
    "drain",
    "stream",
    "watched",
]
