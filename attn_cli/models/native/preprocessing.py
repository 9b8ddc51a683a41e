"""From the pixels of an image to the numbers that a model for images was trained on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from ...errors import InputError
from ...records.encoding import Image
from .. import inside
from .given import Given, short

if TYPE_CHECKING:
    from pathlib import Path

    from jaxtyping import Float, UInt8
    from torch import Tensor


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
    """Resize, perhaps cut out the middle; then (pixel · factor − mean) / std, channel by channel.

    An image becomes a square whatever its shape was; or its shorter side is given a length, where the model was
    trained on middles.
    """

    side: int  # of the image that the model takes
    channels: int
    resize: bool = True
    size: int | tuple[int, int] | None = None  # of the shorter side, or both; None: the model's square
    crop: bool = False
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
        given.choice("do_pad", {False: None, None: None}, None)
        crop = given.choice("do_center_crop", {**_YES_NO, None: False}, None)
        normalise = given.choice("do_normalize", _YES_NO, True)
        return cls(
            side,
            channels,
            given.choice("do_resize", _YES_NO, True),
            _size(given, side, crop=crop),
            crop,
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
            filter_ = Pillow.Resampling(self.resample)
            picture = picture.resize(self._resized(*picture.size), filter_)
        if self.crop and min(picture.size) >= self.side:
            picture = picture.crop(self._middle(*picture.size))
        if picture.size != (self.side, self.side):
            what = (
                f"an image of {picture.width} × {picture.height}, the model takes {self.side} × {self.side}"
            )
            raise InputError(what, hint=f"its {PREPROCESSOR} does not resize: do that first")
        pixels = np.asarray(picture, np.float32).reshape(self.side, self.side, self.channels)
        std, mean = (np.array(numbers, np.float32) for numbers in (self.std, self.mean))
        return torch.from_numpy((pixels * np.float32(self.factor) - mean) / std).permute(2, 0, 1)[None]

    def seen(self, image: Image) -> Image:
        """The part of an image that the model sees: all of it, or the middle."""
        height, width = image.pixels.shape[:2]
        if not self.crop:
            return image
        wide, high = self._resized(width, height) if self.resize else (width, height)
        left, upper, right, lower = self._middle(wide, high)
        rows = slice(round(upper * height / high), round(lower * height / high))
        columns = slice(round(left * width / wide), round(right * width / wide))
        return Image(image.pixels[rows, columns])

    def _resized(self, width: int, height: int) -> tuple[int, int]:
        """What a width and a height become; of a shorter side that has a length, the longer one follows."""
        if not isinstance(self.size, int):
            return self.size or (self.side, self.side)
        short = min(width, height)
        return (self.size * width // short, self.size * height // short)

    def _middle(self, width: int, height: int) -> tuple[int, int, int, int]:
        """The left, upper, right and lower edge of the square in the middle."""
        left, upper = (width - self.side) // 2, (height - self.side) // 2
        return left, upper, left + self.side, upper + self.side


def small(image: Image) -> UInt8[np.ndarray, "height width 3"]:
    """The image at a size at which it can be drawn and saved."""
    from PIL import Image as Pillow

    picture = Pillow.fromarray(image.pixels)
    picture.thumbnail((_DRAWN, _DRAWN))
    return np.array(picture)


def _size(given: Given, side: int, *, crop: bool) -> int | tuple[int, int] | None:
    """The shorter side, or width and height, to which images are resized; None: the model's square.

    Raises InputError where something else than the model's square is left after cropping.
    """
    size = given.entries.get("size")
    square = {"height": side, "width": side}
    if size in (None, side, square) and not crop:
        return None
    whole = given.entries.get("crop_size")
    if crop and whole not in (None, side, square):
        raise InputError(f"crop_size is {short(whole)}, the model takes {side} × {side}")
    sizes = Given(size) if isinstance(size, dict) else _written_as_one(given, side if size is None else size)
    if crop and sizes.entries.keys() == {"shortest_edge"}:
        return sizes.size("shortest_edge")
    if crop and sizes.entries.keys() == square.keys():
        return sizes.size("width"), sizes.size("height")
    raise InputError(f"size is {short(size)}, the model takes {side} × {side}")


def _written_as_one(given: Given, size: object) -> Given:
    """A single number, which old files of CLIP mean for the shorter side and all others for both."""
    kind = given.entries.get("image_processor_type") or given.entries.get("feature_extractor_type") or "CLIP"
    return Given({"shortest_edge": size} if "CLIP" in str(kind) else {"height": size, "width": size})
