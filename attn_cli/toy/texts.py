"""Pre-training in miniature, on any text of one's own: what comes next, and what was covered up."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from .examples import LONGEST, Dataset, Example, Recipe, learns, within
from .lines import lines
from .own import OWN, apart
from .pieces import new_tokenizer, pieces_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from jaxtyping import Bool

MASK = "[mask]"


@OWN.register
@learns(
    Recipe(
        stack="decoder", attends="decoder", steps=1000, batch=32, lr=0.002, dropout=0.2, patience=4,
        positions="rope", measure="loss", seconds=90, goal=0.0,
    )
)  # fmt: skip
def lm(text: str, *, vocab: int = 1000, length: int = 48) -> Dataset:
    """Text, piece after piece, as GPT: to be or not to → be; at neighbours, and after earlier selves.

    Windows of `length` pieces out of `vocab`; one in twenty is held out. Radford et al. 2018, Improving language
    understanding by generative pre-training. Raises InputError when the text is too short, or `length` is not
    between 2 and 1000.

    >>> dataset = lm("".join(f"be or not {n}?\\n" for n in range(200)), vocab=40, length=4)
    >>> dataset.train[0].source, dataset.train[0].target
    (('▁be', '▁or', '▁not', '▁'), ('▁or', '▁not', '▁', '0'))
    """
    within("length", length, 2, LONGEST)
    tokenizer, windows = _windows(text, vocab, length + 1)  # what comes after the last is asked too

    def example(pieces: Sequence[str]) -> Example:
        source = tuple(pieces[:-1])
        near = np.tri(len(source), dtype=bool) & ~np.tri(len(source), k=-3, dtype=bool)
        return Example(
            source, tuple(pieces[1:]), near | (np.tri(len(source), dtype=bool) & _after_same(source))
        )

    return _dataset(tokenizer, windows, example)


@OWN.register
@learns(
    Recipe(
        steps=1500,
        batch=32,
        lr=0.002,
        dropout=0.1,
        patience=8,
        positions="rope",
        measure="loss",
        seconds=120,
        goal=0.0,
    )
)
def mlm(text: str, *, vocab: int = 1000, length: int = 48, share: float = 0.15) -> Dataset:
    """Text with pieces covered up, as BERT: to [mask] or not to be → be; at its neighbours.

    Windows of `length` pieces out of `vocab`, of which a `share` is asked for: eight in ten are covered, one is
    another piece, one stays. One window in twenty is held out. Devlin et al. 2018, arXiv:1810.04805, § 3.1.
    Raises InputError when the text is too short, `length` is not between 2 and 1000, or the share not between
    0 and 1.

    >>> dataset = mlm("".join(f"be or not {n}?\\n" for n in range(200)), vocab=40, length=4)
    >>> dataset.train[0].source, dataset.train[0].target
    (('▁be', '▁or', '[mask]', '[mask]'), ('▁be', None, '▁not', '▁'))
    """
    if not 0 < share < 1:
        raise InputError(f"share {share}", hint="give a number between 0 and 1")
    within("length", length, 2, LONGEST)
    tokenizer, windows = _windows(text, vocab, length, [MASK])
    pieces = sorted({piece for window in windows for piece in window})
    rng = np.random.default_rng(0)

    def example(window: Sequence[str]) -> Example:
        n = len(window)
        asked = rng.random(n) < share
        asked[rng.integers(n)] = True  # one at least
        seen = [
            _covered(piece, rng, pieces) if ask else piece for piece, ask in zip(window, asked, strict=True)
        ]
        near = np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
        target = tuple(piece if ask else None for piece, ask in zip(window, asked, strict=True))
        return Example(tuple(seen), target, asked[:, None] & (near > 0) & (near <= 2))

    return _dataset(tokenizer, windows, example)


def _covered(piece: str, rng: np.random.Generator, others: Sequence[str]) -> str:
    how = rng.random()
    return MASK if how < 0.8 else others[int(rng.integers(len(others)))] if how < 0.9 else piece


def _after_same(source: Sequence[str]) -> Bool[np.ndarray, "query key"]:
    """For each position the places right after an earlier occurrence of its own token."""
    tokens = np.array(source)
    same = np.zeros((len(tokens), len(tokens)), dtype=bool)
    same[:, 1:] = tokens[:, None] == tokens[None, :-1]
    return same & np.tri(len(tokens), dtype=bool)


def _windows(
    text: str, vocab: int, length: int, special: Sequence[str] = ()
) -> tuple[Any, list[tuple[str, ...]]]:
    """The text, line breaks as spaces, cut into pieces and these into windows that do not overlap."""
    said = [" ".join(line.split()) for _, line in lines(text) if line.strip()]
    tokenizer = new_tokenizer(said, vocab, special)
    encoded = tokenizer.encode_batch([f" {line}" if i else line for i, line in enumerate(said)])
    pieces = [piece for one in encoded for piece in one.tokens]
    windows = [tuple(pieces[i : i + length]) for i in range(0, len(pieces) - length + 1, length)]
    return tokenizer, windows


def _dataset(
    tokenizer: Any, windows: Sequence[tuple[str, ...]], example: Callable[[Sequence[str]], Example]
) -> Dataset:
    kept, unseen = apart(windows, "".join, "window", hint="give a longer text, or a smaller length")
    # Where to look grows with the square of a window, and nothing is measured by that of training ones.
    train = [replace(example(window), expected=None) for window in kept]
    held_out = [example(window) for window in unseen]
    vocabulary = pieces_of(tokenizer)
    return Dataset(
        tuple(train),
        tuple(held_out),
        vocabulary,
        tokenizer=tokenizer.to_str(),
        facts={"token frequencies": unigram_entropy(train, held_out, len(vocabulary))},
    )


def unigram_entropy(train: Sequence[Example], held_out: Sequence[Example], vocab: int) -> float:
    """The loss of a token-frequency baseline: mean of −log p over the held-out ones, in nats.

    p = (count + 1) / (total + vocab), of what is asked in training: Laplace's rule, so that nothing has p = 0.

    >>> one, two = Example(("a",), ("a",)), Example(("b",), ("b",))
    >>> unigram_entropy([one, one, two], [one], vocab=2)  # −log 3/5
    0.5108256237659907
    """
    counts = Counter(token for example in train for token in example.written)
    total = counts.total() + vocab
    asked = [token for example in held_out for token in example.written]
    return float(np.mean([-np.log((counts[token] + 1) / total) for token in asked]))
