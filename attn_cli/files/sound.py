"""`.wav`: a sound for a model that hears, whole numbers of 8 to 32 bits or floating point, any number of channels."""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from ..errors import InputError, note
from ..records.checks import check_finite
from ..records.encoding import Sound
from .memory import allow
from .source import read_exactly, size, truncated

if TYPE_CHECKING:
    from jaxtyping import Float

_BEGINNING = re.compile(rb"RIFF....WAVE", re.DOTALL)
_OTHERS = {
    "an MP3": re.compile(rb"ID3[\2-\4]|\xff[\xfb\xfa\xf3\xf2]"),
    "a FLAC file": re.compile(rb"fLaC\0"),
    "an Ogg file": re.compile(rb"OggS\0"),
    "an AIFF file": re.compile(rb"FORM....AIF[FC]", re.DOTALL),
    "an MP4 or M4A file": re.compile(rb"....ftyp(?:M4A|mp4|isom|iso\d)", re.DOTALL),
    "a WebM or Matroska file": re.compile(rb"\x1a\x45\xdf\xa3"),
    "an AMR file": re.compile(rb"#!AMR"),
}
_WHOLE, _FLOATING, _EXTENSIBLE = 1, 3, 0xFFFE  # formats of samples, as a header counts them
_UNTOLD = (0, 0xFFFFFFFF)  # sizes of a sound that was written through a pipe
_MOST_CHANNELS, _MOST_RATE = 64, 768_000
_BYTES_OF_A_SAMPLE = 24  # while channels are mixed: what was read, as a number, and the mean


def is_sound(head: bytes) -> bool:
    r"""Whether a file that begins so is a sound of the format that is read.

    >>> is_sound(b"RIFF\x24\0\0\0WAVEfmt "), is_sound(b"fLaC\0\0")
    (True, False)
    """
    return _BEGINNING.match(head) is not None


def other(head: bytes) -> str | None:
    r"""What a sound or film of another format is called, None for any other file.

    >>> other(b"fLaC\0\0\0"), other(b"ID3 is an algorithm")
    ('a FLAC file', None)
    """
    return next((name for name, beginning in _OTHERS.items() if beginning.match(head)), None)


def load(file: BinaryIO) -> Sound:
    """The sound in a file, its channels mixed down to one.

    Raises InputError when it is cut short or damaged, compressed, or larger than memory allows.
    """
    file.seek(12)
    form, n_bytes = b"", None
    while n_bytes is None:
        name, length = _chunk(file)
        if name == b"data":
            n_bytes = _declared(length, size(file))
        elif name == b"fmt ":
            form = read_exactly(file, min(length, 40))
            file.seek(length - len(form) + length % 2, 1)
        else:  # titles, pictures and the like; each begins at an even place
            file.seek(length + length % 2, 1)
    kind, channels, rate, bits = _format(form)
    frame = channels * bits // 8
    if (n := n_bytes // frame) < 1:
        raise InputError("holds no sound: it has no samples", hint="record it again")
    allow(_BYTES_OF_A_SAMPLE * n * channels)
    samples = _numbers(read_exactly(file, n * frame), kind, bits).reshape(n, channels)
    check_finite("samples", samples)
    if channels > 1:
        note(f"{channels} channels are mixed down to one, their mean")
    return Sound(samples.mean(axis=1), rate)


def _chunk(file: BinaryIO) -> tuple[bytes, int]:
    """The name and the length of what follows; no sound follows where the file ends."""
    head = file.read(8)
    if len(head) < 8:
        raise InputError("holds no sound: it ends before its samples", hint="copy or record it again")
    name, length = struct.unpack("<4sI", head)
    return name, length


def _declared(length: int, there: int) -> int:
    """How many bytes of samples there are; what went through a pipe does not say."""
    if length in _UNTOLD or length >= 0xFFFFFFFF - 2**12:
        return there
    if length > there:
        raise truncated()
    return length


def _format(form: bytes) -> tuple[int, int, int, int]:
    """Whole numbers or floating point, channels, samples a second, bits of a sample."""
    if len(form) < 16:
        raise InputError("is damaged: its header is not whole", hint="copy or record it again")
    kind, channels, rate, _, frame, bits = struct.unpack("<HHIIHH", form[:16])
    if kind == _EXTENSIBLE and len(form) >= 26:
        (kind,) = struct.unpack("<H", form[24:26])
    if (kind, bits) not in {*((_WHOLE, b) for b in (8, 16, 24, 32)), (_FLOATING, 32), (_FLOATING, 64)}:
        raise InputError(
            f"holds samples of format {kind} with {bits} bits, which is not read",
            hint="write it again with 16 bits: ffmpeg -i FILE -c:a pcm_s16le NEW.wav",
        )
    if not (0 < channels <= _MOST_CHANNELS and 0 < rate <= _MOST_RATE and frame == channels * bits // 8):
        what = f"is damaged: {channels} channels, {rate:,} samples a second, {frame} bytes for each"
        raise InputError(what, hint="copy or record it again")
    return kind, channels, rate, bits


def _numbers(data: bytes, kind: int, bits: int) -> Float[np.ndarray, " sample"]:
    """Samples from −1 to 1."""
    if kind == _FLOATING:
        return np.frombuffer(data, f"<f{bits // 8}").astype(np.float32)
    if bits == 8:  # the only ones that are never negative
        return (np.frombuffer(data, np.uint8).astype(np.float32) - 128) / 128
    if bits == 24:
        wide = np.zeros((len(data) // 3, 4), np.uint8)
        wide[:, 1:] = np.frombuffer(data, np.uint8).reshape(-1, 3)
        return wide.view("<i4")[:, 0].astype(np.float32) / 2**31
    return np.frombuffer(data, f"<i{bits // 8}").astype(np.float32) / 2 ** (bits - 1)
