"""LoRA adapters: a base model with the small matrices of an adapter added to its own.

W' = W + (alpha / r) · B · A. Hu et al. 2021, arXiv:2106.09685. A directory of `peft` holds `adapter_config.json` and
`adapter_model.safetensors`; its base lies in the same directory, beside it, or in the Hugging Face cache.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

from safetensors import SafetensorError, safe_open

from ...errors import InputError
from ...text.escaping import escape
from .. import cache, inside
from .given import Given, short
from .weights import Checkpoint

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
_NAME = re.compile(r"base_model\.model\.(?P<part>.+)\.lora_(?P<which>[AB])\.weight")
_AGAIN = "download or save it again"


def config_of(directory: Path) -> dict[str, Any] | None:
    """What an adapter says about itself; None where a directory is none."""
    path = inside.find(directory, CONFIG) if directory.is_dir() else None
    return None if path is None else inside.read_object(path, inside.MIB)


def base_of(directory: Path, config: Mapping[str, Any]) -> Path:
    """The directory of an adapter's base: itself, one beside it, or that of the name in the Hugging Face cache.

    Raises InputError where it is none of these.
    """
    name = config.get("base_model_name_or_path")
    if (directory / "config.json").is_file():
        return directory
    if not isinstance(name, str) or not name:
        raise InputError("no base_model_name_or_path", hint=_AGAIN, where=str(directory / CONFIG))
    beside = directory.resolve().parent / re.split(r"[/\\]", name.rstrip("/\\"))[-1]
    if (beside / "config.json").is_file():
        return beside
    if (cached := cache.find(name)) is not None:
        return cached
    raise InputError(
        f"the adapter's base model {escape(name[:80])} is neither beside it nor in the Hugging Face cache",
        hint=f"put its directory beside it, as {escape(beside.name[:80])}",
        where=str(directory),
    )


class Adapted(Checkpoint):
    """The tensors of a base model, those that an adapter changes with its own added."""

    def __init__(self, base: Path, adapter: Path, prefix: str) -> None:
        super().__init__(base)
        _check(config := config_of(adapter) or {})
        self.config, self.prefix = Given(config), prefix
        self.added = _pairs(adapter)
        for part, pair in self.added.items():
            self._check_fit(part, pair)

    def tensor(self, name: str) -> Tensor:
        """A tensor of the base, with what the adapter adds to it."""
        tensor = super().tensor(name)
        part = next((part for part in self.added if self._weight(part) == name), None)
        if part is None:
            return tensor
        A, B = (x.to(tensor.dtype) for x in self.added[part])
        added = self._scale(part, len(A)) * (B @ A)
        return tensor + (added.mT if self.config.entries.get("fan_in_fan_out") else added)

    def _weight(self, part: str) -> str:
        """The name of the weight that belongs to a part, with or without the prefix of the model's head."""
        whole = f"{part}.weight"
        bare = whole.partition(".")[2]
        for name in (whole, bare, self.prefix + whole):
            if name in self.slices:
                return name
        raise InputError(f"the adapter changes '{escape(part)}', which its base has not", hint=_AGAIN)

    def _check_fit(self, part: str, pair: tuple[Tensor, Tensor]) -> None:
        A, B = pair
        shape = [B.shape[0], A.shape[1]]
        expected = self.shape(self._weight(part))
        if A.shape[0] != B.shape[1] or expected != (
            shape[::-1] if self.config.entries.get("fan_in_fan_out") else shape
        ):
            raise InputError(
                f"the adapter's {list(A.shape)} and {list(B.shape)} do not fit {escape(part)} {expected}",
                hint="use files that were saved together",
            )

    def _scale(self, part: str, rank: int) -> float:
        """alpha / r, or of rank-stabilised LoRA alpha / √r (Kalajdzievski 2023, arXiv:2312.03732)."""
        patterns = self.config.inner("alpha_pattern").entries
        alpha = next(
            (float(x) for key, x in patterns.items() if part == key or part.endswith(f".{key}")),
            self.config.number("lora_alpha", 8.0),
        )
        return alpha / (math.sqrt(rank) if self.config.entries.get("use_rslora") else rank)


def described(directory: Path, config: Mapping[str, Any]) -> str:
    """What an adapter is, or why it is not read, in words for a table."""
    try:
        _check(config)
        return f"LoRA of {len(_pairs(directory))} weights, r {short(config.get('r'))}"
    except InputError as problem:
        return f"not read: {problem.what}"


def _check(config: Mapping[str, Any]) -> None:
    """Raise InputError for an adapter that adds something else than two matrices to a weight."""
    if config.get("peft_type") != "LORA":
        kind = short(config.get("peft_type"))
        raise InputError(
            f"this adapter is of type {kind}, only LORA is supported", hint="merge it into its model"
        )
    for name in ("use_dora", "modules_to_save", "trainable_token_indices", "target_parameters", "lora_bias"):
        if config.get(name):
            raise InputError(
                f"this adapter uses {name}, which is not supported",
                hint="merge it into its model and save that",
            )
    if config.get("bias") not in (None, "none"):
        raise InputError(
            "this adapter has its own biases, which are not supported",
            hint="merge it into its model and save that",
        )


def _pairs(directory: Path) -> dict[str, tuple[Tensor, Tensor]]:
    """A [r, in] and B [out, r] of each part that an adapter changes."""
    if (path := inside.find(directory, WEIGHTS)) is None:
        raise InputError(f"no {WEIGHTS} in it", hint=_AGAIN, where=str(directory))
    found: dict[str, dict[str, Tensor]] = {}
    try:
        with safe_open(path, framework="pt") as file:
            for name in list(file.keys()):
                if (match := _NAME.fullmatch(name)) is None:
                    raise InputError(f"an unknown tensor '{escape(name)}'", hint=_AGAIN, where=str(path))
                found.setdefault(match["part"], {})[match["which"]] = file.get_tensor(name)
    except (SafetensorError, OSError) as problem:
        raise InputError(f"not whole ({problem})", hint=_AGAIN, where=str(path)) from None
    for part, pair in found.items():
        if set(pair) != {"A", "B"} or any(x.ndim != 2 or not x.isfinite().all() for x in pair.values()):
            raise InputError(f"no two matrices for '{escape(part)}'", hint=_AGAIN, where=str(path))
    return {part: (pair["A"], pair["B"]) for part, pair in found.items()}
