"""Text to the numbers a Hugging Face model was trained on, and to labels that a reader knows again."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ...errors import InputError, note
from ...text.characters import one_line
from ...text.pieces import labels
from ...text.tokenizers import no_panic, parse_tokenizer, vocabulary_tokenizer
from .. import inside

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ..reading import Reading

TOKENIZER = "tokenizer.json"
VOCABULARY = "vocab.txt"  # all that older BERTs have


@dataclass(frozen=True)
class Tokenised:
    """A text, or a piece of it, as tokens."""

    numbers: list[int]
    labels: list[str]  # the characters of the text that each stands for; special tokens by their names
    segments: list[int]
    special: list[bool]  # True for what the tokenizer added


def open_tokenizer(directory: Path) -> Any:
    """The tokenizer of a directory, without the padding and cutting that may be set in it.

    Raises InputError when there is none, or it is not a tokenizer.json.
    """
    path = inside.find(directory, TOKENIZER)
    if path is None and (vocabulary := inside.find(directory, VOCABULARY)) is not None:
        return _of_vocabulary(directory, vocabulary)
    if path is None:
        raise InputError(
            f"no {TOKENIZER} in it",
            hint="save it: AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR) with transformers",
            where=str(directory),
        )
    try:
        return parse_tokenizer(inside.read(path, 128 * inside.MIB).decode("utf-8", "replace"))
    except InputError as problem:
        raise problem.at(str(path)) from None


def _of_vocabulary(directory: Path, path: Path) -> Any:
    """The tokenizer of a vocab.txt, whose tokenizer_config.json tells how it writes, where there is one."""
    told = inside.find(directory, "tokenizer_config.json")
    config = {} if told is None else inside.read_object(told, inside.MIB)
    pieces = inside.read(path, 16 * inside.MIB).decode("utf-8", "replace").splitlines()
    try:
        return vocabulary_tokenizer(
            [piece.rstrip() for piece in pieces],
            lowercase=bool(config.get("do_lower_case", True)),
            chinese=bool(config.get("tokenize_chinese_chars", True)),
        )
    except InputError as problem:
        raise problem.at(str(path)) from None


def tokenise(
    tokenizer: Any, text: str, reading: Reading, longest: int, *, in_pieces: bool = True
) -> list[Tokenised]:
    """The text in pieces that the model can take: one, or with `chunk`, where that is possible, as many as are needed.

    Raises InputError when the text holds no token, or has more than `longest` and nothing was said for it.
    """
    texts = [one_line(text), *([] if reading.pair is None else [one_line(reading.pair)])]
    with no_panic(
        "the tokenizer cannot read this text", hint="save it with a token for what it does not know"
    ):
        encoding = tokenizer.encode(*texts)
    if all(encoding.special_tokens_mask):
        raise InputError("the text contains no token", hint="give at least one word")
    if (n := len(encoding.ids)) <= longest:
        return [tokenised(encoding, texts)]
    if reading.too_long == "error":
        hint = f"--too-long truncate reads the first {longest}"
        if in_pieces and reading.pair is None:
            hint += ", --too-long chunk reads pieces that do not see each other"
        raise InputError(f"{n:,} tokens, the model reads at most {longest:,}", hint=hint)
    with no_panic():
        tokenizer.enable_truncation(longest)
        encoding = tokenizer.encode(*texts)
        tokenizer.no_truncation()
    pieces = [encoding, *encoding.overflowing] if reading.too_long == "chunk" else [encoding]
    if reading.too_long == "truncate":
        note(f"the text is cut: the model reads at most {longest:,} of {n:,} tokens")
    return [tokenised(piece, texts) for piece in pieces]


def tokenised(encoding: Any, texts: list[str]) -> Tokenised:
    """What the tokenizers library made of some texts, each token called by its characters in them."""
    special = [bool(mark) for mark in encoding.special_tokens_mask]
    text, second = "\n".join(texts), len(texts[0]) + 1
    places = [
        (0, 0) if added or which is None else (start + which * second, end + which * second)
        for (start, end), which, added in zip(encoding.offsets, encoding.sequence_ids, special, strict=True)
    ]
    names = [name.strip() or name for name in labels(text, encoding.tokens, places)]
    return Tokenised(list(encoding.ids), names, list(encoding.type_ids), special)


def joined(pieces: Sequence[Tokenised]) -> Tokenised:
    """All pieces of a text as one, as if it had been read at once."""
    each = zip(*(vars(piece).values() for piece in pieces), strict=True)
    return Tokenised(*([one for part in parts for one in part] for parts in each))
