"""Tasks on data of one's own: one function per kind of file makes the examples."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable  # noqa: TC003 (the registry is made with it)
from typing import TYPE_CHECKING, Any

from ..errors import InputError
from ..registry import Registry
from .examples import END, Dataset, Example, Recipe, learns
from .pieces import new_tokenizer, pieces_of

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    skip: int = 0,
    both: bool = False,
    source: str = "source",
    target: str = "target",
) -> Dataset:
    """Sentence pairs with a tab between: the cat → die Katze; cross-attention aligns the words.

    `vocab` pieces, learned from both sides; `skip` lines at the top are left out; `both` learns the two
    directions in one model. `source` and `target` name the languages: the decoder first reads `[target]`,
    which says what to write. One sentence of the left side in twenty is held out, and no training pair has a
    right side that a held-out one has.

    >>> lines = "".join(f"{n} cats\\t{n} Katzen\\n" for n in range(100))
    >>> dataset = translate(lines, vocab=60)
    >>> dataset.train[0].source, dataset.train[0].start
    (('0', '▁cats'), '[target]')
    """
    pairs = _pairs(text, skip)
    held_out = [pair for pair in pairs if is_held_out(pair[0])]
    unseen = {right for _, right in held_out}
    train = [pair for pair in pairs if not is_held_out(pair[0]) and pair[1] not in unseen]
    if not train or not held_out:
        raise InputError(f"{len(pairs)} pairs are too few", hint="give at least a hundred")
    names = [f"[{source}]", f"[{target}]"]
    tokenizer = new_tokenizer((side for pair in train for side in pair), vocab, [END, *names])
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


def _pairs(text: str, skip: int) -> list[tuple[str, str]]:
    pairs = []
    for number, line in enumerate(text.splitlines(), start=1):
        if number <= skip or not line.strip():
            continue
        left, tab, rest = line.partition("\t")
        right = rest.partition("\t")[0].strip()
        if not tab or not left.strip() or not right:
            raise InputError(
                "no tab between two sentences", hint="give SOURCE<tab>TARGET", where=f"line {number}"
            )
        pairs.append((left.strip(), right))
    return list(dict.fromkeys(pairs))


def is_held_out(sentence: str) -> bool:
    """One sentence in twenty, by its hash alone."""
    return hashlib.sha256(sentence.encode("utf-8", "surrogatepass")).digest()[0] % 20 == 0


def _cut(tokenizer: Any, pairs: Sequence[tuple[str, str]], side: int) -> list[tuple[str, ...]]:
    return [tuple(encoding.tokens) for encoding in tokenizer.encode_batch([pair[side] for pair in pairs])]


def _sides(vocabulary: Sequence[str], cut: Sequence[Sequence[tuple[str, ...]]]) -> str:
    """For each token on which side it is more frequent, 0 or 1: so a text can be told from its translation."""
    left, right = (Counter(token for tokens in side for token in tokens) for side in cut)
    return "".join("1" if right[token] > left[token] else "0" for token in vocabulary)
