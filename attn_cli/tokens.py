"""Text to tokens, tokens to vectors, and tokens made safe to print.

Lines: a text is one sequence. Line breaks count as a space, in every tokenizer and every command.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import itertools
import math
import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from .errors import InputError
from .pieces import labels
from .registry import Registry

if TYPE_CHECKING:
    from jaxtyping import Float

Tokenizer = Callable[[str], list[str]]
# (tokens, dim, seed) → vectors; a dim of None asks for the embedding's own
Embedding = Callable[[Sequence[str], int | None, int], "Float[np.ndarray, 'seq_len dim']"]

TOKENIZERS: Registry[Tokenizer] = Registry("tokenizer")
EMBEDDINGS: Registry[Embedding] = Registry("embedding")


# ---- text → tokens --------------------------------------------------------------------------------

# Over one letter per character, as `_kind` gives them: a word with its inner apostrophes, a number with
# its inner points and commas, or a single character of any other kind but space.
_WORD = re.compile("l[ld]*(?:al[ld]*)*|d+(?:pd+)*[ld]*|[iapo]")


@TOKENIZERS.register
def word(text: str) -> list[str]:
    """Words, numbers and punctuation; each Chinese, Japanese or Korean ideograph is a token of its own.

    An apostrophe inside a word and a point or comma inside a number belong to it.

    >>> word("It's 3.14, 注意力!")
    ["It's", '3.14', ',', '注', '意', '力', '!']
    """
    return [text[start:end] for start, end in word_spans(text)]


def word_spans(text: str) -> list[tuple[int, int]]:
    """Where in a text its words, as `word` cuts them, begin and end.

    >>> word_spans("it is")
    [(0, 2), (3, 5)]
    """
    characters = list(clusters(text))
    kinds = "".join(_kind(c[0]) for c in characters)
    places = list(itertools.accumulate(map(len, characters), initial=0))
    return [(places[match.start()], places[match.end()]) for match in _WORD.finditer(kinds)]


@TOKENIZERS.register
def char(text: str) -> list[str]:
    """Every character a token, spaces too; accents and the parts of an emoji stay together.

    >>> char("注意 a")
    ['注', '意', ' ', 'a']
    """
    return list(clusters(one_line(text)))


@TOKENIZERS.register
def whitespace(text: str) -> list[str]:
    """The pieces between spaces, taken as they are.

    >>> whitespace("a  b,c")
    ['a', 'b,c']
    """
    return text.split()


def json_tokenizer(definition: str) -> Tokenizer:
    """The tokenizer that the text of a `tokenizer.json` describes.

    Its tokens are the characters of the text that the pieces stand for; of a character that is split over
    several, each says which part it is, as `你¹⁄₃`; special tokens keep their names.
    Raises InputError when the definition is none.
    """
    tokenizer = parse_tokenizer(definition)

    def from_json(text: str) -> list[str]:
        line = one_line(text)
        with no_panic():
            encoding = tokenizer.encode(line)
        return labels(line, encoding.tokens, encoding.offsets)

    return from_json


def parse_tokenizer(definition: str) -> Any:
    """The `tokenizers.Tokenizer` that the text of a `tokenizer.json` describes.

    Raises InputError when it describes none.
    """
    from tokenizers import Tokenizer as JsonTokenizer

    with no_panic():
        return JsonTokenizer.from_str(definition)


@contextlib.contextmanager
def no_panic() -> Iterator[None]:
    """Whatever the tokenizers library raises becomes an InputError; it can panic with what is no Exception."""
    try:
        with unheard():
            yield
    except BaseException as problem:
        if isinstance(problem, (KeyboardInterrupt, SystemExit, MemoryError)):
            raise
        reason = str(problem).partition("\n")[0]
        raise InputError(
            f"not a tokenizer.json ({reason})", hint="give the file of a fast tokenizer"
        ) from None


@contextlib.contextmanager
def unheard() -> Iterator[None]:
    """What is written to the standard error of the process meanwhile is not seen: a panic tells its story there."""
    try:
        kept = os.dup(2)
    except OSError:  # it is closed
        yield
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def clusters(text: str) -> Iterator[str]:
    """Characters as a reader counts them: a base with its accents, a joined emoji, a flag.

    >>> [len(c) for c in clusters("e\u0301a")]
    [2, 1]
    """
    if text.isascii():
        yield from text
        return
    cluster = ""
    for c in text:
        flag = len(cluster) == 1 and _is_flag_letter(cluster) and _is_flag_letter(c)
        if cluster and (flag or cluster[-1] == _JOINER or _extends(c)):
            cluster += c
            continue
        if cluster:
            yield cluster
        cluster = c
    if cluster:
        yield cluster


def one_line(text: str) -> str:
    """Line breaks become spaces.

    >>> one_line("a\\nb")
    'a b'
    """
    return " ".join(text.splitlines())


_JOINER = "\u200d"


def _extends(c: str) -> bool:
    skin_tone = "\U0001f3fb" <= c <= "\U0001f3ff"
    return c == _JOINER or skin_tone or unicodedata.category(c)[0] == "M"


def _is_flag_letter(c: str) -> bool:
    return "\U0001f1e6" <= c <= "\U0001f1ff"


@functools.cache
def _kind(c: str) -> str:
    """One letter for the kind of a character: letter, digit, ideograph, apostrophe, point, space or other."""
    if c in "'’":
        return "a"
    if c in ".,":
        return "p"
    if c.isspace() or unicodedata.category(c) in ("Cf", "Cc"):
        return "s" if c.isspace() else "o"
    if unicodedata.name(c, "").startswith(("CJK UNIFIED", "CJK COMPATIBILITY IDEOGRAPH")) or c == "〇":
        return "i"
    if c.isdecimal():
        return "d"
    return "l" if unicodedata.category(c)[0] in "LM" else "o"


# ---- tokens → vectors -----------------------------------------------------------------------------


@EMBEDDINGS.register
def hash_(tokens: Sequence[str], dim: int | None = None, seed: int = 0) -> Float[np.ndarray, "seq_len dim"]:
    """A vector made from token, dim (64) and seed alone, the same on every machine; mean 0, variance 1.

    Each number is the sum of four 16-bit words of SHAKE-256(seed, dim, token), centred and scaled: nearly
    normal, and exact integer arithmetic but for one division, so that no maths library can differ.

    >>> bool((hash_(["a"], 4) == hash_(["b", "a"], 4)[1]).all())
    True
    """
    dim = 64 if dim is None else dim
    if dim < 1:
        raise InputError(f"dim {dim} is too small", hint="give at least 1")
    spread = math.sqrt((65536**2 - 1) / 3)  # standard deviation of the sum of four uniform 16-bit words
    rows = {}
    for token in dict.fromkeys(tokens):
        name = f"{seed}\0{dim}\0{token}".encode("utf-8", "surrogatepass")
        words = np.frombuffer(hashlib.shake_256(name).digest(8 * dim), dtype="<u2").reshape(dim, 4)
        rows[token] = (words.sum(axis=1, dtype=np.int64) - 2 * 65535) / spread
    return np.stack([rows[token] for token in tokens])


@EMBEDDINGS.register
def onehot(tokens: Sequence[str], dim: int | None = None, seed: int = 0) -> Float[np.ndarray, "seq_len dim"]:
    """A one at the token's place among the text's distinct tokens, zeros elsewhere; the seed is not used.

    >>> onehot(["a", "b", "a"]).tolist()
    [[1.0, 0.0], [0.0, 1.0], [1.0, 0.0]]
    """
    place = {token: i for i, token in enumerate(dict.fromkeys(tokens))}
    dim = len(place) if dim is None else dim
    if dim < len(place):
        raise InputError(
            f"{len(place)} distinct tokens do not fit in dim {dim}", hint=f"give --dim {len(place)}"
        )
    return np.eye(len(place), dim)[[place[token] for token in tokens]]


# ---- tokens → something safe to print -------------------------------------------------------------

_ESCAPES = {"\t": r"\t", "\n": r"\n", "\r": r"\r", "\\": r"\\"}
_UNESCAPES = {text: c for c, text in _ESCAPES.items()}
_ESCAPED = re.compile(r"\\(?:u[0-9a-f]{4}|U00(?:0[0-9a-f]|10)[0-9a-f]{4}|.)", re.DOTALL)
# The marks that change the direction of the text around them; they have no look of their own.
_REORDERING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def escape(token: str) -> str:
    r"""A token on one line with nothing in it that acts: a tab becomes `\t`, the escape character `\u001b`.

    Controls, line separators, direction marks and lone surrogates are escaped, and the backslash itself.

    >>> print(escape("a\tb\x1b[31m"))
    a\tb\u001b[31m
    """
    return (
        token if token.isascii() and token.isprintable() and "\\" not in token else "".join(map(_safe, token))
    )


def unescape(text: str) -> str:
    r"""The token that `escape` was given; a backslash that starts no escape stands for itself.

    >>> unescape(escape("a\\b\x00")) == "a\\b\x00"
    True
    """
    if "\\" not in text:
        return text
    return _ESCAPED.sub(lambda m: _UNESCAPES.get(m[0]) or _from_code(m[0]), text)


def _from_code(escaped: str) -> str:
    return chr(int(escaped[2:], 16)) if escaped[1] in "uU" and len(escaped) > 2 else escaped


@functools.cache
def _safe(c: str) -> str:
    if c in _ESCAPES:
        return _ESCAPES[c]
    if unicodedata.category(c) in ("Cc", "Zl", "Zp", "Cs") or c in _REORDERING:
        return f"\\u{ord(c):04x}"
    return c
