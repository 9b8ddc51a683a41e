"""What a file holds, by its first bytes; what cannot be read safely is refused here."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, BinaryIO, Literal

from ..errors import InputError
from . import archive, image, sound
from .source import suffix

if TYPE_CHECKING:
    from collections.abc import Container

Contents = Literal["npy", "npz", "pt", "safetensors", "image", "sound", "text"]

_NPY = b"\x93NUMPY"
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # with members, and empty
_GZIP = b"\x1f\x8b"
_PICKLES: Container[str] = (".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".joblib")
_BINARIES: Container[str] = (".npy", ".npz", ".jpg", ".jpeg", ".png", ".webp", ".wav")


def kind(file: BinaryIO, path: str) -> Contents:
    """Which reader the bytes want; the file is left at its beginning.

    Raises InputError for nothing at all, a pickle, something compressed, and a suffix that promises another.
    """
    head = file.read(16)
    file.seek(0)
    if not head:
        raise InputError("is empty", hint="put some text or numbers in it")
    if head.startswith(_NPY):
        return "npy"
    if head.startswith(_ZIP):
        return "pt" if any(name.endswith("data.pkl") for name in archive.names(file)) else "npz"
    if image.is_image(head):
        return "image"
    if sound.is_sound(head):
        return "sound"
    if _is_safetensors(head):  # asked before pickles: a header of 128 bytes begins like one
        return "safetensors"
    if _is_pickle(head) or suffix(path) in _PICKLES:
        raise pickled()
    if suffix(path) == ".safetensors":
        return "safetensors"
    _refuse_others(head, path)
    return "text"


def _refuse_others(head: bytes, path: str) -> None:
    """Raise InputError for what is no text either: another format, or not what its suffix promises."""
    if head.startswith(_GZIP):
        raise InputError("is compressed with gzip", hint="unpack it first: gunzip FILE")
    if other := image.other(head):
        raise InputError(f"is {other}", hint="save it as JPEG, PNG or WebP")
    if other := sound.other(head):
        raise InputError(f"is {other}", hint=f"make a .wav of it: {_as_wav(path)}")
    if suffix(path) in _BINARIES:
        raise InputError(
            f"has the suffix {suffix(path)} but is not a {suffix(path)} file", hint="write it again"
        )


def _as_wav(path: str) -> str:
    """The command that makes a .wav of a sound."""
    named = "FILE" if path == "-" else shlex.quote(path)
    return f"ffmpeg -i {named} {named if path == '-' else shlex.quote(os.path.splitext(path)[0])}.wav"


def pickled() -> InputError:
    """The error for a file whose loading would run whatever program it holds."""
    return InputError(
        "is a pickle, which can run code when it is loaded",
        hint="save the numbers as .npy (numpy.save, plain numbers) or .safetensors, or tensors alone as .pt",
    )


def _is_pickle(head: bytes) -> bool:
    return head[:1] == b"\x80" and head[1:2] <= b"\x05"  # PROTO and its number; no text begins so


def _is_safetensors(head: bytes) -> bool:
    """A header length below 2^48, little-endian, then JSON: in no text do two NULs precede a brace."""
    return head[6:9] == b"\0\0{"
