"""Models of the library that look at images: a tower of CLIP and the like, or all of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ...errors import InputError
from .. import inside
from ..native.preprocessing import PREPROCESSOR, Preprocessing, small
from ..native.vision import tokens_of, with_image
from ..showing import Side, sides_of
from . import unread
from .running import Pass, explained

if TYPE_CHECKING:
    from pathlib import Path

    from jaxtyping import Float
    from torch import Tensor

    from ...records.attention import Attention
    from ...records.encoding import Image
    from ..reading import Reading


def tower_of(model: Any) -> Any:
    """The part of a model that looks at images: of CLIP and the like one of two, else all; None if there is none."""
    tower = getattr(model, "vision_model", None) or model
    return tower if getattr(tower, "main_input_name", "") == "pixel_values" else None


def look(model: Any, directory: Path, image: Image, reading: Reading, provenance: str) -> Attention:
    """The attention of the wanted layers to an image; a patch is called by its row and column.

    Raises InputError where the model's tokens are not the patches of an image.
    """
    tower = tower_of(model)
    if not is_flat(tower.config):
        raise InputError(
            f"this model {unread.instead_of_images(model.config.model_type)}",
            hint="models like ViT and CLIP are read",
        )
    preprocessing = preprocessing_of(directory, tower.config)
    pixels = preprocessing(image).to(next(tower.parameters()))
    rows = columns = preprocessing.side // tower.config.patch_size
    tokens = tokens_of(rows, columns, n_others=_n_tokens(tower, pixels) - rows * columns)
    side = Side(tokens)
    sides, wanted = sides_of(side, side, "encoder", provenance, reading)
    record = Pass(model, tower, "encoder", [pixels]).record(sides, wanted, reading)
    return with_image(record, wanted, (rows, columns), small(preprocessing.seen(image)))


def is_flat(config: Any) -> bool:
    """Whether a model of this configuration cuts an image into squares once, and keeps to these."""
    sides = (getattr(config, name, None) for name in ("image_size", "patch_size"))
    return all(type(side) is int and side > 0 for side in sides) and not hasattr(config, "depths")


def _n_tokens(tower: Any, pixels: Float[Tensor, "1 channel height width"]) -> int:
    """How many tokens a tower makes of an image: its patches, and perhaps some that stand for all."""
    with explained(), torch.no_grad():
        made = tower.embeddings(pixels)
    first = made if isinstance(made, torch.Tensor) else made[0]
    return int(first.shape[1])


def preprocessing_of(directory: Path, config: Any) -> Preprocessing:
    """What makes numbers of an image, as the directory says it; raises InputError where it does not."""
    if inside.find(directory, PREPROCESSOR) is None:
        hint = "save it: AutoImageProcessor.from_pretrained(DIR).save_pretrained(DIR) with transformers"
        raise InputError(f"no {PREPROCESSOR} in it", hint=hint, where=str(directory))
    return Preprocessing.of(directory, config.image_size, getattr(config, "num_channels", 3))
