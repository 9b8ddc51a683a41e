"""The weights of a Hugging Face directory: found, checked by their headers, mapped into memory.

Numbers are read from disk when the computation comes to them, layer by layer.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch
from safetensors import SafetensorError, safe_open
from torch.overrides import TorchFunctionMode

from ...errors import InputError
from ...text.escaping import escape
from ...transformer.model import Config, Transformer
from .. import inside

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
_PICKLES = (".bin", ".pt", ".pth", ".ckpt", ".pkl")
_FLOATS = ("F64", "F32", "F16", "BF16")
_AGAIN = "download or save it again"

# Our parts by the names that a family gives them, * for the number of a layer; where a tensor is not simply
# ours, also what is to be taken of it. An entry that ends in .weight or the like is one tensor, any other
# stands for all tensors of the part.
Names = Mapping[str, "str | tuple[str, Callable[[Tensor], Tensor]]"]


class Checkpoint:
    """The tensors of a directory by name: their shapes are known, their numbers are still on the disk."""

    def __init__(self, directory: Path) -> None:
        self.files: dict[str, Any] = {}  # of each tensor
        self.slices: dict[str, Any] = {}
        for path in _files(directory):
            try:
                file: Any = safe_open(path, framework="pt")
                for name in list(file.keys()):
                    self.files[name], self.slices[name] = file, file.get_slice(name)
            except (SafetensorError, OSError) as problem:
                raise InputError(f"not whole ({problem})", hint=_AGAIN, where=str(path)) from None

    def called(self, name: str, prefix: str) -> str:
        """The name under which a tensor is saved: perhaps behind a prefix, perhaps with an old ending."""
        old = name.replace("LayerNorm.weight", "LayerNorm.gamma").replace("LayerNorm.bias", "LayerNorm.beta")
        for spelt in (prefix + name, name, prefix + old, old):
            if spelt in self.slices:
                return spelt
        raise InputError(f"no tensor '{escape(name)}'", hint=_AGAIN)

    def shape(self, name: str) -> list[int]:
        """The shape of a tensor of floating-point numbers."""
        if (dtype := self.slices[name].get_dtype()) not in _FLOATS:
            raise InputError(f"{escape(name)} is of {dtype}, only {', '.join(_FLOATS)} are read")
        shape: list[int] = self.slices[name].get_shape()
        return shape

    def tensor(self, name: str) -> Tensor:
        """A tensor, mapped into memory; half precision is converted to float32, the compute dtype."""
        tensor: Tensor = self.files[name].get_tensor(name)
        return tensor if tensor.dtype == torch.float64 else tensor.float()


def fill(config: Config, names: Names, prefix: str, checkpoint: Checkpoint) -> Transformer:
    """The model of these sizes with the weights of a checkpoint.

    Raises InputError when a tensor is missing or has another shape, before any is read.
    """
    model = empty(config, n_tensors=len(checkpoint.slices))
    sources = _sources(model, names, prefix, checkpoint)
    tensors = {ours: take(checkpoint.tensor(name)) for ours, (name, take) in sources.items()}
    model.load_state_dict(tensors, assign=True)
    return model.requires_grad_(False)


def check(config: Config, names: Names, prefix: str, checkpoint: Checkpoint) -> None:
    """Raise InputError when a checkpoint lacks a tensor of the model of these sizes, or has it in another shape."""
    _sources(empty(config, n_tensors=len(checkpoint.slices)), names, prefix, checkpoint)


def _sources(
    model: Transformer, names: Names, prefix: str, checkpoint: Checkpoint
) -> dict[str, tuple[str, Callable[[Tensor], Tensor]]]:
    """Of each tensor of ours the name under which it is saved, and what is to be taken of that."""
    expected = model.state_dict().items()
    return {ours: _source(ours, tensor, names, prefix, checkpoint) for ours, tensor in expected}


def one(ours: str, config: Config, names: Names, prefix: str, checkpoint: Checkpoint) -> Tensor:
    """A single tensor of that model: no other is read."""
    expected = empty(config, n_tensors=len(checkpoint.slices)).state_dict()[ours]
    name, take = _source(ours, expected, names, prefix, checkpoint)
    return take(checkpoint.tensor(name))


def _source(
    ours: str, expected: Tensor, names: Names, prefix: str, checkpoint: Checkpoint
) -> tuple[str, Callable[[Tensor], Tensor]]:
    """The name under which one of our tensors is saved, and what is to be taken of that."""
    theirs, take = _theirs(ours, names)
    name = checkpoint.called(theirs, prefix)
    _check(name, checkpoint.shape(name), take, expected)
    return name, take


def empty(config: Config, n_tensors: int) -> Transformer:
    """A model of names and shapes alone, which takes no memory however large its sizes.

    Raises InputError when so few tensors cannot be all of its layers.
    """
    if config.n_layers > n_tensors:
        raise InputError(f"{n_tensors} tensors for {config.n_layers} layers", hint=_AGAIN)
    with torch.device("meta"), _Uninitialised():
        return Transformer(config)


class _Uninitialised(TorchFunctionMode):
    """Leaves out initial values: drawing them without memory loads torch's compiler, which takes seconds."""

    def __torch_function__(
        self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if getattr(function, "__module__", "") == "torch.nn.init":
            return None
        return function(*args, **(kwargs or {}))


def _theirs(ours: str, names: Names) -> tuple[str, Callable[[Tensor], Tensor]]:
    """`encoder.layers.3.attention.query.weight` → `encoder.layer.3.attention.self.query.weight`."""
    number = re.search(r"\.(\d+)\.", ours)
    general = re.sub(r"\.\d+\.", ".*.", ours)
    part, _, kind = general.rpartition(".")
    entry, ending = (names[general], "") if general in names else (names[part], f".{kind}")
    name, take = (entry, _whole) if isinstance(entry, str) else entry
    return name.replace("*", number[1] if number else "*") + ending, take


def _whole(tensor: Tensor) -> Tensor:
    return tensor


def _check(name: str, shape: list[int], take: Callable[[Tensor], Tensor], expected: Tensor) -> None:
    """What is taken of a tensor of this shape must have the shape that the model expects."""
    try:
        taken = list(take(torch.empty(shape, device="meta")).shape)
    except (RuntimeError, IndexError, ValueError):
        taken = shape
    if taken != list(expected.shape):
        raise InputError(
            f"{escape(name)} {shape} gives {taken}, by config.json it should be {list(expected.shape)}",
            hint=_AGAIN,
        )


def _files(directory: Path) -> list[Path]:
    """The one file of weights, or those that an index lists."""
    if (single := inside.find(directory, WEIGHTS)) is not None:
        return [single]
    if (index := inside.find(directory, INDEX)) is None:
        raise _no_weights(directory)
    listed = inside.read_object(index, 64 * inside.MIB).get("weight_map")
    if not isinstance(listed, dict) or not all(isinstance(name, str) for name in listed.values()):
        raise InputError("no weight_map from tensors to files", hint=_AGAIN, where=str(index))
    return [_shard(directory, name, index) for name in sorted(set(listed.values()))]


def _shard(directory: Path, name: str, index: Path) -> Path:
    try:
        path = inside.find(directory, name)
    except InputError as problem:
        raise problem.at(str(index)) from None
    if path is None or (path.suffix != ".safetensors" and not path.is_symlink()):
        raise InputError(f"no file {escape(name)!r}, which the index lists", hint=_AGAIN, where=str(index))
    return path


def _no_weights(directory: Path) -> InputError:
    pickles = sorted(path.name for path in directory.iterdir() if path.suffix in _PICKLES)
    if pickles:
        return InputError(
            f"its only weights are a pickle, {pickles[0]}, which could run code when loaded",
            hint="convert it: AutoModel.from_pretrained(DIR).save_pretrained(NEW) with transformers",
            where=str(directory),
        )
    return InputError(f"no {WEIGHTS} in it", hint=_AGAIN, where=str(directory))
