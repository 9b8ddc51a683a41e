"""`.jpg`, `.png` and `.webp`: a picture for a model that looks at pictures."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from ..errors import InputError, note
from ..records.encoding import Image
from ..text.escaping import escape
from .memory import allow

if TYPE_CHECKING:
    from PIL.Image import Image as Opened

# More are not decoded: a PNG of a few kilobytes can declare gigabytes of one colour.
MOST_PIXELS = 2**26
_BYTES_OF_A_PIXEL = 16  # while it is turned and laid on white
_FORMATS = ("JPEG", "PNG", "WEBP")
_BEGINNING = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|RIFF....WEBP", re.DOTALL)
_OTHERS = {
    "a GIF": re.compile(rb"GIF8[79]a"),
    "a TIFF": re.compile(rb"II\*\0|MM\0\*"),
    "an HEIC or AVIF image": re.compile(rb"....ftyp(?:hei|hev|mif|msf|avi)", re.DOTALL),
}


def is_image(head: bytes) -> bool:
    r"""Whether a file that begins so is an image of a format that is read.

    >>> is_image(b"\x89PNG\r\n\x1a\n"), is_image(b"GIF89a")
    (True, False)
    """
    return _BEGINNING.match(head) is not None


def other(head: bytes) -> str | None:
    """What an image of another format is called, None for any other file.

    >>> other(b"GIF89a")
    'a GIF'
    """
    return next((name for name, beginning in _OTHERS.items() if beginning.match(head)), None)


def load(file: BinaryIO) -> Image:
    """The image in a file, turned as its camera says; of several frames the first.

    Raises InputError when it is cut short or damaged, or larger than what is decoded.
    """
    from PIL import Image as Pillow
    from PIL import ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings(action="ignore"), Pillow.open(file, formats=_FORMATS) as opened:
            if opened.width * opened.height > MOST_PIXELS:
                raise Pillow.DecompressionBombError
            allow(_BYTES_OF_A_PIXEL * opened.width * opened.height)
            turned = ImageOps.exif_transpose(opened)
            turned.load()
    except InputError:
        raise
    except Pillow.DecompressionBombError:
        what = f"is an image of more than {MOST_PIXELS:,} pixels"
        raise InputError(what, hint="make it smaller") from None
    except Exception as problem:  # a damaged file can be wrong in as many ways as there are formats
        said = "its header" if isinstance(problem, UnidentifiedImageError) else str(problem)[:80]
        raise InputError(f"is damaged or truncated ({escape(said)})", hint="copy or save it again") from None
    return Image(np.array(_coloured(turned)))


def _coloured(image: Opened) -> Opened:
    """Red, green and blue; what is transparent lies on white, and of 16 bits the upper 8 are taken."""
    from PIL import Image as Pillow

    if image.mode.startswith("I"):
        return Pillow.fromarray((np.asarray(image) >> 8).clip(0, 255).astype(np.uint8)).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    if np.asarray(layer)[..., 3].min() < 255:
        note("transparent pixels are read as white")
    white = Pillow.new("RGBA", layer.size, "white")
    return Pillow.alpha_composite(white, layer).convert("RGB")
