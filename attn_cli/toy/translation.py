"""How good translations are: what a model writes for held-out sentences, beside what people wrote.

BLEU (Papineni et al. 2002, ACL, 311–318) and chrF (Popović 2015, WMT, 392–395) as sacrebleu computes them
(Post 2018, arXiv:1804.08771): corpus scores from 0 to 100, of detokenised text.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import zip_longest
from typing import TYPE_CHECKING

import torch

from ..errors import InputError
from ..transformer.decoding import greedy, most_written
from .batches import Numbered
from .examples import END
from .pieces import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..transformer.model import Transformer
    from .examples import Dataset, Example

_SIZE = 64  # sentences at a time
_CHINESE = ("zh", "yue", "lzh", "wuu")  # of which BLEU counts characters, as there are no spaces


@dataclass(frozen=True)
class Scores:
    """Corpus scores of what was written for some different sentences."""

    bleu: float
    chrf: float
    sentences: int


def measure(dataset: Dataset, write: Callable[[Sequence[Example]], list[str]]) -> dict[str, Scores]:
    """Scores of what `write` makes of the held-out sentences, for each language that it writes.

    A sentence that stands there several times counts once, and all its translations are right. Raises
    InputError where sacrebleu is not installed.
    """
    measured = {}
    for start in dataset.starts:
        right: dict[tuple[str, ...], list[Example]] = {}
        for example in dataset.held_out:
            if example.start == start:
                right.setdefault(example.source, []).append(example)
        if right:
            written = write([one[0] for one in right.values()])
            references = [[text(example.written) for example in one] for one in right.values()]
            language = start.strip("[]")
            measured[language] = score(written, references, language)
    return measured


@torch.inference_mode()
def translate(model: Transformer, dataset: Dataset, examples: Sequence[Example]) -> list[str]:
    """What the model writes, greedily, for the source of each example."""
    end = dataset.vocabulary.index(END)
    device = next(model.parameters()).device
    data = Numbered(examples, dataset, writes=True)
    by_length = sorted(range(len(examples)), key=lambda i: len(examples[i].source))
    written: dict[int, str] = {}
    for begin in range(0, len(by_length), _SIZE):
        chosen = by_length[begin : begin + _SIZE]
        batch = data.batch(chosen).to(device)
        assert batch.written is not None
        longest = most_written(batch.source.shape[1], model.config.max_len)
        rows = greedy(model, batch.source, batch.padding_mask, batch.written[:, 0], end, longest)
        for i, row in zip(chosen, rows, strict=True):
            pieces = [dataset.vocabulary[number] for number in row]
            written[i] = text(piece for piece in pieces if piece != UNKNOWN)  # which is never right
    return [written[i] for i in range(len(examples))]


def score(written: Sequence[str], right: Sequence[Sequence[str]], language: str) -> Scores:
    """BLEU and chrF of translations, each beside all that are right.

    Raises InputError where sacrebleu is not installed.

    >>> round(score(["the cat sat on the mat"], [["a cat", "the cat sat on the mat"]], "en").bleu, 6)
    100.0
    """
    try:
        from sacrebleu.metrics import BLEU, CHRF
    except ImportError:
        raise InputError("BLEU and chrF need sacrebleu", hint="pip install 'attn-cli[translate]'") from None
    references = [list(column) for column in zip_longest(*right)]  # None where there are fewer
    chinese = language.lower().partition("-")[0] in _CHINESE
    bleu = BLEU(tokenize="zh" if chinese else "13a").corpus_score(list(written), references)
    return Scores(bleu.score, CHRF().corpus_score(list(written), references).score, len(written))


def text(tokens: Iterable[str]) -> str:
    """Pieces as the text that they were cut from."""
    return "".join(tokens).replace("▁", " ").strip()
