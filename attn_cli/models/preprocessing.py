"""From the pixels of an image to the numbers that a model for images was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..errors import InputError
from . import inside
from .given import Given, short

if TYPE_CHECKING:
    from pathlib import Path

    from jaxtyping import Float, UInt8
    from torch import Tensor

    from ..records import Image

PREPROCESSOR = "preprocessor_config.json"
_FILTERS = {
    0: "NEAREST",
    1: "LANCZOS",
    2: "BILINEAR",
    3: "BICUBIC",
    4: "BOX",
    5: "HAMMING",
}  # as Pillow counts
_YES_NO = {True: True, False: False}
_MODES = {1: "L", 3: "RGB"}  # by channels
_DRAWN = 512  # the longest side of an image that is kept to be drawn


@dataclass(frozen=True)
class Preprocessing:
    """Resize to the model's square, whatever the shape was; then (pixel · factor − mean) / std, channel by channel."""

    side: int  # of the image that the model takes
    channels: int
    resize: bool = True
    resample: int = 2
    factor: float = 1 / 255
    mean: tuple[float, ...] = (0.5,)
    std: tuple[float, ...] = (0.5,)

    @classmethod
    def of(cls, directory: Path, side: int, channels: int) -> Preprocessing:
        """What the preprocessor_config.json of a directory says; without one, what ViT was trained with.

        Raises InputError when it wants something else than resizing, rescaling and normalising.
        """
        if channels not in _MODES:
            where = str(directory / "config.json")
            raise InputError(f"num_channels is {channels}, only 1 or 3 are read", where=where)
        if (path := inside.find(directory, PREPROCESSOR)) is None:
            return cls(side, channels)
        try:
            return cls._given(Given(inside.read_object(path, inside.MIB)), side, channels)
        except InputError as problem:
            raise problem.at(str(path)) from None

    @classmethod
    def _given(cls, given: Given, side: int, channels: int) -> Preprocessing:
        for cut in ("do_center_crop", "do_pad"):
            given.choice(cut, {False: None, None: None}, None)
        _check_size(given, side)
        normalise = given.choice("do_normalize", _YES_NO, True)
        return cls(
            side,
            channels,
            given.choice("do_resize", _YES_NO, True),
            given.choice("resample", {number: number for number in _FILTERS}, 2),
            given.number("rescale_factor", 1 / 255) if given.choice("do_rescale", _YES_NO, True) else 1.0,
            given.numbers("image_mean", channels, 0.5) if normalise else (0.0,),
            given.numbers("image_std", channels, 0.5, least=0.0) if normalise else (1.0,),
        )

    def __call__(self, image: Image) -> Float[Tensor, "1 channel height width"]:
        """The image as the model takes it."""
        from PIL import Image as Pillow

        picture = Pillow.fromarray(image.pixels).convert(_MODES[self.channels])
        if self.resize:
            picture = picture.resize((self.side, self.side), Pillow.Resampling(self.resample))
        elif picture.size != (self.side, self.side):
            what = (
                f"an image of {picture.width} × {picture.height}, the model takes {self.side} × {self.side}"
            )
            raise InputError(what, hint=f"its {PREPROCESSOR} does not resize: do that first")
        pixels = np.asarray(picture, np.float32).reshape(self.side, self.side, self.channels)
        std, mean = (np.array(numbers, np.float32) for numbers in (self.std, self.mean))
        return torch.from_numpy((pixels * np.float32(self.factor) - mean) / std).permute(2, 0, 1)[None]


def small(image: Image) -> UInt8[np.ndarray, "height width 3"]:
    """The image at a size at which it can be drawn and saved."""
    from PIL import Image as Pillow

    picture = Pillow.fromarray(image.pixels)
    picture.thumbnail((_DRAWN, _DRAWN))
    return np.array(picture)


def _check_size(given: Given, side: int) -> None:
    """Raise InputError when images are made of another size than the model takes."""
    size = given.entries.get("size")
    if size not in (None, side, {"height": side, "width": side}):
        raise InputError(f"size is {short(size)}, the model takes {side} × {side}")
