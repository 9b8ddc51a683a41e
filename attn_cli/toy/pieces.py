"""A tokenizer learned from sentences: byte-pair encoding, Chinese and Japanese characters one by one.

Sennrich, Haddow & Birch 2016, arXiv:1508.07909.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .examples import within

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

UNKNOWN = "[unk]"
_IDEOGRAPHS = r"[\p{Han}\p{Hiragana}\p{Katakana}]"


def new_tokenizer(sentences: Iterable[str], size: int, special: Sequence[str] = ()) -> Any:
    """A tokenizer of at most `size` pieces; a space becomes part of the word that follows it, as ▁.

    Every character that occurs twice is one of them, even where these are more than `size`. Characters that
    occur once are unknown to it, as a model would know nothing of them anyway. Raises InputError when `size`,
    which all that learn one call `vocab`, is not between 2 and a million.

    >>> new_tokenizer(["low lower lowest"] * 3, 20).encode("lower low").tokens
    ['low', 'e', 'r', '▁low']
    """
    within("vocab", size, 2, 1_000_000)  # room is made for all before it is known how many there are
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token=UNKNOWN))
    tokenizer.encode_special_tokens = True  # what looks like one in a text is text
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Metaspace(prepend_scheme="never"),
            pre_tokenizers.Split(Regex(_IDEOGRAPHS), "isolated"),
            pre_tokenizers.Split(Regex(r"[^\p{L}\p{M}\p{N}▁']"), "isolated"),
        ]
    )
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="never")
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
    return tokenizer


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
    from collections import Counter

    counts = Counter(c for sentence in sentences for c in sentence.replace(" ", "▁"))
    return sorted(c for c, n in counts.items() if n > 1)
