"""Where the axis of the keys is in what torch's functions make of a softmax result, by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SOFTMAX = frozenset({"softmax", "_safe_softmax"})
DROPOUT = frozenset(
    {"dropout", "dropout_", "dropout1d", "dropout2d", "dropout3d", "alpha_dropout", "feature_dropout"}
)
# What leaves every axis where it is.
KEEPING = frozenset(
    {"to", "type", "type_as", "float", "half", "bfloat16", "double", "contiguous", "clone", "masked_fill",
     "masked_fill_", "nan_to_num", "mul", "mul_", "__rmul__", "div", "div_", "true_divide", "expand", "expand_as",
     "add", "add_", "__radd__", "sub", "sub_", "where", "tril", "tril_", "triu", "triu_", "clamp", "clamp_"}
)  # fmt: skip
# What takes parts of it: of a loop over heads, or over a batch.
CUTTING = frozenset({"__getitem__", "narrow", "select", "unbind", "chunk", "split", "tensor_split"})
RESHAPING = frozenset({"view", "reshape", "flatten", "unflatten", "_unsafe_view"})
TURNING = frozenset({"transpose", "swapaxes", "swapdims", "permute", "t", "unsqueeze", "squeeze"})
PROPERTIES = frozenset({"T", "mT", "H", "mH"})
FOLLOWED = SOFTMAX | DROPOUT | KEEPING | CUTTING | RESHAPING | TURNING | {"__get__"}


def axis_after(
    name: str, axis: int, was: torch.Size, made: Tensor, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> int | None:
    """Where the axis of the keys is after one of torch's functions; None where it cannot be told.

    >>> axis_after("transpose", -1, torch.Size([2, 3, 4]), torch.empty(2, 4, 3), (None, 1, 2), {})
    -2
    """
    if name in KEEPING or name in DROPOUT:
        return axis if made.ndim == len(was) else None
    if name in RESHAPING:
        return axis if axis >= -2 and made.shape[-2:] == was[-2:] else None
    if name not in TURNING and name not in PROPERTIES:
        return None
    if name == "squeeze":
        return axis if made.shape == was else _turned(name, axis, len(was), args[1:] or (None,), kwargs)
    return _turned(name, axis, len(was), args[1:], kwargs)


def axes_of_parts(
    axis: int, was: torch.Size, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> list[int | None]:
    """Where the axis of the keys is in what a function takes of a tensor: the only one along which it would step.

    >>> axes_of_parts(-1, torch.Size([2, 3, 4]), torch.Tensor.__getitem__, (None, (slice(None), 1)), {})
    [-1]
    >>> axes_of_parts(-1, torch.Size([2, 4, 4]), torch.unbind, (None, 0), {})
    [-1, -1]
    """
    indices = args[1] if isinstance(args[1:2], tuple) and len(args) > 1 else ()
    if func.__name__ == "__getitem__" and not all(
        part is None or part is ... or isinstance(part, int | slice)
        for part in (indices if isinstance(indices, tuple) else (indices,))
    ):
        kept = torch.empty(was, device="meta")[indices].ndim == len(was)  # by a tensor, which makes a copy
        return [axis if kept else None]
    steps = [int(i == len(was) + axis) for i in range(len(was))]
    marked = torch.empty(was[axis], device="meta").as_strided(was, steps)
    parts = func(marked, *args[1:], **{name: value for name, value in kwargs.items() if name != "input"})
    parts = (parts,) if isinstance(parts, Tensor) else parts
    return [next((i - part.ndim for i, step in enumerate(part.stride()) if step), None) for part in parts]


def _turned(name: str, axis: int, ndim: int, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> int | None:
    """The same for what moves axes: the function is asked where it puts an axis of length 2 among ones."""
    marked = torch.ones([2 if i == ndim + axis else 1 for i in range(ndim)])
    turned = getattr(marked, name)
    turned = (
        turned(*args, **{k: v for k, v in kwargs.items() if k != "input"}) if callable(turned) else turned
    )
    return turned.shape.index(2) - turned.ndim if 2 in turned.shape else None
