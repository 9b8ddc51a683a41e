"""Models that look at an image: its patches are their tokens."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, ClassVar

import torch

from ...attention.layers import record as record_of
from ...errors import InputError
from ...records.encoding import Image
from ...text.escaping import escape
from ...transformer.capture import Capture, layers_of
from ...transformer.intervening import NOTHING
from ..precision import as_wanted
from ..reading import WHOLE, Reading
from ..showing import Side, sides_of
from ..sizes import layers_named
from .preprocessing import small

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import UInt8

    from ...attention.wanted_parts import Wanted
    from ...records.attention import Attention
    from ...transformer.model import Transformer
    from .preprocessing import Preprocessing

WHOLE_IMAGE = "[CLS]"  # the token that stands for all of it, and comes first


@dataclass(frozen=True, eq=False)
class Vision:
    """A trained encoder of patches, with what makes numbers of an image."""

    family: str  # as people call it
    name: str  # of the directory
    model: Transformer
    preprocessing: Preprocessing
    sees: ClassVar = True
    hears: ClassVar = False

    @property
    def provenance(self) -> str:
        """Family, directory and size."""
        config = self.model.config
        return f"{self.family}: {escape(self.name)}, {config.n_layers} layers × {config.n_heads} heads"

    @torch.no_grad()
    def attend(self, image: Image | str, reading: Reading = WHOLE) -> Attention:
        """The attention of the wanted layers to an image; a patch is called by its row and column.

        Raises InputError when it is no image, or an option is given that is for text.
        """
        if not isinstance(image, Image):
            hint = "give a JPEG, PNG or WebP file"
            raise InputError(f"{self.family} reads images, not text", hint=hint)
        refuse_text_options(reading, self.family)
        model, config = as_wanted(self.model, reading), self.model.config
        done = reading.intervention or NOTHING
        done.check(config.n_layers, config.n_heads)
        capture = Capture(layers := reading.chosen(config.n_layers), done)
        pixels = self.preprocessing(image).to(model.position.weight)
        model.hidden(pixels, attend=capture, depth=layers[-1] + 1)
        assert config.patch is not None
        rows, columns = (side // config.patch for side in pixels.shape[2:])
        side = Side(tokens_of(rows, columns))
        said = self.provenance + layers_named(layers, config.n_layers)
        sides, wanted = sides_of(side, side, "encoder", said, reading)
        made = layers_of([capture.layers])
        record = record_of(made, sides, wanted=wanted, norms=reading.norms)
        return with_image(record, wanted, (rows, columns), small(image))

    __call__ = attend


def with_image(
    record: Attention, wanted: Wanted, patches: tuple[int, int], image: UInt8[np.ndarray, "height width 3"]
) -> Attention:
    """The record with the image that it is about, if it still has a key for each patch."""
    return record if wanted.keys is not None else replace(record, patches=patches, image=image)


def tokens_of(rows: int, columns: int, n_others: int = 1) -> tuple[str, ...]:
    """What an image's tokens are called: patches by row and column, after those that stand for all of it.

    >>> tokens_of(1, 2)
    ('[CLS]', '0,0', '0,1')
    """
    others = [WHOLE_IMAGE, *(f"[{i}]" for i in range(1, n_others))][:n_others]
    return (*others, *(f"{row},{column}" for row in range(rows) for column in range(columns)))


def refuse_text_options(reading: Reading, family: str) -> None:
    """Raise InputError for an option that could have no effect on an image."""
    reading.chosen_kind(["encoder"])
    reading.refuse_target(family)
    of_text = {
        "--generate": reading.generate is not None,
        "--pair": reading.pair is not None,
        "--special": reading.special != "keep",
        "--too-long": reading.too_long != "error",
    }
    for option in (name for name, given in of_text.items() if given):
        raise InputError(f"{option} does not apply to images", hint="leave it out")
