"""Tasks on labelled texts of one's own: a label for each text, or a tag for each of its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from .examples import Dataset, Example, Recipe, learns
from .own import OWN, is_held_out
from .pieces import asks_first, new_tokenizer, pieces_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

TOTAL = "[CLS]"  # where the label of a whole text is asked


@OWN.register
@learns(
    Recipe(
        steps=1000, batch=32, lr=0.003, dropout=0.1, patience=6, positions="rope", measure="exact match", seconds=60, goal=0.0
    )
)  # fmt: skip
def classify(text: str, *, vocab: int = 2000, skip: int = 0) -> Dataset:
    """Texts with labels, LABEL<tab>TEXT a line: a fine film → good; at the words that decide.

    `vocab` pieces, `skip` lines at the top are left out. One text in twenty is held out. Raises InputError
    when a line has no tab, there is but one label, or there are too few texts.

    >>> dataset = classify("".join(f"{'even' if n % 2 == 0 else 'odd'}\\tn is {n}\\n" for n in range(200)), vocab=30)
    >>> dataset.train[0].source[:3], dataset.train[0].written, dataset.outputs
    (('[CLS]', 'n', '▁is'), ['even'], ('even', 'odd'))
    """
    rows = _rows(text, skip)
    labels = tuple(sorted({label for label, _ in rows}))
    if len(labels) == 1 or (len(labels) > 20 and 2 * len(labels) > len(rows)):
        raise InputError(
            f"{len(labels)} different label{'s' * (len(labels) > 1)} of {len(rows)} texts",
            hint="give LABEL<tab>TEXT in each line, the label first",
        )
    kept, unseen = _apart(rows, lambda row: row[1])
    tokenizer = new_tokenizer((words for _, words in kept), vocab, [TOTAL])
    asks_first(tokenizer, TOTAL)
    train, held_out = ([_of_text(tokenizer, *row) for row in some] for some in (kept, unseen))
    return _dataset(tokenizer, train, held_out, labels)


def _of_text(tokenizer: Any, label: str, text: str) -> Example:
    pieces = tuple(tokenizer.encode(text).tokens)
    return Example(pieces, (label, *[None] * (len(pieces) - 1)))


def _rows(text: str, skip: int) -> list[tuple[str, str]]:
    rows = []
    for number, line in enumerate(text.splitlines(), start=1):
        if number <= skip or not line.strip():
            continue
        label, _, rest = (part.strip() for part in line.partition("\t"))
        if not label or not rest:
            raise InputError(
                "no label and text with a tab between", hint="give LABEL<tab>TEXT", where=f"line {number}"
            )
        rows.append((label, rest))
    return list(dict.fromkeys(rows))


@OWN.register
@learns(
    Recipe(
        steps=1000, batch=32, lr=0.003, dropout=0.1, patience=6, positions="rope", measure="F1", seconds=60, goal=0.0
    )
)  # fmt: skip
def tag(text: str, *, vocab: int = 2000) -> Dataset:
    """Words with tags, as in CoNLL's files, WORD TAG a line: Oslo → B-LOC; at what tells the kind.

    The first column is the word and the last its tag; columns stand apart by spaces or tabs, and an empty line
    ends a sentence. A word of several
    pieces has its tag on the first. One sentence in twenty is held out. Tjong Kim Sang & De Meulder 2003,
    arXiv:cs/0306050. Raises InputError when a line has one column only, or there are too few sentences.

    >>> dataset = tag("".join(f"in O\\nOslo{n} B-LOC\\n\\n" for n in range(100)), vocab=30)
    >>> dataset.train[0].written, dataset.outputs
    (['O', 'B-LOC'], ('B-LOC', 'O'))
    """
    sentences = list(_sentences(text))
    kept, unseen = _apart(sentences, lambda sentence: " ".join(word for word, _ in sentence))
    tokenizer = new_tokenizer((" ".join(word for word, _ in one) for one in kept), vocab)
    tags = tuple(sorted({tag for sentence in sentences for _, tag in sentence}))
    train, held_out = ([_of_words(tokenizer, one) for one in some] for some in (kept, unseen))
    return _dataset(tokenizer, train, held_out, tags)


def _of_words(tokenizer: Any, sentence: Sequence[tuple[str, str]]) -> Example:
    source: list[str] = []
    target: list[str | None] = []
    for i, (word, its_tag) in enumerate(sentence):
        pieces = tokenizer.encode(f" {word}" if i else word).tokens
        source += pieces
        target += [its_tag, *[None] * (len(pieces) - 1)]
    return Example(tuple(source), tuple(target))


def _sentences(text: str) -> Iterator[tuple[tuple[str, str], ...]]:
    sentence: list[tuple[str, str]] = []
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        columns = line.split()
        if columns and columns[0] != "-DOCSTART-":
            if len(columns) == 1:
                raise InputError("a word without a tag", hint="give WORD TAG", where=f"line {number}")
            sentence.append((columns[0], columns[-1]))
        elif sentence:
            yield tuple(sentence)
            sentence = []


# ---- what both do -------------------------------------------------------------------------------------


def _apart(rows: Sequence[Any], text: Any) -> tuple[list[Any], list[Any]]:
    """Those to train on and those held out; the same text is never in both."""
    kept = [row for row in rows if not is_held_out(text(row))]
    unseen = list(dict.fromkeys(row for row in rows if is_held_out(text(row))))
    if not kept or not unseen:
        raise InputError(f"{len(rows)} examples are too few", hint="give at least a hundred")
    return kept, unseen


def _dataset(
    tokenizer: Any, train: Sequence[Example], held_out: Sequence[Example], outputs: tuple[str, ...]
) -> Dataset:
    vocabulary = pieces_of(tokenizer)
    counts = np.unique([word for one in train for word in one.written], return_counts=True)[1]
    return Dataset(
        tuple(train),
        tuple(held_out),
        vocabulary,
        outputs,
        tokenizer=tokenizer.to_str(),
        facts={"what is most frequent": float(counts.max() / counts.sum())},
    )
