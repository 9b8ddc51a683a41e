"""A model in the precision and on the device that it is to compute in."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, TypeVar
from weakref import WeakKeyDictionary

import torch
from torch import nn

from ..attention.devices import dtype_of, pick_device

if TYPE_CHECKING:
    from .reading import Reading

M = TypeVar("M", bound=nn.Module)

_COPIES: WeakKeyDictionary[nn.Module, dict[tuple[torch.dtype, torch.device], nn.Module]] = WeakKeyDictionary()


def as_wanted(model: M, reading: Reading) -> M:
    """The model as a reading wants it: itself, or else a copy, which is kept for the next text.

    The copy holds its own numbers and nothing twice. Raises InputError for a dtype or a device that is not
    there.
    """
    first = next(model.parameters())
    device = pick_device(reading.device)
    dtype = first.dtype if reading.dtype is None else dtype_of(reading.dtype, device)
    if (dtype, device) == (first.dtype, first.device):
        return model
    copies = _COPIES.setdefault(model, {})
    if (dtype, device) not in copies:
        copies[dtype, device] = _converted(model, dtype, device)
    return copies[dtype, device]  # type: ignore[return-value]


def _converted(model: M, dtype: torch.dtype, device: torch.device) -> M:
    """A copy whose numbers are converted one tensor after the other; what shares a tensor still does."""
    tensors = [*model.parameters(), *model.buffers()]
    memo = {}
    for tensor in tensors:
        kept = dtype if tensor.is_floating_point() else tensor.dtype
        converted = tensor.detach().to(device, kept)
        memo[id(tensor)] = nn.Parameter(converted, False) if isinstance(tensor, nn.Parameter) else converted
    return copy.deepcopy(model, memo)
