"""From the weights of every head to one vector again: weights · value, side by side, through W_o."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class Output:
    """How the outputs of all heads become one vector: side by side, and through W_o where there is one."""

    W_o: Float[Tensor, "heads_d_value d_model"] | None = None
    b_o: Float[Tensor, " d_model"] | None = None

    def __call__(self, heads: Float[Tensor, "head query d_value"]) -> Float[Tensor, "query d_model"]:
        """concat(heads) · W_o + b_o. Vaswani et al. 2017, arXiv:1706.03762, § 3.2.2.

        >>> Output(W_o=torch.tensor([[1.0], [10.0]]))(torch.tensor([[[2.0]], [[3.0]]]))
        tensor([[32.]])
        """
        merged = merge_heads(heads)
        if self.W_o is not None:
            merged = merged @ self.W_o
        return merged if self.b_o is None else merged + self.b_o

    def lengths(self, value: Float[Tensor, "head key d_value"]) -> Float[Tensor, "head key"]:
        """‖value · W_o‖ of each head: how much each key contributes where it is looked at with a weight of 1."""
        if self.W_o is None:
            return value.norm(dim=-1)
        return value_lengths(value, self.W_o.reshape(len(value), -1, self.W_o.shape[1]))

    def of(self, heads: Sequence[int], n_heads: int) -> Output:
        """The same for some of the heads alone: their rows of W_o. The bias belongs to no head, and is left out.

        >>> Output(W_o=torch.eye(4)).of([1], 2)(torch.tensor([[[2.0, 3.0]]]))
        tensor([[0., 0., 2., 3.]])
        """
        if self.W_o is None:
            return Output()
        return Output(self.W_o.reshape(n_heads, -1, self.W_o.shape[1])[list(heads)].flatten(0, 1))


def split_heads(x: Float[Tensor, "... seq d_model"], n_heads: int) -> Float[Tensor, "... head seq d_head"]:
    """Cut each vector into `n_heads` pieces, one for each head.

    >>> split_heads(torch.arange(8.0).reshape(2, 4), 2)[1]
    tensor([[2., 3.],
            [6., 7.]])
    """
    return x.reshape(*x.shape[:-1], n_heads, -1).transpose(-2, -3)


def merge_heads(x: Float[Tensor, "... head seq d_head"]) -> Float[Tensor, "... seq d_model"]:
    """Put the pieces of all heads side by side again.

    >>> x = torch.arange(8.0).reshape(2, 4)
    >>> bool((merge_heads(split_heads(x, 2)) == x).all())
    True
    """
    return x.transpose(-2, -3).flatten(-2)


def weigh(
    weights: Float[Tensor, "... query key"], value: Float[Tensor, "... key d_value"]
) -> Float[Tensor, "... query d_value"]:
    """weights · value, where a value of weight 0 counts for nothing, be it NaN.

    >>> weigh(torch.tensor([[1.0, 0.0]]), torch.tensor([[2.0], [torch.nan]]))
    tensor([[2.]])
    """
    finite = value.isfinite()
    if finite.all():
        return (weights @ value.to(weights.dtype)).to(value.dtype)
    output = weights @ value.masked_fill(~finite, 0).to(weights.dtype)
    touched = (weights != 0).to(weights.dtype) @ (~finite).to(weights.dtype)
    return output.masked_fill(touched > 0, torch.nan).to(value.dtype)


def value_lengths(
    value: Float[Tensor, "... head key d_value"], W_o: Float[Tensor, "head d_value d_model"]
) -> Float[Tensor, "... head key"]:
    """‖value · W_o‖: how much each key contributes where a head looks at it with a weight of 1.

    A head may look hard at a key whose value is nearly zero: weight · this is norm-weighted attention.
    Kobayashi et al. 2020, arXiv:2004.10102, eq. 8.

    >>> value_lengths(torch.tensor([[[3.0, 4.0], [0.0, 0.0]]]), torch.eye(2)[None])
    tensor([[5., 0.]])
    """
    pairs = zip(value.unbind(dim=-3), W_o, strict=True)  # a head at a time: [key, d_model] is wide
    return torch.stack([(one @ matrix).norm(dim=-1) for one, matrix in pairs], dim=-2)
