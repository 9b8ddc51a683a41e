"""Tasks on data of one's own: one function per kind of file makes the examples."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable  # noqa: TC003 (the registry is made with it)
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import InputError
from ..registry import Registry
from .examples import END, START, Dataset, Example, Recipe, learns, too_few
from .lines import rows
from .pieces import UNKNOWN, new_tokenizer, pieces_of

if TYPE_CHECKING:
    from collections.abc import Sequence

T = TypeVar("T")

OWN: Registry[Callable[..., Dataset]] = Registry("task")


@OWN.register
@learns(
    Recipe(
        stack="both", attends="encoder", steps=11_000, layers=3, dim=128, dropout=0.2, patience=20,
        positions="rope", measure="loss", seconds=3600, goal=0.0,
    )
)  # fmt: skip
def translate(
    text: str,
    *,
    vocab: int = 6000,
    whole: int = 0,
    skip: int = 0,
    both: bool = False,
    source: str = "source",
    target: str = "target",
) -> Dataset:
    """Sentence pairs with a tab between: the cat → die Katze; cross-attention aligns the words.

    `vocab` pieces, learned from both sides, among them the `whole` most frequent words; `skip` lines at the top
    are left out; `both` learns the two directions in one model. `source` and `target` name the languages: the decoder first reads `[target]`,
    which says what to write. One sentence of the left side in twenty is held out, and no training pair has a
    right side that a held-out one has. Raises InputError when a line has no tab, there are too few pairs, or a
    language has a name that cannot be.

    >>> lines = "".join(f"{n} cats\\t{n} Katzen\\n" for n in range(100))
    >>> dataset = translate(lines, vocab=60)
    >>> dataset.train[0].source, dataset.train[0].start
    (('▁0', '▁cats'), '[target]')
    """
    names = [_start("source", source), _start("target", target)]
    if both and source == target:
        raise InputError(f"source and target are both {source!r}", hint="name two languages")
    pairs = rows(text, skip, "SOURCE<tab>TARGET")
    train, held_out = apart(pairs, lambda pair: pair[0], "source sentence")
    unseen = {right for _, right in held_out}
    train = [pair for pair in train if pair[1] not in unseen]
    if not train:
        raise too_few(len({right for _, right in pairs}), "target sentence", hint="give a few hundred")
    tokenizer = new_tokenizer((side for pair in train for side in pair), vocab, [END, *names], whole=whole)
    cut = [[_cut(tokenizer, some, side) for side in (0, 1)] for some in (train, held_out)]
    examples = [
        [Example(left, right, start=names[1]) for left, right in zip(*sides, strict=True)]
        + [Example(right, left, start=names[0]) for left, right in zip(*sides, strict=True)] * both
        for sides in cut
    ]
    vocabulary = pieces_of(tokenizer)
    return Dataset(
        tuple(examples[0]),
        tuple(examples[1]),
        vocabulary,
        tokenizer=tokenizer.to_str(),
        starts=tuple(names if both else names[1:]),
        sides=_sides(vocabulary, cut[0]) if both else "",
    )


def _start(option: str, language: str) -> str:
    """What a decoder reads first to write this language; as it is shown, nothing in it may need escaping."""
    token = f"[{language}]"
    if not re.fullmatch(r"[\w-]+", language):
        raise InputError(f"{option} {language!r}", hint="name it by letters, digits, - and _")
    if token in (START, END, UNKNOWN):
        raise InputError(f"{option} {language!r}: another token has that name", hint="give another name")
    return token


def apart(
    some: Sequence[T], text: Callable[[T], str], noun: str, *, hint: str = "give a few hundred"
) -> tuple[list[T], list[T]]:
    """Those to train on, and each of those held out once; the same text is never in both.

    Raises InputError where one of the two is empty.
    """
    train = [one for one in some if not is_held_out(text(one))]
    held_out = list(dict.fromkeys(one for one in some if is_held_out(text(one))))
    if not train or not held_out:
        raise too_few(len({text(one) for one in some}), noun, hint=hint)
    return train, held_out


def is_held_out(sentence: str) -> bool:
    """One sentence in twenty, by its hash alone."""
    return hashlib.sha256(sentence.encode("utf-8", "surrogatepass")).digest()[0] % 20 == 0


def _cut(tokenizer: Any, pairs: Sequence[tuple[str, str]], side: int) -> list[tuple[str, ...]]:
    return [tuple(encoding.tokens) for encoding in tokenizer.encode_batch([pair[side] for pair in pairs])]


def _sides(vocabulary: Sequence[str], cut: Sequence[Sequence[tuple[str, ...]]]) -> str:
    """For each token on which side it is more frequent, 0 or 1: so a text can be told from its translation."""
    left, right = (Counter(token for tokens in side for token in tokens) for side in cut)
    return "".join("1" if right[token] > left[token] else "0" for token in vocabulary)
