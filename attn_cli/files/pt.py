"""`.pt`: tensors as `torch.save` writes them, alone or in dictionaries, lists and tuples. Nothing in it is run.

torch's own loader reads them with `weights_only`, which builds tensors and containers and refuses whatever
else a pickle may hold, and maps the numbers into memory without reading them.
https://pytorch.org/docs/stable/generated/torch.load.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from ..errors import InputError
from ..records.axes import as_array
from . import archive
from .contents import pickled
from .memory import allow, allow_array
from .source import size, suffix

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from torch import Tensor


_SUFFIXES = (".pt", ".pth", ".bin", ".ckpt")


def load(file: BinaryIO) -> dict[str, np.ndarray]:
    """The tensors by name: `attentions.0` is the first of a tuple called attentions, `0` that of a bare tuple.

    Lists of texts are arrays of them; plain numbers and texts among the tensors are left out. A tensor that
    stands alone is called `tensor`. Raises InputError for whatever else is in the file.
    """
    _check(file)
    file.seek(0)
    found = dict(_named(_loaded(file)))
    if not found:
        raise InputError("holds no tensors", hint="save tensors, or a dict, list or tuple of them")
    return found


def _check(file: BinaryIO) -> None:
    """Members lie in the archive as they are, so that no more is ever mapped than the file is long."""
    n_bytes = size(file)
    with archive.opened(file, wanted=()) as inside:
        members = inside.infolist()
    if any(info.compress_type for info in members) or sum(info.file_size for info in members) > n_bytes:
        raise InputError("is compressed, unlike what torch.save writes", hint="write it with torch.save")


def _loaded(file: BinaryIO) -> Any:
    import pickle
    import warnings

    import torch

    path: Any = getattr(file, "name", None)
    mapped = (
        isinstance(path, str) and suffix(path) in _SUFFIXES
    )  # by another name torch takes it for another kind
    if not mapped:
        allow(size(file))
    try:
        with warnings.catch_warnings(action="ignore"):
            return torch.load(path if mapped else file, map_location="cpu", weights_only=True, mmap=mapped)
    except pickle.UnpicklingError:
        raise pickled() from None
    except MemoryError:
        raise
    except Exception:  # a pickle can be wrong in as many ways as a program
        raise InputError("its torch archive is damaged", hint="write it again with torch.save") from None


def _named(held: Any) -> Iterator[tuple[str, np.ndarray]]:
    """Every tensor in containers within containers, and what it is called; a container is entered once."""
    import torch

    waiting, entered = [("", held)], set()
    while waiting:
        name, held = waiting.pop()
        parts: list[tuple[object, Any]] = []
        if isinstance(held, torch.Tensor):
            yield name or "tensor", _array(name or "tensor", held)
        elif isinstance(held, list | tuple) and held and all(isinstance(part, str) for part in held):
            yield name or "tokens", _texts(held)
        elif isinstance(held, dict):
            parts = list(held.items())
        elif isinstance(held, list | tuple):
            parts = list(enumerate(held))
        if parts and id(held) not in entered:
            entered.add(id(held))
            waiting += [(f"{name}.{key}".removeprefix("."), part) for key, part in reversed(parts)]


def _array(name: str, tensor: Tensor) -> np.ndarray:
    import torch

    plain = tensor.layout == torch.strided and tensor.device.type == "cpu" and not tensor.is_quantized
    if not plain or tensor.is_complex():
        what = f"{name} is {str(tensor.layout).removeprefix('torch.')} {tensor.dtype} on {tensor.device}"
        raise InputError(f"{what}, expected plain numbers", hint="save it with .dense().float().cpu()")
    known = {torch.float64, torch.float32, torch.float16, torch.bool}
    as_it_is = tensor.dtype in known or not tensor.is_floating_point()
    n_bytes = tensor.numel() * tensor.element_size()
    held = as_it_is and n_bytes <= tensor.untyped_storage().nbytes()  # in the file, where it takes no memory
    allow_array(
        [1] * tensor.ndim if held else tensor.shape, 4 if not as_it_is else tensor.element_size(), whose=name
    )
    return as_array(tensor if as_it_is else tensor.float())


def _texts(texts: Sequence[str]) -> np.ndarray:
    allow(4 * len(texts) * max(map(len, texts)))
    return np.array(texts, dtype=np.str_)
