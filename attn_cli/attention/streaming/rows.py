"""Whole rows of weights in tiles of keys: a softmax tile by tile, any other normalisation of all scores at once.

In a tile that fits the cache, matrix products are faster than along a whole row. Each tile has a softmax of its
own, and what belongs to it of the whole row is known when all have been seen: exp(ln Σ of the tile − ln Σ of the
row) (Milakov & Gimelshein 2018, arXiv:1805.02867; as in FlashAttention, Dao et al. 2022, arXiv:2205.14135, but
here every weight is kept until it has been counted).
"""

from __future__ import annotations

import math
import threading
from typing import TYPE_CHECKING, NamedTuple

import torch

from ...variants import normalisation, scores
from ..outputs import weigh

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jaxtyping import Bool, Float, Int
    from torch import Tensor

    from ..rules import Rule

TILE = 2**21  # bytes of scores: smaller ones would fit more of the cache, but Python has to start each
CHUNK = 64  # keys: a tile is so many, or a multiple


class Scratch(threading.local):
    """Memory for the tiles of a thread, one block after the other: what is new comes zeroed, which takes its time."""

    buffer: Tensor | None = None

    def room(self, like: Tensor, *sizes: int) -> Tensor:
        """Numbers of these sizes, not set; they are those of the last call.

        >>> Scratch().room(torch.zeros(1), 2, 3).shape
        torch.Size([2, 3])
        """
        n = math.prod(sizes)
        if self.buffer is None or len(self.buffer) < n:
            self.buffer = like.new_empty(n)
        return self.buffer[:n].view(sizes)


class Rows(NamedTuple):
    """What some queries give to all keys that they can reach: weight = part · share, 0 after the last key."""

    parts: Float[Tensor, "tile head row width"]  # a tile lies in one piece, not a row
    peaks: Float[Tensor, "tile head row chunk"]  # the largest part of every CHUNK keys
    shares: Float[Tensor, "tile head row 1"]  # of a tile in the row
    entropy: Float[Tensor, "head row"]  # −Σ w ln w
    output: Float[Tensor, "head row d_value"]  # weights · value

    def tiles(self) -> Iterator[Float[Tensor, "head row width"]]:
        """The weights, one tile after the other."""
        return (part * share for part, share in zip(self.parts, self.shares, strict=True))

    def whole(self, n_keys: int) -> Float[Tensor, "head row reached"]:
        """The weights, row by row."""
        return torch.cat(list(self.tiles()), dim=-1)[..., :n_keys]

    def heaviest(self, n: int) -> tuple[Float[Tensor, "head row top"], Int[Tensor, "head row top"]]:
        """The n largest weights of each row and their keys, looked for only in the n chunks with the largest peaks.

        Any other chunk holds only weights that are no larger than n of those.

        >>> in_tiles(torch.tensor([[[0.1, 0.6, 0.0, 0.3]]]), torch.zeros(1, 1, 0)).heaviest(2)
        (tensor([[[0.6000, 0.3000]]]), tensor([[[1, 3]]]))
        """
        _, n_heads, n_rows, width = self.parts.shape
        peaks = (self.peaks * self.shares).movedim(0, -2).flatten(-2)
        first = CHUNK * peaks.topk(min(n, peaks.shape[-1])).indices.unsqueeze(-1)
        keys = (first + torch.arange(CHUNK, device=first.device)).flatten(-2)
        row = torch.arange(n_heads * n_rows, device=keys.device).reshape(n_heads, n_rows, 1)
        row = keys // width * (n_heads * n_rows) + row  # among the rows of all tiles
        weights = self.parts.take(row * width + keys % width) * self.shares.take(row)
        top = weights.topk(n)
        return top.values, keys.gather(-1, top.indices)


def in_tiles(weights: Float[Tensor, "head row key"], output: Float[Tensor, "head row d_value"]) -> Rows:
    """Rows of weights that are there already, as a single tile.

    >>> in_tiles(torch.tensor([[[0.5, 0.5]]]), torch.zeros(1, 1, 0)).entropy
    tensor([[0.6931]])
    """
    tiny = torch.finfo(weights.dtype).tiny
    entropy = 0 - (weights * weights.clamp_min(tiny).log()).sum(dim=-1)
    part = torch.nn.functional.pad(weights, (0, -weights.shape[-1] % CHUNK))[None]
    return Rows(part, _peaks(part), torch.ones_like(part[..., :1]), entropy, output)


def rows_of(
    rule: Rule,
    query: Float[Tensor, "head row d_head"],
    key: Float[Tensor, "head reached d_head"],
    value: Float[Tensor, "head reached d_value"],
    where: tuple[Int[Tensor, " row"], Int[Tensor, " reached"]],
    allowed: Bool[Tensor, "*#heads row reached"] | None,
    scratch: Scratch,
) -> Rows:
    """The rows that a rule makes of these queries and keys, which stand at the positions `where`.

    >>> from ..rules import Rule
    >>> x, at = torch.eye(2)[None], torch.arange(2)
    >>> rows = rows_of(Rule(scale=1.0), x, x, x, (at, at), None, Scratch())
    >>> rows.output[0, 0], rows.entropy[0, 0]  # [e, 1] / (e + 1)
    (tensor([0.7311, 0.2689]), tensor(0.5822))
    """
    if rule.normalise == normalisation.softmax and rule.top_k is None:
        return _softmax(rule, query, key, value, where, allowed, scratch)
    weights = rule.weights(rule.scores(query, key, *where), allowed)
    return in_tiles(weights, weigh(weights, value))


def _softmax(
    rule: Rule,
    query: Float[Tensor, "head row d_head"],
    key: Float[Tensor, "head reached d_head"],
    value: Float[Tensor, "head reached d_value"],
    where: tuple[Int[Tensor, " row"], Int[Tensor, " reached"]],
    allowed: Bool[Tensor, "*#heads row reached"] | None,
    scratch: Scratch,
) -> Rows:
    """With one logarithm for a tile of a row, not for each key.

    Where m is its highest score and p its softmax, ln Σ exp(s) of a tile is m − ln p(m), its entropy is
    −ln p(m) − Σ p (s − m), and the entropy of the row is Σ share · (entropy − ln share).
    """
    lowest = torch.finfo(key.dtype).min / 2  # instead of −∞, which times 0 would not be a number
    parts = _room(key, (*key.shape[:-2], len(where[0])), key.shape[-2], scratch)
    logs, entropies, peaks, outputs = [], [], [], []
    for part, at in zip(parts, _cut(key.shape[-2], parts.shape[-1]), strict=True):
        raw = rule.scores(query, key[..., at, :], where[0], where[1][at]).to(key.dtype)
        raw = _finite(rule, raw, None if allowed is None else allowed[..., at], lowest)
        highest = raw.amax(dim=-1, keepdim=True)
        raw -= highest  # softmax does so anyway; without it the entropy of large scores is rounded with them
        weights = torch.softmax(raw, dim=-1, out=part[..., : raw.shape[-1]])
        peaks.append(_peaks(part))
        below = peaks[-1].amax(dim=-1, keepdim=True).log()
        logs.append(highest - below)
        outputs.append(weights @ value[..., at, :])
        raw *= weights  # where the scores were, as a third matrix would not fit the cache
        entropies.append(-below - raw.sum(dim=-1, keepdim=True))
    log = torch.stack(logs)
    share_logs = log - log.logsumexp(dim=0)
    shares = share_logs.exp().masked_fill(log < lowest / 2, 0)  # where nothing is permitted
    entropy = (shares * (torch.stack(entropies) - share_logs)).sum(dim=0).squeeze(-1).clamp_min(0)
    rows = Rows(parts, torch.stack(peaks), shares, entropy, (shares * torch.stack(outputs)).sum(dim=0))
    if rows.output.isfinite().all():
        return rows
    output = weigh(rows.whole(key.shape[-2]), value)  # in which a value of weight 0 counts for nothing
    return rows._replace(output=output)


def _room(
    like: Tensor, sizes: tuple[int, ...], n_keys: int, scratch: Scratch
) -> Float[Tensor, "tile head row width"]:
    """Memory for the tiles, 0 after the last key; a GPU takes all keys at once."""
    fitting = TILE // (math.prod(sizes) * like.itemsize) // CHUNK
    n_chunks = -(-n_keys // CHUNK)
    width = CHUNK * (n_chunks if like.is_cuda else min(max(fitting, 1), n_chunks))
    parts = scratch.room(like, -(-n_keys // width), *sizes, width)
    parts[-1][..., (n_keys - 1) % width + 1 :] = 0
    return parts


def _cut(n_keys: int, width: int) -> list[slice]:
    return [slice(lo, min(lo + width, n_keys)) for lo in range(0, n_keys, width)]


def _peaks(part: Float[Tensor, "*tile head row width"]) -> Float[Tensor, "*tile head row chunk"]:
    return torch.unflatten(part, -1, (-1, CHUNK)).amax(dim=-1)


def _finite(
    rule: Rule, raw: Float[Tensor, "head row tile"], allowed: Bool[Tensor, ...] | None, lowest: float
) -> Float[Tensor, "head row tile"]:
    """Scores that may be written over, `lowest` where nothing is permitted; a user's own function may keep its scores."""
    if rule.position is not None or rule.score not in (scores.scaled_dot, scores.dot, scores.cosine):
        raw = raw.clamp_min(lowest)  # a copy
    return raw if allowed is None else raw.masked_fill_(~allowed, lowest)
