"""What one call of attention was given, of one example: the vectors of its heads, or the weights themselves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ..rules import Rule, positions
from .masks import mask_name, only_heads, until

if TYPE_CHECKING:
    from collections.abc import Callable

    from jaxtyping import Bool, Float
    from torch import Tensor

    from .softmaxes import Softmaxes


@dataclass(frozen=True, eq=False)
class Given:
    """One attention: query and key with what lies between them and the weights, or weights made by hand.

    >>> x = torch.tensor([[[0.0, 1.0], [1.0, 0.0]]])
    >>> Given(query=x, key=x, rule=Rule(scale=0.0)).dense()
    tensor([[[0.5000, 0.5000],
             [0.5000, 0.5000]]])
    """

    query: Float[Tensor, "head query d_head"] | None = None
    key: Float[Tensor, "head key d_head"] | None = None
    rule: Rule = field(default_factory=Rule)
    weights: Float[Tensor, "head query key"] | None = None  # before dropout
    value: Float[Tensor, "kv_head key d_value"] | None = None  # None where it is not at hand
    late_value: Callable[[], Tensor | None] | None = None  # makes it where that takes a computation
    kv_heads: int = 0  # 0: as many as heads
    n_batch: int = 1
    masked: str = ""  # in words; "" where only the weights can tell
    dropout: float = 0.0
    crosses: bool | None = None  # None where the call does not tell

    @property
    def shape(self) -> tuple[int, int, int]:
        """How many heads, queries and keys."""
        if self.weights is not None:
            n_heads, n_query, n_key = self.weights.shape
        else:
            assert self.query is not None
            assert self.key is not None
            n_heads, n_query, n_key = *self.query.shape[:2], self.key.shape[1]
        return n_heads, n_query, n_key

    @property
    def mask_words(self) -> str:
        """How it masks, in words."""
        if self.masked:
            return self.masked
        return "no mask" if self.allowed is None else mask_name(self.allowed)

    @property
    def tensor(self) -> Tensor:
        """One that tells device and dtype."""
        tensor = self.query if self.weights is None else self.weights
        assert tensor is not None
        return tensor

    @cached_property
    def allowed(self) -> Bool[Tensor, "#head query key"] | None:
        """Where a query may attend to a key; None where everywhere, or where weights do not tell.

        Weights of zero tell it where they are those of a causal mask, or of padding.
        """
        _, n_query, n_key = self.shape
        if self.weights is not None:
            seen = (self.weights != 0).any(dim=0, keepdim=True)
            return seen if mask_name(seen) in ("causal", "causal + mask", "padding") else None
        assert self.query is not None
        assert self.key is not None
        allowed = self.rule.allowed(self.query, self.key, *positions(n_query, n_key, self.key.device))
        return None if allowed is None else allowed.reshape(-1, n_query, n_key)

    def dense(self) -> Float[Tensor, "head query key"]:
        """All weights, in float32 or better."""
        if self.weights is not None:
            return self.weights if self.weights.dtype == torch.float64 else self.weights.float()
        assert self.query is not None
        assert self.key is not None
        scores = self.scores()
        assert scores is not None
        return self.rule.weights(scores, self.allowed)

    @property
    def values(self) -> Float[Tensor, "head key d_value"] | None:
        """A value for each head, None where none is at hand; heads that share one each have it."""
        value = self.late_value() if self.value is None and self.late_value is not None else self.value
        if value is None or self.shape[0] % len(value) or value.shape[1] != self.shape[2]:
            return None
        return value.repeat_interleave(self.shape[0] // len(value), dim=0)

    def scores(self) -> Float[Tensor, "head query key"] | None:
        """What the softmax is made of, before the mask; None where the weights were made by hand."""
        if self.query is None or self.key is None:
            return None
        return self.rule.scores(self.query, self.key, *positions(*self.shape[1:], self.key.device))

    def only(self, heads: list[int]) -> Given:
        """The same for some of the heads."""

        def of_heads() -> Tensor | None:
            return None if (values := self.values) is None else values[heads]

        mine: dict[str, Any] = {"value": None, "late_value": of_heads}
        if self.weights is not None:
            return replace(self, weights=self.weights[heads], **mine)
        assert self.query is not None
        assert self.key is not None
        rule = only_heads(self.rule, heads)
        return replace(self, query=self.query[heads], key=self.key[heads], rule=rule, **mine)

    def until(self, n_key: int) -> Given:
        """The same without the keys after the first n_key, which no query may attend to."""
        cut = {name: x[:, :n_key] for name in ("key", "value") if (x := getattr(self, name)) is not None}
        if self.weights is not None:
            cut["weights"] = self.weights[:, :, :n_key]
        shorter = replace(self, rule=until(self.rule, n_key), **cut)
        return replace(shorter, masked="" if self.weights is not None else mask_name(shorter.allowed))

    def without_room(self) -> Given:
        """The same without the keys at the end that are not there yet: a cache of fixed size has zeros there."""
        _, n_query, n_key = self.shape
        if self.value is None or n_query >= n_key:
            return self
        seen = self.allowed if self.weights is None else self.weights != 0
        if seen is None or seen[:, :, -1].any():
            return self
        n_seen = int(seen.any(dim=0).any(dim=0).nonzero().max()) + 1 if seen.any() else n_key
        return self if self.value[:, n_seen:].any() else self.until(n_seen)


@dataclass(eq=False)
class Here:
    """Where a call happens: what a way of computing attention may need to know beside its arguments."""

    softmaxes: Softmaxes
    module: nn.Module | None = None  # the innermost that runs
    inputs: tuple[Any, ...] = ()  # what this was called with, by position
    n_batch: int | None = None  # where batch and heads are one axis: what the inputs tell; 0 if they do not
    example: int = 0  # of a batch, the one that is recorded
    learns: bool = False  # whether gradients are wanted
    remarks: dict[str, None] = field(default_factory=dict)  # what has to be said in the end, once

    @property
    def n_heads(self) -> int | None:
        """The number of heads that the module says it has."""
        for name in _HEADS:
            if isinstance(number := getattr(self.module, name, None), int) and number > 0:
                return number
        return None

    def packed(self, n_heads: int, n_query: int) -> int:
        """How many heads that share a key are given as queries of one head, as `transformers` does it for one token.

        >>> from types import SimpleNamespace
        >>> from .softmaxes import Softmaxes
        >>> llama = SimpleNamespace(num_key_value_groups=4, config=SimpleNamespace(num_attention_heads=8))
        >>> Here(Softmaxes(), llama).packed(2, 4), Here(Softmaxes(), llama).packed(8, 4)
        (4, 1)
        """
        group = getattr(self.module, "num_key_value_groups", 1)
        all_heads = getattr(getattr(self.module, "config", None), "num_attention_heads", None)
        return group if n_query == group and n_heads * group == all_heads else 1

    def of_example(self, x: Float[Tensor, "*batch_head seq d"]) -> Float[Tensor, "head seq d"]:
        """The heads of the example that is recorded, or of the last where there are fewer."""
        x = self.in_heads(x)
        return x[min(self.example, len(x) - 1)]

    def in_heads(
        self, x: Float[Tensor, "*batch_head seq d"], width: int | None = None
    ) -> Float[Tensor, "batch head seq d"]:
        """Any number of axes in front as two.

        A single one holds batch and heads: the inputs of the module tell how large its batch is, else the module
        how many heads it has, else each has one. `width` is that of a value where x are weights.

        >>> from .softmaxes import Softmaxes
        >>> here = Here(Softmaxes(), module=nn.MultiheadAttention(8, num_heads=4))
        >>> here.in_heads(torch.zeros(12, 5, 2)).shape, here.in_heads(torch.zeros(3, 5, 2)).shape
        (torch.Size([3, 4, 5, 2]), torch.Size([3, 1, 5, 2]))
        """
        if x.ndim == 2:
            return x[None, None]
        if x.ndim == 3:
            n_heads = self.n_heads or 1
            if self.n_batch is None:
                self.n_batch = self._batch(len(x), x.shape[1], width or x.shape[-1])
            if self.n_batch and len(x) % self.n_batch == 0:
                return x.reshape(self.n_batch, -1, *x.shape[1:])
            return x.reshape(-1, n_heads, *x.shape[1:]) if len(x) % n_heads == 0 else x[:, None]
        return x.flatten(1, -3)

    def _batch(self, n: int, seq: int, width: int) -> int:
        """How many examples there are in n heads of examples, by what the module was called with; 0 if unknown.

        >>> from .softmaxes import Softmaxes
        >>> Here(Softmaxes(), inputs=(torch.zeros(2, 5, 8),))._batch(8, 5, 2)
        2
        """
        for x in self.inputs:
            if not isinstance(x, torch.Tensor) or x.ndim != 3 or x.shape[-1] <= width:
                continue
            for size, length in (x.shape[:2], x.shape[:2][::-1]):
                if length == seq and n % size == 0:
                    return int(size)
        return 0


_HEADS = (
    "num_heads",
    "n_heads",
    "n_head",
    "num_attention_heads",
    "nhead",
    "heads",
    "h",
    "nh",
    "num_head",
    "nheads",
)
