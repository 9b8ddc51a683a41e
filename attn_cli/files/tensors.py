"""Tensors from elsewhere in one call: the attention or the vectors that a file holds, and tokens to name them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, about
from ..records.attention import Attention
from ..records.encoding import Encoding
from . import elsewhere, reading
from .decoding import read_text
from .elsewhere import NOTHING, Vectors
from .source import called

if TYPE_CHECKING:
    from .elsewhere import Given


def read_attention(path: str, given: Given = NOTHING, *, encoding: str | None = None) -> Attention | Vectors:
    """The attention that a file holds, ours or from elsewhere, or the vectors of which it is to be made.

    `FILE:NAME` chooses among several arrays. A record of ours is taken as it is. Raises InputError for what
    holds no numbers.
    """
    held = reading.read(path, encoding=encoding, by_name=True)
    if isinstance(held, Attention):
        return held
    if isinstance(held, Encoding):
        return Vectors(held, held, held)
    if isinstance(held, np.ndarray):
        held = {"numbers": held}
    if not isinstance(held, dict):
        raise InputError("holds no weights and no vectors", hint="give arrays", where=called(path))
    return elsewhere.understood(held, given, where=path)


def read_tokens(path: str, *, encoding: str | None = None) -> tuple[str, ...]:
    """The tokens that a file names: a JSON list, one in each line, or of a single line the pieces between blanks.

    Of an encoding or an attention of ours it is their tokens.
    """
    with about(called(path)):
        if path != "-" and not os.path.exists(path):
            raise InputError("no such file", hint="put the tokens into a file, one on each line")
        text = read_text(path, encoding=encoding)
        if text.lstrip().startswith("["):
            return _of_json(text)
        held = reading.parse_text(text, path)
        if isinstance(held, Encoding):
            return held.tokens
        if isinstance(held, Attention):
            return held.key_tokens
        lines = text.strip("\n").split("\n")
        return tuple(lines if len(lines) > 1 else text.split())


def _of_json(text: str) -> tuple[str, ...]:
    import json

    try:
        listed: Any = json.loads(text)
    except (ValueError, RecursionError):
        listed = None
    if not isinstance(listed, list) or not all(isinstance(token, str) for token in listed):
        raise InputError("is not a JSON list of tokens", hint='write ["The", "cat"], or a token on each line')
    return tuple(listed)
