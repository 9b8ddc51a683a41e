"""A text and what a model has written after it: tokens with their names, and what else might have stood there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, note
from ..text.characters import one_line
from ..text.escaping import escape
from ..text.pieces import in_bytes, labels, spaced
from ..transformer.writing import N_LIKELIEST
from ..variants.sampling import sampling_of
from .native.text import Tokenised, joined

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ..records.attention import Kind
    from ..registry import Variant
    from ..transformer.writing import Writer
    from .reading import Reading

_LOST = "\N{REPLACEMENT CHARACTER}"  # what part of a character's bytes decode to
_BEFORE = 8  # tokens that are decoded with the next, so that it has its space
_LONGEST = 80  # characters of what was written that a provenance quotes


@dataclass(frozen=True, eq=False)
class Spelling:
    """What a tokenizer knows of its tokens."""

    decode: Callable[[list[int]], str]  # special tokens by their names
    piece: Callable[[int], str | None]  # as it stands in the vocabulary
    special: frozenset[int]

    def name(self, number: int) -> str:
        """A token by itself, with the space before it if it has one."""
        piece, text = self.piece(number), self.decode([number])
        if not text or _LOST in text:
            return in_bytes(piece, text) if piece else f"[{number}]"
        return f" {text}" if piece is not None and piece.startswith("▁") and text[0] != " " else text

    def text(self, before: Sequence[int], numbers: Sequence[int]) -> str:
        """What tokens add to a text."""
        beginning = list(before[-_BEFORE:])
        return self.decode([*beginning, *numbers])[len(self.decode(beginning)) :]

    def tokens(self, before: Sequence[int], numbers: Sequence[int]) -> Tokenised:
        """Tokens after others, called by their characters; those that share one by which part of it they are."""
        names: list[str] = []
        read, group = list(before), list[int]()
        for at, number in enumerate(numbers, 1):
            group.append(number)
            text = self.text(read, group)
            if _LOST not in text or at == len(numbers):
                names += self._names(text, group)
                read, group = read + group, []
        marks = [number in self.special for number in numbers]
        return Tokenised(list(numbers), names, [0] * len(names), marks)

    def _names(self, text: str, group: Sequence[int]) -> list[str]:
        pieces = [self.piece(number) or f"[{number}]" for number in group]
        if not text:
            return [spaced(piece) for piece in pieces]
        if len(group) == 1:
            return [text.strip() or text]
        return [name.strip() or name for name in labels(text, pieces, [(0, len(text))] * len(group))]


@dataclass(frozen=True, eq=False)
class Continued:
    """A text with what a model has written after it."""

    piece: Tokenised
    text: str
    said: str  # of how it was written, for the provenance
    beside: Mapping[str, Any]  # fields of the record, for all tokens


def continued(given: Tokenised, text: str, writer: Writer, spelling: Spelling) -> Continued:
    """The text of a record, once a model has gone on with it."""
    new = spelling.tokens(given.numbers, writer.numbers)
    written = one_line(spelling.text(given.numbers, writer.numbers))
    how = _said(writer.choose)
    note(f"{how} output: {escape(written.strip())}")
    short = written if len(written) <= _LONGEST else written[:_LONGEST] + "…"
    said = f', {how} output "{escape(short.strip())}"'
    return Continued(
        joined([given, new]), text + written, said, likelihoods(len(given.numbers), writer, spelling)
    )


def choice(reading: Reading, n_given: int, longest: int) -> Variant:
    """The way in which a model is to write.

    Raises InputError where there is no room for what it is to write.
    """
    assert reading.generate is not None, "asked only of what is to be written"
    if (room := longest - n_given) < reading.generate:
        hint = f"give --generate {room}, or a shorter text" if room > 0 else "give a shorter text"
        what = f"{n_given:,} tokens and {reading.generate:,} to write, the model has room for {longest:,}"
        raise InputError(what, hint=hint)
    return sampling_of(reading.sample)


def _said(choose: Variant) -> str:
    """How tokens were chosen, in words.

    >>> _said(sampling_of("temperature=0.5"))
    'sampled (temperature=0.5, seed 0)'
    """
    if choose.name == "greedy":
        return "greedy"
    name, _, options = choose.spec.partition(":")
    named = [*filter(None, ["" if name == "random" else name, options.replace(",", ", ")])]
    if "seed" in choose.options and "seed=" not in options:
        named.append(f"seed {choose.options['seed']}")
    return f"sampled ({', '.join(named)})"


def answered(kind: Kind, writer: Writer, spelling: Spelling, n: int, n_given: int = 0) -> dict[str, Any]:
    """The same of the n queries of an encoder–decoder, so many of which it was given before it wrote.

    Its decoder reads a start before all; of cross-attention no key was written.
    """
    found = likelihoods(n_given + (kind == "decoder"), writer, spelling, n)
    return found if kind == "decoder" else {name: each for name, each in found.items() if name != "written"}


def likelihoods(n_given: int, writer: Writer, spelling: Spelling, n: int | None = None) -> dict[str, Any]:
    """Which of n tokens were written, how likely each was, and the likeliest in its place, by number and name.

    They stand after those that were given; without an n they are all that were written.
    """
    n_written = len(writer.numbers) if n is None else min(n - n_given, len(writer.numbers))
    n = n_given + n_written if n is None else n
    after = n - n_given - n_written
    tops = writer.likeliest[:n_written]
    known = list(dict.fromkeys(number for top in tops for number, _ in top))
    place = {number: i for i, number in enumerate(known)}
    tokens, chances = np.full((n, N_LIKELIEST), -1), np.zeros((n, N_LIKELIEST))
    for row, top in enumerate(tops, n_given):
        tokens[row, : len(top)] = [place[number] for number, _ in top]
        chances[row, : len(top)] = [p for _, p in top]
    return {
        "written": tuple([0] * n_given + [1] * n_written + [0] * after),
        "probabilities": np.array([0.0] * n_given + writer.probabilities[:n_written] + [0.0] * after),
        "top_tokens": tokens,
        "top_probabilities": chances,
        "candidates": tuple(map(spelling.name, known)),
    }
