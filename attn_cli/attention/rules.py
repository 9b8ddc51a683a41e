"""Everything between query and weights, for any block of rows and keys.

A `Rule` names a score, the positions inside it, masks and a normalisation. Its methods take a block of
queries and keys with the positions where they stand, so that dense attention (one block) and streamed
attention (many) compute the same numbers from the same lines.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import reduce
from operator import and_, or_
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError
from ..variants import masks, normalisation, posenc, scores
from ..variants.intervals import Interval, intersection, union

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jaxtyping import Bool, Float, Int

    from ..variants.masks import Mask
    from ..variants.parameters import Arrays

MaskSpec = str | np.ndarray


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
    scale: float | None = None  # in the place of the score's own
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
        score: str = "scaled_dot",
        position: str | None = None,
        mask: Sequence[MaskSpec | Sequence[MaskSpec]] = (),
        normalise: str = "softmax",
        scale: float | None = None,
        temperature: float = 1.0,
        softcap: float | None = None,
        top_k: int | None = None,
        seed: int = 0,
        read_arrays: Callable[[str], Arrays] | None = None,
    ) -> Rule:
        """The rule that specs describe, as on the command line.

        A mask is a spec, several specs joined by `|` (any of them permits), a matrix (1 = may attend), or
        a list of such parts; several masks must all permit. `seed` goes to every spec that has a seed and
        does not set it. `read_arrays` opens the files that specs name. Raises InputError for what is not
        known.

        >>> Rule.parse(mask=["causal", "window:size=2"]).provenance
        'mask causal, mask window:size=2'
        """
        given = {"seed": seed}
        scored = scores.SCORES.parse(score, given=given, read_arrays=read_arrays)
        placed = posenc.POSITIONS.parse(position, given=given, read_arrays=read_arrays) if position else None
        normalised = normalisation.NORMALISATIONS.parse(normalise, given=given, read_arrays=read_arrays)
        masked = tuple(tuple(_mask(part, seed) for part in _parts(one)) for one in mask)
        words = [
            f"score {_spelt(score, scored)}" if score != "scaled_dot" else "",
            f"position {_spelt(position, placed)}" if position else "",
            *(
                f"mask {'|'.join(map(_spelt, _parts(one), parts))}"
                for one, parts in zip(mask, masked, strict=True)
            ),
            f"normalised by {normalise}" if normalise != "softmax" else "",
            f"scale {scale:g}" if scale is not None else "",
            f"temperature {temperature:g}" if temperature != 1 else "",
            f"softcap {softcap:g}" if softcap is not None else "",
            f"top-k {top_k}" if top_k is not None else "",
        ]
        provenance = ", ".join(filter(None, words))
        return cls(scored, placed, masked, normalised, scale, temperature, softcap, top_k, provenance)

    @property
    def of_heads(self) -> bool:
        """Whether a head's number matters to its weights, so that all heads must be given together.

        >>> Rule.parse(position="alibi").of_heads, Rule.parse(position="rope").of_heads
        (True, False)
        """
        sinks = getattr(self.normalise, "keywords", {}).get("sink", ())
        return len(sinks) > 1 or getattr(self.position, "of_heads", False)

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
        score = scores.dot if self.score is scores.scaled_dot else self.score
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


def _wide(x: Tensor) -> Tensor:
    return x.float() if x.dtype in (torch.float16, torch.bfloat16) else x


def _parts(mask: MaskSpec | Sequence[MaskSpec]) -> Sequence[MaskSpec]:
    if isinstance(mask, str):
        return mask.split("|")
    return [mask] if isinstance(mask, np.ndarray) else mask


def _mask(part: MaskSpec, seed: int) -> Mask:
    if not isinstance(part, str):
        return Written(torch.tensor(masks.from_matrix(part)))
    mask = masks.MASKS.parse(part, given={"seed": seed})
    if not masks.is_of_vectors(mask):
        mask(
            torch.zeros(1, dtype=torch.long), torch.zeros(1, dtype=torch.long)
        )  # refuses options out of range
    return mask


@dataclass(frozen=True, eq=False)
class Written:
    """A mask written out as a matrix, asked like any other by positions."""

    table: Bool[Tensor, "query key"]

    def __call__(self, query: Int[Tensor, "q 1"], key: Int[Tensor, "1 k"]) -> Bool[Tensor, "q k"]:
        n_query, n_key = self.table.shape
        return self.table.to(key.device)[query - (n_key - n_query), key]


@dataclass(frozen=True, eq=False)
class Added:
    """Numbers that are added to the scores, written out, as T5 does by distance: asked like any other position."""

    of_heads: ClassVar = True
    table: Float[Tensor, "#head query key"]

    def __call__(
        self,
        score: scores.Score,
        query: Float[Tensor, "... q d_head"],
        key: Float[Tensor, "... k d_head"],
        query_pos: Int[Tensor, " q"],
        key_pos: Int[Tensor, " k"],
    ) -> Float[Tensor, "... q k"]:
        return score(query, key) + self.at(query_pos, key_pos)

    def at(self, query_pos: Int[Tensor, " q"], key_pos: Int[Tensor, " k"]) -> Float[Tensor, "#head q k"]:
        """What is added for these queries and keys."""
        n_query, n_key = self.table.shape[-2:]
        return self.table[:, (query_pos - (n_key - n_query))[:, None], key_pos]


def _spelt(spec: MaskSpec, function: Callable[..., Any] | None) -> str:
    """A spec for the provenance, with the seed if it is random, and whether it stands for something learned."""
    if not isinstance(spec, str):
        return "from a file"
    options = getattr(function, "keywords", {})
    untrained = "untrained, " if options.get("file", "") is None else ""
    if "seed" not in options or (options.get("file") is not None):
        return spec
    return f"{spec} ({untrained}seed {options['seed']})"
