"""Attention that a program writes by hand: products of weights, which come of a softmax, with values."""

from __future__ import annotations

from dataclasses import dataclass
from string import ascii_letters
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from jaxtyping import Float

    from .softmaxes import Softmax, Softmaxes


@dataclass(frozen=True, eq=False)
class Product:
    """Weights and the values that they are multiplied with."""

    weights: Float[Tensor, "*lead query key"]
    value: Float[Tensor, "*lead key d_value"]
    lead: tuple[int, ...]


def of_matmul(softmaxes: Softmaxes, left: Tensor, right: Tensor) -> Product | None:
    """weights @ values, or values @ weights with both turned.

    >>> from .softmaxes import Softmaxes
    >>> softmaxes = Softmaxes()
    >>> weights = softmaxes.through(torch.softmax, (torch.zeros(2, 2), -1), {})
    >>> of_matmul(softmaxes, weights, torch.eye(2)).weights
    tensor([[0.5000, 0.5000],
            [0.5000, 0.5000]])
    """
    for tensor, other, wanted in ((left, right, -1), (right, left, -2)):
        softmax = softmaxes.of(tensor)
        if softmax is None or softmax.key_axis != wanted or min(tensor.ndim, other.ndim) < 2:
            continue
        softmaxes.forget(tensor)
        weights, value = _before(tensor, softmax), other.detach()
        if wanted == -2:
            weights, value = weights.mT, value.mT
        return Product(weights, value, softmax.lead)
    return None


def of_einsum(softmaxes: Softmaxes, equation: str, left: Tensor, right: Tensor) -> Product | None:
    """A sum over the axis of the keys, which the result does not have.

    >>> from .softmaxes import Softmaxes
    >>> softmaxes = Softmaxes()
    >>> weights = softmaxes.through(torch.softmax, (torch.zeros(1, 3, 2, 5), -1), {})
    >>> of_einsum(softmaxes, "b h q k, b k h d -> b q h d", weights, torch.ones(1, 5, 3, 4)).value.shape
    torch.Size([1, 3, 5, 4])
    """
    inputs, _, result = _spelled(equation.replace(" ", ""), (left.ndim, right.ndim)).partition("->")
    names = inputs.split(",")
    orders = (left, right, names[0], names[1]), (right, left, names[1], names[0])
    for tensor, other, mine, theirs in orders:
        softmax = softmaxes.of(tensor)
        if softmax is None or "." in inputs or len(mine) != tensor.ndim:
            continue
        key = mine[softmax.key_axis]
        own = [axis for axis in mine if axis not in theirs]  # the queries, and what the values share
        if key not in theirs or key in result or not own:
            continue
        softmaxes.forget(tensor)
        lead = [axis for axis in mine if axis not in (key, own[-1])]
        shared = [axis for axis in lead if axis in theirs]
        rest = [axis for axis in theirs if axis not in (key, *shared)]
        weights = torch.einsum(f"{mine}->{''.join([*lead, own[-1], key])}", _before(tensor, softmax))
        value = torch.einsum(f"{theirs}->{''.join([*shared, key, *rest])}", other.detach())
        return Product(
            weights, value.flatten(len(shared) + 1) if rest else value[..., None], tuple(weights.shape[:-2])
        )
    return None


def _spelled(equation: str, ndims: tuple[int, int]) -> str:
    """An equation whose three dots are letters.

    >>> _spelled("...qk,...kd->...qd", (4, 3))
    'abqk,bkd->abqd'
    """
    if "..." not in equation:
        return equation
    inputs, arrow, result = equation.partition("->")
    names = inputs.split(",")
    counts = [ndim - len(name.replace("...", "")) for ndim, name in zip(ndims, names, strict=True)]
    letters = "".join([letter for letter in ascii_letters if letter not in equation][: max(counts)])
    spelled = [
        name.replace("...", letters[len(letters) - n :]) for n, name in zip(counts, names, strict=True)
    ]
    return f"{','.join(spelled)}{arrow}{result.replace('...', letters)}"


def over_queries(softmaxes: Softmaxes, left: Any) -> bool:
    """Whether a product sums over the keys of weights that a softmax made over the queries.

    >>> from .softmaxes import Softmaxes
    >>> softmaxes = Softmaxes()
    >>> over_queries(softmaxes, softmaxes.through(torch.softmax, (torch.zeros(2, 2), 0), {}))
    True
    """
    softmax = softmaxes.of(left)
    return softmax is not None and softmax.key_axis == -2 and left.shape[-1] == left.shape[-2]


def _before(tensor: Tensor, softmax: Softmax) -> Tensor:
    return (tensor if softmax.weights is None else softmax.weights).detach()
