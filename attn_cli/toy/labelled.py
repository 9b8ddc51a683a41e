"""Tasks on labelled texts of one's own: a label for each text, or a tag for each of its words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from .examples import TOTAL, Dataset, Example, Recipe, learns
from .lines import LineError, lines, rows
from .own import OWN, apart
from .pieces import asks_first, new_tokenizer, pieces_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


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
    (('[CLS]', '▁n', '▁is'), ['even'], ('even', 'odd'))
    """
    labelled = rows(text, skip, "LABEL<tab>TEXT", cuts=1)
    labels = tuple(sorted({label for label, _ in labelled}))
    if len(labels) == 1 or (len(labels) > 20 and 2 * len(labels) > len(labelled)):
        raise InputError(
            f"{len(labels)} different label{'s' * (len(labels) > 1)} of {len(labelled)} texts",
            hint="give LABEL<tab>TEXT in each line, the label first",
        )
    kept, unseen = apart(labelled, lambda row: row[1], "text")
    tokenizer = new_tokenizer((words for _, words in kept), vocab, [TOTAL])
    asks_first(tokenizer, TOTAL)
    train, held_out = ([_of_text(tokenizer, *row) for row in some] for some in (kept, unseen))
    return _dataset(tokenizer, train, held_out, labels)


def _of_text(tokenizer: Any, label: str, text: str) -> Example:
    pieces = tuple(tokenizer.encode(text).tokens)
    return Example(pieces, (label, *[None] * (len(pieces) - 1)))


@OWN.register
@learns(
    Recipe(
        steps=1000, batch=32, lr=0.003, dropout=0.1, patience=6, positions="rope", measure="F1", seconds=60, goal=0.0
    )
)  # fmt: skip
def tag(text: str, *, vocab: int = 2000) -> Dataset:
    """Words with tags, as in CoNLL's files, WORD TAG a line: Oslo → B-LOC; at what tells the kind.

    The first column is the word and the last its tag. Columns stand apart by tabs, or by spaces in a line
    without a tab; an empty line ends a sentence. A word of several pieces has its tag on the first. One sentence
    in twenty is held out. Tjong Kim Sang & De Meulder 2003, arXiv:cs/0306050. Raises InputError when a line has
    one column only, or there are too few sentences.

    >>> dataset = tag("".join(f"in O\\nOslo{n} B-LOC\\n\\n" for n in range(100)), vocab=30)
    >>> dataset.train[0].written, dataset.outputs
    (['O', 'B-LOC'], ('B-LOC', 'O'))
    """
    sentences = list(_sentences(text))
    kept, unseen = apart(sentences, _said, "sentence")
    tokenizer = new_tokenizer(map(_said, kept), vocab)
    tags = tuple(sorted({tag for sentence in sentences for _, tag in sentence}))
    train, held_out = ([_of_words(tokenizer, one) for one in some] for some in (kept, unseen))
    return _dataset(tokenizer, train, held_out, tags)


def _said(sentence: Sequence[tuple[str, str]]) -> str:
    return " ".join(word for word, _ in sentence)


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
    for number, line in [*lines(text), (0, "")]:  # the last sentence ends with the text
        columns = _columns(line)
        if columns and columns[0] != "-DOCSTART-":
            if len(columns) == 1 or not columns[0]:
                raise LineError("this line is not a word and its tag", hint="give WORD TAG", line=number)
            sentence.append((columns[0], columns[-1]))
        elif sentence:
            yield tuple(sentence)
            sentence = []


def _columns(line: str) -> list[str]:
    """Its columns: a word may hold spaces, where tabs stand between."""
    line = line.rstrip()
    return [column.strip() for column in line.split("\t")] if "\t" in line else line.split()


# ---- what both do -------------------------------------------------------------------------------------


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
        facts={"most frequent label": float(counts.max() / counts.sum())},
    )
