"""Text to tokens.

Lines: a text is one sequence. Line breaks count as a space, in every tokenizer and every command.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ..errors import InputError
from ..registry import Registry
from .characters import clusters, one_line
from .pieces import labels

Tokenizer = Callable[[str], list[str]]

TOKENIZERS: Registry[Tokenizer] = Registry("tokenizer")


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
    """The `tokenizers.Tokenizer` that the text of a `tokenizer.json` describes, without its padding and truncation.

    A text is read as long as it is; padding to 10¹² tokens, which such a file can ask for, ends the process.
    Raises InputError when it describes none.
    """
    from tokenizers import Tokenizer as JsonTokenizer

    with no_panic():
        tokenizer = JsonTokenizer.from_str(definition)
        tokenizer.no_padding()
        tokenizer.no_truncation()
        return tokenizer


def vocabulary_tokenizer(pieces: Sequence[str], *, lowercase: bool = True, chinese: bool = True) -> Any:
    """The `tokenizers.Tokenizer` of a vocab.txt, a piece a line, as BERT's and all that are built like it are.

    Raises InputError where it holds no [UNK], [CLS] and [SEP].

    >>> tokenizer = vocabulary_tokenizer(["[UNK]", "[CLS]", "[SEP]", "the", "cat", "##s"])
    >>> tokenizer.encode("The cats").tokens
    ['[CLS]', 'the', 'cat', '##s', '[SEP]']
    """
    from tokenizers import Tokenizer, normalizers, pre_tokenizers, processors
    from tokenizers.models import WordPiece

    numbers = {piece: i for i, piece in enumerate(pieces)}
    if missing := [name for name in ("[UNK]", "[CLS]", "[SEP]") if name not in numbers]:
        raise InputError(f"no {missing[0]} in it", hint="give the vocab.txt of a BERT, a piece a line")
    tokenizer = Tokenizer(WordPiece(numbers, unk_token="[UNK]"))
    tokenizer.add_special_tokens([name for name in pieces if name in _SPECIAL])
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase, handle_chinese_chars=chinese)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[(name, numbers[name]) for name in ("[CLS]", "[SEP]")],
    )
    return tokenizer


_SPECIAL = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")


@contextlib.contextmanager
def no_panic(
    what: str = "not a tokenizer.json", hint: str = "give the file of a fast tokenizer"
) -> Iterator[None]:
    """Whatever the tokenizers library raises becomes an InputError; it can panic with what is no Exception."""
    try:
        with unheard():
            yield
    except BaseException as problem:
        if isinstance(problem, (KeyboardInterrupt, SystemExit, MemoryError)):
            raise
        reason = str(problem).partition("\n")[0]
        raise InputError(f"{what} ({reason})", hint=hint) from None


@contextlib.contextmanager
def unheard() -> Iterator[None]:
    """Discard file descriptor 2 while active: the Rust tokenizer prints its panics there."""
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
