"""Everything between query and weights, for any block of rows and keys.

A `Rule` names a score, the positions inside it, masks and a normalisation. Its methods take a block of
queries and keys with the positions where they stand, so that dense attention (one block) and streamed
attention (many) compute the same numbers from the same lines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from ..errors import InputError
from ..registry import Registry, Variant, bound
from ..variants import masks, normalisation, posenc, scores
from ..variants.intervals import Interval, intersection, union
from .mask_matrices import Written
from .specs import masks_of, position_of, score_of, spelt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jaxtyping import Bool, Float, Int

    from ..variants.masks import Mask
    from .specs import Masks, PositionSpec, ReadArrays, ScoreSpec


@dataclass(frozen=True)
class Rule:
    """weights = normalise(scores where permitted), scores = softcap(position(score)) / temperature.

    `query` and `key` are [..., head, seq, d_head] with all their heads, or [seq, d_head]; positions are
    1-D and whole numbers, and the last query stands where the last key does. Half-precision vectors are
    scored in float32.
    """

    score: scores.Score = scores.scaled_dot
    position: posenc.Position | None = None
    masks: tuple[tuple[Mask, ...], ...] = ()  # all of these, each of them any of its parts
    normalise: normalisation.Normalisation = normalisation.softmax
    scale: float | None = None  # instead of the score's own
    temperature: float = 1.0
    softcap: float | None = None
    top_k: int | None = None
    provenance: str = ""  # what is not the default, in words

    def __post_init__(self) -> None:
        if not 0 < self.temperature < math.inf:
            raise InputError(f"temperature {self.temperature}", hint="give a number above 0")
        if self.softcap is not None and not 0 < self.softcap < math.inf:
            raise InputError(f"softcap {self.softcap}", hint="give a number above 0")
        if self.scale is not None and not math.isfinite(self.scale):
            raise InputError(f"scale {self.scale}", hint="give a finite number")
        if self.top_k is not None and self.top_k < 1:
            raise InputError(f"top-k {self.top_k}", hint="give at least 1")

    @classmethod
    def parse(
        cls,
        *,
        score: ScoreSpec = "scaled_dot",
        position: PositionSpec | None = None,
        mask: Masks = (),
        normalise: str | normalisation.Normalisation = "softmax",
        scale: float | None = None,
        temperature: float = 1.0,
        softcap: float | None = None,
        top_k: int | None = None,
        seed: int = 0,
        read_arrays: ReadArrays = None,
    ) -> Rule:
        """The rule of what is chosen, by specs as on the command line, by functions or by arrays.

        A mask is a spec, several specs joined by `|` (any of them permits), a function of the positions of query
        and key, a matrix (1 = may attend), or a list of such parts; several masks must all permit, None is none.
        For what a score and a position may be see `chosen`. `seed` goes to everything that has a seed and does not
        set it. `read_arrays` opens the files that specs name. Raises InputError for what is not known.

        >>> Rule.parse(mask=["causal", "window:size=2"]).provenance, Rule.parse(mask="causal").provenance
        ('mask causal, mask window:size=2', 'mask causal')
        >>> import numpy as np
        >>> def near(query, key):
        ...     return abs(query - key) < 2
        >>> Rule.parse(mask=[near, np.eye(2)]).provenance
        'mask near, mask given as a matrix'
        """
        rule = cls(
            score_of(score, seed, read_arrays),
            position_of(position, seed, read_arrays),
            masks_of(mask, seed),
            normalisation.NORMALISATIONS.of(normalise, given={"seed": seed}, read_arrays=read_arrays),
            scale,
            temperature,
            softcap,
            top_k,
        )
        return replace(rule, provenance=", ".join(filter(None, rule._words())))

    def _words(self) -> Iterator[str]:
        """What is not the default."""
        if self.score != scores.scaled_dot:
            yield f"score {spelt(self.score)}"
        if self.position is not None:
            yield f"position {spelt(self.position)}"
        yield from (f"mask {'|'.join(map(spelt, parts))}" for parts in self.masks)
        if self.normalise != normalisation.softmax:
            yield f"normalised by {spelt(self.normalise)}"
        if self.scale is not None:
            yield f"scale {self.scale:g}"
        if self.temperature != 1:
            yield f"temperature {self.temperature:g}"
        if self.softcap is not None:
            yield f"softcap {self.softcap:g}"
        if self.top_k is not None:
            yield f"top-k {self.top_k}"

    @property
    def of_heads(self) -> bool:
        """Whether a head's number matters to its weights, so that all heads must be given together.

        >>> Rule.parse(position="alibi").of_heads, Rule.parse(position="rope").of_heads
        (True, False)
        """
        if len(bound(self.normalise).get("sink", ())) > 1:
            return True
        return _is_of_heads(self.position, posenc.POSITIONS) or _is_of_heads(self.score, scores.SCORES)

    def check(self, n_query: int, n_key: int) -> None:
        """Raise InputError when a mask written out as a matrix is not [query, key]."""
        for mask in (mask for parts in self.masks for mask in parts if isinstance(mask, Written)):
            if mask.table.shape != (n_query, n_key):
                raise InputError(
                    f"a mask {list(mask.table.shape)} for {n_query} queries and {n_key} keys",
                    hint="give it a row per query",
                )

    def scores(
        self,
        query: Float[Tensor, "... q d_head"],
        key: Float[Tensor, "... k d_head"],
        query_pos: Int[Tensor, " q"],
        key_pos: Int[Tensor, " k"],
    ) -> Float[Tensor, "... q k"]:
        """What the normalisation sees where nothing is masked.

        >>> x = torch.tensor([[2.0, 0.0]])
        >>> Rule(scale=1.0, temperature=2.0).scores(x, x, torch.arange(1), torch.arange(1))
        tensor([[2.]])
        """
        query, key = _wide(query), _wide(key)
        if self.position is None:
            raw = self._scaled(query, key)
        else:
            raw = self.position(self._scaled, query, key, query_pos, key_pos)
        if self.softcap is not None:  # Gemma 2, arXiv:2408.00118, §2
            raw = self.softcap * torch.tanh(raw / self.softcap)
        return raw if self.temperature == 1 else raw / self.temperature

    def _scaled(self, query: Tensor, key: Tensor) -> Tensor:
        if self.scale is None:
            return self.score(query, key)
        score = scores.dot if self.score == scores.scaled_dot else self.score
        return score(query, key) * self.scale

    def allowed(
        self,
        query: Float[Tensor, "... q d_head"],
        key: Float[Tensor, "... k d_head"],
        query_pos: Int[Tensor, " q"],
        key_pos: Int[Tensor, " k"],
    ) -> Bool[Tensor, "*#heads q k"] | None:
        """Where a query may attend to a key; None where every query may attend to every key.

        >>> x = torch.zeros(2, 1)
        >>> Rule.parse(mask=["causal"]).allowed(x, x, torch.arange(2), torch.arange(2))
        tensor([[ True, False],
                [ True,  True]])
        """
        if not self.masks:
            return None
        query, key = _wide(query), _wide(key)

        def ask(mask: Mask) -> Bool[Tensor, "*#heads #q #k"]:
            return mask(query, key) if masks.is_of_vectors(mask) else mask(query_pos[:, None], key_pos)

        allowed = reduce(and_, (reduce(or_, map(ask, parts)) for parts in self.masks))
        return allowed.expand(*allowed.shape[:-2], len(query_pos), len(key_pos))

    def weights(
        self, raw: Float[Tensor, "... q key"], allowed: Bool[Tensor, "*#heads q key"] | None = None
    ) -> Float[Tensor, "... q key"]:
        """Weights of whole rows: 0 where nothing is permitted, never NaN for it.

        Every key that a row may attend to must be there; others may be left out.

        >>> Rule().weights(torch.zeros(2, 2), torch.tensor([[True, True], [False, False]]))
        tensor([[0.5000, 0.5000],
                [0.0000, 0.0000]])
        """
        if allowed is not None:
            raw = raw.masked_fill(~allowed, -torch.inf)
        if self.top_k is not None and self.top_k < raw.shape[-1]:
            least = raw.topk(self.top_k, dim=-1).values[..., -1:]
            raw = raw.masked_fill(raw < least, -torch.inf)  # ties with the last one stay
        weights = self.normalise(raw)
        if allowed is None:
            return weights
        blind = ~allowed.any(dim=-1, keepdim=True)
        return weights.masked_fill(blind, 0) if blind.any() else weights

    def reach(self, query_lo: int, query_hi: int, n_key: int) -> list[Interval]:
        """The keys that queries at positions query_lo … query_hi − 1 may attend to at all, as disjoint intervals.

        It may hold more keys than the masks permit, never fewer: a mask that cannot tell reaches all.

        >>> Rule.parse(mask=["causal", "window:size=2"]).reach(4, 6, 10)
        [(3, 6)]
        """
        reached = [(0, n_key)]
        for parts in self.masks:
            some = [interval for mask in parts for interval in masks.reach(mask, query_lo, query_hi, n_key)]
            reached = intersection(reached, union(some))
        return reached


def positions(n_query: int, n_key: int, device: torch.device) -> tuple[Int[Tensor, " q"], Int[Tensor, " k"]]:
    """Where queries and keys stand: the last query at the last key.

    >>> positions(2, 3, torch.device("cpu"))
    (tensor([1, 2]), tensor([0, 1, 2]))
    """
    return torch.arange(n_key - n_query, n_key, device=device), torch.arange(n_key, device=device)


def _is_of_heads(part: Callable[..., Any] | None, registry: Registry[Any]) -> bool:
    """Whether a score or position asks for the number of a head; of a user's own function nobody knows."""
    unknown = isinstance(part, Variant) and part.function not in registry.values()
    return bool(getattr(part, "of_heads", unknown))


def _wide(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x
