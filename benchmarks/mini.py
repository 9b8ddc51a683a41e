"""`python -m benchmarks.mini [PAIRS.tsv]`: what the bundled model is worth, as its card reports it.

The words that cross-attention aligns, beside those that a person aligned; and with the sentence pairs it was
trained from, BLEU and chrF of what it writes for the held-out ones. Nothing here is about time.
"""

from __future__ import annotations

import csv
import re
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from attn_cli import models
from attn_cli.models.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from attn_cli.toy.examples import Dataset
    from attn_cli.toy.translation import Scores

LINKS = Path(__file__).with_name("alignments.tsv")


def agreement(model: Any) -> dict[str, np.ndarray]:
    """For both directions, the share of links that each layer and head agrees with; last column: mean of heads.

    A link is agreed with if, while the word is written, most attention of all words lies on its counterpart.
    """
    with LINKS.open(encoding="utf-8") as file:
        links = list(csv.DictReader(file, delimiter="\t"))
    directions = {
        "English → Chinese": ("english", "chinese", "word", "word_zh"),
        "Chinese → English": ("chinese", "english", "word_zh", "word"),
    }
    return {
        name: np.mean([_agrees(model, *(link[key] for key in keys)) for link in links], axis=0)
        for name, keys in directions.items()
    }


def _agrees(model: Any, source: str, target: str, word: str, written: str) -> np.ndarray:
    attention = model.attend(source, Reading(kind="cross", target=target))
    weights = np.concatenate([attention.weights, attention.weights.mean(axis=1, keepdims=True)], axis=1)
    rows = _pieces(model, target, written)
    keys = _pieces(model, source, word)
    looked = weights[:, :, rows].mean(axis=2)  # [layer, head, key]
    return np.isin(looked.argmax(axis=-1), keys)


def _pieces(model: Any, text: str, word: str) -> list[int]:
    """Which pieces of a text are in a word of it."""
    begin = text.index(word)
    end = begin + len(word)
    offsets = model.tokenizer.encode(text).offsets
    return [i for i, (a, b) in enumerate(offsets) if a < end and b > begin and text[a:b].strip()]


def quality(model: Any, pairs: str) -> Iterator[str]:
    """BLEU and chrF on the held-out pairs, in both directions."""
    from attn_cli.toy.lines import rows
    from attn_cli.toy.own import apart
    from attn_cli.toy.translation import measure, translate

    train, held_out = apart(rows(pairs, 1, "ENGLISH<tab>CHINESE"), lambda pair: pair[0], "sentence")
    dataset = _dataset(model, held_out)
    for language, scores in measure(dataset, partial(translate, model.model, dataset)).items():
        yield told(language, scores)
    unseen = {chinese for _, chinese in held_out}
    yield whole(model, [english for english, chinese in train if chinese not in unseen])


def _dataset(model: Any, pairs: Sequence[tuple[str, str]]) -> Dataset:
    """Pairs in both directions, in the pieces that the model reads, whatever pieces would be learned today."""
    from attn_cli.toy.examples import Dataset, Example

    cut = [[tuple(model.tokenizer.encode(side).tokens) for side in pair] for pair in pairs]
    examples = [Example(english, chinese, start="[zh]") for english, chinese in cut]
    examples += [Example(chinese, english, start="[en]") for english, chinese in cut]
    return Dataset((), tuple(examples), model.vocabulary, starts=("[en]", "[zh]"))


def whole(model: Any, sentences: Iterable[str], most: int = 3000) -> str:
    """How many of the most frequent words are one piece, each written as it mostly is."""
    written = Counter(word for said in sentences for word in re.findall(r"[^\W\d_][\w']*", said))
    total, mostly = Counter[str](), dict[str, str]()
    for word, n in written.most_common():
        total[word.lower()] += n
        mostly.setdefault(word.lower(), word)
    frequent = [mostly[word] for word, _ in total.most_common(most)]
    known = sum(len(model.tokenizer.encode(word).tokens) == 1 for word in frequent)
    return f"{known:,} of the {len(frequent):,} most frequent English words are one piece"


def told(language: str, scores: Scores) -> str:
    """One direction in a line."""
    return f"to {language}: BLEU {scores.bleu:.1f}, chrF {scores.chrf:.1f}, {scores.sentences} sentences"


def main() -> None:
    """Print what the card says."""
    model = models.load(models.MINI)
    for name, shares in agreement(model).items():
        layer, head = np.unravel_index(shares.argmax(), shares.shape)
        which = f"layer {layer}, " + (f"head {head}" if head < shares.shape[1] - 1 else "mean of heads")
        print(f"{name}: {shares.max():.0%} of 50 word links, by {which}")
        for row in shares:
            print("   " + "  ".join(f"{share:4.0%}" for share in row[:-1]) + f"   mean {row[-1]:4.0%}")
    for path in sys.argv[1:]:
        print(*quality(model, Path(path).read_text("utf-8")), sep="\n")


if __name__ == "__main__":
    main()
