"""Which files attn made itself, told by what is in them, and names for new ones that cost nobody a file."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, BinaryIO

from ..errors import InputError
from . import contents, headers, npz, recording, safetensors
from .fields import is_record
from .source import split_name, suffix

if TYPE_CHECKING:
    from collections.abc import Iterable

_ENDS = 2**16  # bytes at the beginning and at the end in which the maker is told
# What each picture of ours says of its maker. An SVG that Inkscape has saved since is somebody's work.
_MADE = {
    ".png": re.compile(rb"\x89PNG\r\n\x1a\n(?:(?!IDAT).)*tEXtSoftware\x00attn", re.DOTALL),
    ".jpg": re.compile(rb"\xff\xd8.{0,40}\xff\xfe\x00\x06attn", re.DOTALL),
    ".gif": re.compile(rb"GIF8.{,900}!\xfe\x04attn\x00", re.DOTALL),
    ".svg": re.compile(
        rb"(?!.*inkscape)<\?xml.*<dc:creator>\s*<cc:Agent>\s*<dc:title>attn</dc:title>", re.DOTALL
    ),
    ".html": re.compile(rb'<!doctype html>.{,200}<meta name="generator" content="attn">', re.DOTALL),
}
_PDF = re.compile(rb"<< /Creator \(attn\)\s(?:/Title|>>)")
_JSON = re.compile(
    rb'\{"(?:schema_version": \d+, ")?type": "(?:attention|encoding|position_table|steps|table)"'
)


def made_by_attn(path: str) -> bool:
    """Whether attn wrote a file: a picture that names it as its maker, a record, or a table with our header.

    A file that cannot be read is none of ours.
    """
    try:
        with open(path, "rb") as file:
            return _is_ours(file, path)
    except (OSError, ValueError, InputError):
        return False


def own_name(stem: str, ending: str, inputs: Iterable[str | None] = ()) -> str:
    """A name for a file of which nobody said the name: `stem` + `ending`, or else `stem`-attention + `ending`.

    It never names one of the `inputs`, nor a file that attn did not make. Raises InputError where both are
    taken, with the option that says another.

    >>> own_name("no-such-file", ".png"), own_name("attention", ".npz", ["attention.npz"])
    ('no-such-file.png', 'attention-2.npz')
    """
    second = f"{stem}-2" if stem.endswith("attention") else f"{stem}-attention"
    names = (f"{stem}{ending}", f"{second}{ending}")
    used = [split_name(path)[0] for path in inputs if path not in (None, "-")]
    for name in names:
        if not any(_same(name, path) for path in used) and (not os.path.lexists(name) or made_by_attn(name)):
            return name
    raise InputError(
        f"{names[0]} and {names[1]} are files that attn did not make", hint=f"give -o NAME{ending}"
    )


def _same(name: str, path: str) -> bool:
    if os.path.abspath(name) == os.path.abspath(path):
        return True
    return os.path.exists(name) and os.path.exists(path) and os.path.samefile(name, path)


def _is_ours(file: BinaryIO, path: str) -> bool:
    head = file.read(_ENDS)
    if head.startswith(b"%PDF"):
        file.seek(max(os.fstat(file.fileno()).st_size - _ENDS, 0))
        return _PDF.search(file.read()) is not None
    if any(made.match(head) for made in _MADE.values()) or _JSON.match(head):
        return True
    file.seek(0)
    kind = contents.kind(file, path)
    if kind == "npz":
        names = npz.names(file)
        return recording.is_recording(names) or (
            "type" in names and is_record(npz.as_fields(npz.load(file, {"type"})))
        )
    if kind == "safetensors":
        return is_record(safetensors.read_header(file).texts)
    lines = head.decode("utf-8", "replace").split("\n")[:2]
    return (
        kind == "text" and suffix(path) in (".tsv", ".csv") and headers.delimiter_of("\n".join(lines)) != ""
    )
