"""Many texts of a command: files, lines, fields of JSON, counted one after the other with a bar."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import files
from ...errors import InputError
from ...files.texts import count, field_of, texts_in
from ...records.progress import Progress
from .inputs import typed
from .progress import bar
from .resolve import loaded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from ...records.table import Table
    from ...sources.measuring import Measured, Texts
    from .resolve import Source
    from .source_options import Input

SAVED_EACH = 10.0  # seconds


@dataclass(frozen=True)
class Corpus:
    """Where many texts stand: typed, in files, on their lines, or in a field of each line."""

    given: Input
    paths: tuple[tuple[str, str | None], ...]  # each with its field

    def each(self) -> Iterator[tuple[Any, str]]:
        """What is to be measured and where it stands, read one after the other."""
        for text in self.given.text:
            lines = [line for line in text.splitlines() if line.strip()] if self.given.lines else [text]
            yield from ((typed(line), "--text") for line in lines)
        for path, field in self.paths:
            if self.given.lines or field is not None:
                yield from texts_in(path, field, encoding=self.given.encoding)
            else:
                yield files.read(path, encoding=self.given.encoding), path

    def total(self) -> int:
        """About how many there are; 0 where nobody knows."""
        counts = (count(path) if self.given.lines or field is not None else 1 for path, field in self.paths)
        return len(self.given.text) + sum(counts)


def corpus_of(given: Input) -> Corpus | None:
    """The texts of many INPUTs, of lines, or of a field; None where there is one.

    Raises InputError for a .jsonl without a field.
    """
    if given.text and given.input:
        raise InputError(f"INPUT {given.input[0]!r} cannot be combined with --text", hint="give one of them")
    paths = tuple(map(field_of, given.input or (() if given.text else ("-",))))
    for path, field in paths:
        if path.endswith(".jsonl") and field is None:
            raise InputError(
                "the field that holds the texts is not named", hint="give FILE.jsonl:FIELD", where=path
            )
    several = len(paths) + len(given.text) > 1 or given.lines or any(field for _, field in paths)
    return Corpus(given, paths) if several else None


def table_of(
    source: Source, corpus: Corpus, show: str | None, by: str | None, resume: str | None
) -> Table | None:
    """The table of many texts, each counted once; None in all processes but the first that torchrun has started."""
    from ..training.train_loop import team

    with team("cpu") as ours:
        found = _counted(source, corpus, show, by, resume, ours.rank, ours.size)
        if ours.rank == 0:
            return _together(found, ours.size)
        _send(found)
        return None


def _counted(
    source: Source, corpus: Corpus, show: str | None, by: str | None, resume: str | None, rank: int, size: int
) -> Texts:
    """Every so-manieth text, from the first that is not counted yet."""
    from ...sources import measuring

    found = measuring.Texts(by)  # type: ignore[arg-type]  # checked by the command
    place = resume if size == 1 or resume is None else f"{resume}.{rank}"
    _go_on(found, place)
    before = found.corpus.texts
    texts = islice(islice(corpus.each(), rank, None, size), before, None)
    total, saved = -(-corpus.total() // size), time.monotonic()
    with bar("texts") as draw:
        for done in measuring.measure_texts(texts, found, *_measurers(source, show)):
            draw(Progress(before + done, max(total, before + done)))
            if place is not None and time.monotonic() - saved > SAVED_EACH:
                _save(found, place)
                saved = time.monotonic()
    if place is not None:
        _save(found, place)
    return found


def _measurers(source: Source, show: str | None) -> tuple[Any, Any]:
    """What measures one text, and several together where that can be, by a model that is loaded once."""
    from ...sources import measuring

    model: list[Any] = []

    def through() -> Any:
        if not model:
            model.append(loaded(source.through.model or "mini"))
        return model[0]

    def one(data: Any, where: str) -> Measured:
        known = through() if isinstance(data, str) else source.through.model
        return measuring.measure(data, source.options, model=known, show=show, where=where)  # type: ignore[arg-type]

    def several(texts: Sequence[Any]) -> Sequence[Measured | None]:
        able = None
        if any(isinstance(text, str) for text in texts):
            able = measuring.together(through(), source.options, show)  # type: ignore[arg-type]
        return [None] * len(texts) if able is None else able(texts)

    return one, several


# ---- several processes ------------------------------------------------------------------------------


def _together(found: Texts, size: int) -> Table:
    """What all processes have counted."""
    if size > 1:
        import torch.distributed

        states: list[Any] = [None] * size
        torch.distributed.gather_object(found.state(), states)
        for state in states[1:]:
            found.take(state)
    return found.table()


def _send(found: Texts) -> None:
    """What this process has counted goes to the first."""
    import torch.distributed

    torch.distributed.gather_object(found.state())


# ---- going on ---------------------------------------------------------------------------------------


def _go_on(found: Texts, path: str | None) -> None:
    if path is None or not os.path.exists(path):
        return
    try:
        found.take(files.read_arrays(path))
    except (KeyError, ValueError) as problem:
        if isinstance(problem, InputError):
            raise
        raise InputError("holds no figures of many texts", hint="give another FILE", where=path) from None


def _save(found: Texts, path: str) -> None:
    """All of it at once, or what was there before stays."""
    import io

    held = io.BytesIO()
    np.savez(held, **found.state())  # type: ignore[arg-type]
    files.write(path, [held.getvalue()])
