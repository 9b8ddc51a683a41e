"""A tokenizer learned from sentences: byte-pair encoding, Chinese and Japanese characters one by one.

Sennrich, Haddow & Birch 2016, arXiv:1508.07909.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from .examples import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

UNKNOWN = "[unk]"
_IDEOGRAPHS = r"[\p{Han}\p{Hiragana}\p{Katakana}]"
# The mark goes from what begins with no word: from punctuation, and from characters that have no spaces between.
_NO_WORD = rf"\A▁(?:(?![\p{{L}}\p{{N}}'])|(?={_IDEOGRAPHS}))"


def new_tokenizer(sentences: Iterable[str], size: int, special: Sequence[str] = (), *, whole: int = 0) -> Any:
    """A tokenizer of at most `size` pieces; a word is the same piece first in a text as after a space, ▁.

    Every character that occurs twice is one of them, even where these are more than `size`. Characters that
    occur once are unknown to it, as a model would know nothing of them anyway. The `whole` most frequent words
    are one piece each, in capitals and in small letters, as far as they are so written twice. Raises InputError
    when `size`, which all that learn one call `vocab`, is not between 2 and a million, or holds fewer than these.

    >>> for whole in (0, 3):
    ...     new_tokenizer(["so low", "so lower", "so low"] * 3, 12, whole=whole).encode("low lower").tokens
    ['▁lo', 'w', '▁lo', 'w', 'e', 'r']
    ['▁low', '▁lower']
    """
    within("vocab", size, 2, 1_000_000)  # room is made for all before it is known how many there are
    within("whole", whole, 0, 1_000_000)
    from tokenizers import trainers

    tokenizer = _untrained()
    sentences = [tokenizer.normalizer.normalize_str(sentence) for sentence in sentences]
    alphabet = _frequent(sentences)
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        min_frequency=2,
        show_progress=False,
        special_tokens=[UNKNOWN, *special],
        # Both, as which of several equally rare characters a limit leaves out differs from run to run.
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
    )
    tokenizer.train_from_iterator(sentences, trainer)
    if whole:
        _keep_whole(tokenizer, _words(tokenizer, sentences, whole), size)
    return tokenizer


def _untrained() -> Any:
    """How texts are cut before pieces are learned, and put together again."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.encode_special_tokens = True  # what looks like one in a text is text
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Prepend("▁"), normalizers.Replace(Regex(_NO_WORD), "")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(prepend_scheme="never"),
            pre_tokenizers.Split(Regex(_IDEOGRAPHS), "isolated"),
            pre_tokenizers.Split(Regex(r"[^\p{L}\p{M}\p{N}▁']"), "isolated"),
        ]
    )
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")  # which takes the first mark off again
    return tokenizer


def _words(tokenizer: Any, sentences: Iterable[str], most: int) -> list[str]:
    """The most frequent words, whatever their case: with a space in front, and without where that occurs twice."""
    counts = Counter(
        word
        for sentence in sentences
        for word, _ in tokenizer.pre_tokenizer.pre_tokenize_str(sentence)
        if len(word) > 1 and word.removeprefix("▁")[0].isalpha()  # a character is a piece anyway
    )
    written, total = Counter[str](), Counter[str]()
    for word, n in counts.items():
        written[word.removeprefix("▁")] += n
        total[word.removeprefix("▁").casefold()] += n
    chosen = {word for word, _ in total.most_common(most)}
    twice = {word: n for word, n in written.items() if n > 1 and word.casefold() in chosen}
    without_space = [word for word, n in counts.items() if n > 1 and word in twice]
    return [f"▁{word}" for word in twice] + without_space


def _keep_whole(tokenizer: Any, words: Sequence[str], size: int) -> None:
    """Let words be pieces, replacing what was merged last."""
    from tokenizers import models

    learned = json.loads(tokenizer.to_str())["model"]
    merges = [(left, right) for left, right in learned["merges"]]
    merged = ["".join(pair) for pair in merges]
    characters = [piece for piece in learned["vocab"] if piece not in set(merged)]
    pieces = dict.fromkeys([*characters, *words])
    if len(pieces) > size:
        raise InputError(
            f"vocab {size}, but {len(pieces)} are needed for {len(words)} words and every character",
            hint="give a larger vocab, or a smaller whole",
        )
    for n, piece in enumerate(merged):
        if len(pieces) == size and piece not in pieces:
            merges = merges[:n]
            break
        pieces[piece] = None
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    # A word that is a piece is looked up before anything is merged.
    tokenizer.model = models.BPE(vocabulary, merges, unk_token=UNKNOWN, ignore_merges=True)


def pieces_of(tokenizer: Any) -> tuple[str, ...]:
    """All pieces that a tokenizer knows, each at its number."""
    return tuple(tokenizer.id_to_token(i) for i in range(tokenizer.get_vocab_size()))


def asks_first(tokenizer: Any, token: str) -> None:
    """Let a tokenizer put this special token of its own in front of every text."""
    from tokenizers import processors

    number = tokenizer.token_to_id(token)
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{token} $A", special_tokens=[(token, number)]
    )


def _frequent(sentences: Iterable[str]) -> list[str]:
    """The characters that occur more than once, as pieces have them."""
    counts = Counter(c for sentence in sentences for c in sentence.replace(" ", "▁"))
    return sorted(c for c, n in counts.items() if n > 1)
