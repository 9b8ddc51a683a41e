"""Where and in which precision is computed."""

from __future__ import annotations

import numpy as np
import torch

from ..errors import InputError

DTYPES = {
    "float64": torch.float64,
    "float32": torch.float32,
    "bfloat16": torch.bfloat16,
    "float16": torch.float16,
}


def keep_freed_memory() -> None:
    """Let the next large tensor have the memory of the last one.

    The C library of Linux returns what is freed to the system, and every page of it comes back zeroed, which
    takes as long as the work on it; unless a piece as large as the largest that it would keep was freed once.
    """
    torch.empty(2**25 - 2**12, dtype=torch.uint8)


def pick_device(name: str) -> torch.device:
    """The device of a name; `auto` is the first of cuda, mps and cpu that is here.

    Raises InputError for a device that this machine, or this build of torch, has not.

    >>> pick_device("cpu")
    device(type='cpu')
    """
    here = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    present = [device for device, found in here.items() if found]
    if name == "auto":
        return torch.device(present[0])
    if name not in present:
        raise InputError(f"device {name!r} is not available", hint=f"give auto or {' or '.join(present)}")
    return torch.device(name)


def pick_dtype(name: str | None, vectors: np.ndarray, device: torch.device) -> torch.dtype:
    """The dtype of that name; without one the vectors' own, or what the device has."""
    if name is None:
        return torch.float64 if vectors.dtype == np.float64 and device.type != "mps" else torch.float32
    return dtype_of(name, device)


def dtype_of(name: str, device: torch.device) -> torch.dtype:
    """The dtype of a name.

    Raises InputError for one that is not known, or that the device has not.

    >>> dtype_of("float64", torch.device("cpu"))
    torch.float64
    """
    if name not in DTYPES:
        raise InputError(f"dtype {name!r}", hint=f"give {' or '.join(DTYPES)}")
    if name == "float64" and device.type == "mps":
        raise InputError("an mps device has no float64", hint="give --dtype float32 or --device cpu")
    return DTYPES[name]
