"""A tokenizer.json as the live page reads it: what does nothing left out, sequences flat, vocabularies as lists.

What assets/live/tokenizer.js cannot do is refused here, when the page is made.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from ...errors import InputError
from .regexes import javascript

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_NORMALIZERS = (
    "NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "BertNormalizer", "Prepend", "Replace", "Strip", "ByteLevel",
)  # fmt: skip
_PRE_TOKENIZERS = (
    "Metaspace", "Split", "ByteLevel", "BertPreTokenizer", "Whitespace", "WhitespaceSplit", "Punctuation", "Digits",
)  # fmt: skip
_SPLITS = ("Isolated", "Removed", "MergedWithPrevious", "MergedWithNext", "Contiguous")


def tokenizer_spec(definition: str, *, verbatim: bool) -> dict[str, Any]:
    """What the page must know to cut texts as the tokenizer does; `verbatim`: special tokens in a text are text.

    Raises InputError for what the page cannot do.

    >>> from tokenizers import Tokenizer, models
    >>> tokenizer_spec(Tokenizer(models.WordLevel({"a": 0}, "a")).to_str(), verbatim=True)["model"]
    {'type': 'WordLevel', 'vocab': ['a'], 'unk': 'a'}
    """
    told = json.loads(definition)
    added = [one for one in told["added_tokens"] if not (verbatim and one["special"])]
    if any(one["single_word"] for one in added):
        raise _refused("added tokens that are whole words")
    normalizers, pre_tokenizers = _steps(told)
    special = [one["content"] for one in told["added_tokens"] if one["special"]]
    numbers = {one["content"]: one["id"] for one in told["added_tokens"]}
    return {
        "added": [
            {key: one[key] for key in ("content", "id", "lstrip", "rstrip", "normalized")} for one in added
        ],
        "special": special,
        "normalizers": normalizers,
        "pre_tokenizers": pre_tokenizers,
        "model": _model(told["model"], numbers),
        **_around(list(_flat(told["post_processor"], "processors"))),
    }


def _steps(told: Mapping[str, Any]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What is done to a text before it is cut, and how it is cut."""
    normalizers = [_step(one, _NORMALIZERS) for one in _flat(told["normalizer"], "normalizers")]
    cuts = [_step(one, _PRE_TOKENIZERS) for one in _flat(told["pre_tokenizer"], "pretokenizers")]
    if any(one.get("strip_left") for one in normalizers) and any(
        one.get("prepend_scheme") == "first" for one in cuts
    ):
        raise _refused("what depends on the blanks before a text")
    return normalizers, cuts


def _flat(step: Mapping[str, Any] | None, several: str) -> Iterator[Mapping[str, Any]]:
    if step is None:
        return
    if step["type"] != "Sequence":
        yield step
    else:
        for one in step[several]:
            yield from _flat(one, several)


def _step(step: Mapping[str, Any], known: tuple[str, ...]) -> dict[str, Any]:
    """A step with its pattern, if it has one, as JavaScript writes it."""
    if step["type"] not in known:
        raise _refused(f"'{step['type']}'")
    if step.get("behavior", "Isolated") not in _SPLITS:
        raise _refused(f"the behaviour '{step['behavior']}'")
    pattern = step.get("pattern")
    if pattern is None:
        return dict(step)
    regex = javascript(pattern["Regex"]) if "Regex" in pattern else None
    return {**step, "pattern": regex, "literal": pattern.get("String")}


def _model(model: Mapping[str, Any], added: Mapping[str, int]) -> dict[str, Any]:
    kind, vocab = model["type"], model["vocab"]
    if kind not in ("BPE", "WordPiece", "WordLevel"):
        raise _refused(f"'{kind}'")
    if model.get("dropout"):
        raise _refused("dropout")
    numbers = {**vocab, **added}
    pieces: list[str | None] = [None] * (max(numbers.values()) + 1)
    for piece, number in numbers.items():
        pieces[number] = piece
    made = {"type": kind, "vocab": pieces, "unk": model.get("unk_token")}
    if kind == "WordPiece":
        return made | {
            "prefix": model["continuing_subword_prefix"],
            "longest": model["max_input_chars_per_word"],
        }
    return made | _merges(model) if kind == "BPE" else made


def _merges(model: Mapping[str, Any]) -> dict[str, Any]:
    """Pairs that are merged, by their numbers, with that of what they make: those that come first go first."""
    vocab, prefix = model["vocab"], model["continuing_subword_prefix"] or ""
    pairs = (pair.split(" ") if isinstance(pair, str) else pair for pair in model["merges"])
    merges = [[vocab[left], vocab[right], vocab[left + right[len(prefix) :]]] for left, right in pairs]
    kept = ("fuse_unk", "byte_fallback", "ignore_merges")
    return {
        "merges": merges,
        "prefix": prefix,
        "suffix": model["end_of_word_suffix"] or "",
        **{name: bool(model.get(name)) for name in kept},
    }


def _around(processors: list[Mapping[str, Any]]) -> dict[str, Any]:
    """The numbers of the special tokens that are put before and after a text."""
    adding = [one for one in processors if one["type"] != "ByteLevel"]
    if len(adding) > 1:
        raise _refused("several post-processors")
    if not adding:
        return {"before": [], "after": []}
    (one,) = adding
    if one["type"] in ("BertProcessing", "RobertaProcessing"):
        return {"before": [one["cls"][1]], "after": [one["sep"][1]]}
    if one["type"] != "TemplateProcessing":
        raise _refused(f"'{one['type']}'")
    parts = [next(iter(part.items())) for part in one["single"]]
    at = next(i for i, (kind, _) in enumerate(parts) if kind == "Sequence")
    known = one["special_tokens"]

    def numbers(some: list[tuple[str, Any]]) -> list[int]:
        return [number for _, part in some for number in known[part["id"]]["ids"]]

    return {"before": numbers(parts[:at]), "after": numbers(parts[at + 1 :])}


def _refused(what: str) -> InputError:
    return InputError(f"a tokenizer with {what}, which a live page cannot do", hint="give another model")
