"""Which output of a run of train-toy is meant, or of mini: of a translation all that is written, or a token of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ...errors import InputError
from ...transformer.answer import Asked
from ..asking import Meant, place, position, refuse_pieces, some
from ..precision import as_wanted
from ..showing import Side

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..reading import Reading
    from .run import Run

ZEROS = "an embedding of zeros"


def asked(run: Run, text: str, reading: Reading, toward: Any, end: str) -> Meant:
    """The output that `toward` names, a token of the model's answer or its position; all of the answer unless told.

    A decoder answers after its last token, an encoder at every token; `end` is what is written last. Raises InputError where there is no such
    output.
    """
    reading.refuse_image(text, "this run")
    run._refuse(reading)
    refuse_pieces(reading)
    if run.model.config.stack == "both":
        return _written(run, text, reading, toward, end)
    return _read(run, text, reading, toward)


def _written(run: Run, text: str, reading: Reading, toward: Any, end: str) -> Meant:
    """Of an encoder–decoder: the tokens that it writes, each seen with those before it."""
    source = run.read(text, reading)
    run._tell_unknown([source])
    numbers = torch.tensor([source.numbers])
    start = run._start(source.numbers)
    if reading.target is None:
        target, _ = run._write(numbers, start, _done(run, reading))
    else:
        target = run.read(reading.target, reading)
    if not target.numbers:
        raise InputError("the model generated no token", hint="give --target")
    places = _places(toward, target.labels)
    stack = as_wanted(run.model, reading)
    written = run._shifted(target, start).to(stack.device)
    wanted = tuple(target.numbers[i] for i in places)
    answer = Asked(stack, numbers.to(stack.device), places, wanted, None, written, None, _done(run, reading))
    ends, ordinary = [True], [False] * len(target.labels)
    reads = Side(source.labels, text=text)
    sees = Side([start, *target.labels], ends + ordinary, run.join(target))
    writes = Side([*target.labels, end], ordinary + ends, run.join(target))
    return Meant(
        answer,
        {"encoder": (reads, reads), "decoder": (sees, sees), "cross": (writes, reads)},
        run.kinds[0],
        tuple(source.labels),
        some([True] * len(source.labels)),
        tuple(target.labels[i] for i in places),
        ZEROS,
        run.provenance,
        _done(run, reading),
    )


def _read(run: Run, text: str, reading: Reading, toward: Any) -> Meant:
    """Of one stack: what a decoder expects after its last token, or an encoder says at its tokens."""
    (source,) = run._pieces(text, reading)
    run._tell_unknown([source])
    stack = as_wanted(run.model, reading)
    n, out = len(source.numbers), run.outputs or run.vocabulary
    every = Asked(
        stack,
        torch.tensor([source.numbers]).to(stack.device),
        tuple(range(n)),
        (0,) * n,
        intervention=_done(run, reading),
    )
    with torch.no_grad():
        own = every.all_logits()[0].argmax(dim=-1).tolist()
    side = Side(source.labels, text=text)
    if stack.config.stack == "decoder":
        at = position(toward)
        places: tuple[int, ...] = (place(-1 if at is None else at, n, "tokens"),)
        wanted = (
            tuple(own[i] for i in places) if toward is None or at is not None else (_number(out, toward),)
        )
    else:
        places = _places(toward, [out[number] for number in own])
        wanted = tuple(own[i] for i in places)
    return Meant(
        every.wanting(wanted, places),
        {run.kinds[0]: (side, side)},
        run.kinds[0],
        tuple(source.labels),
        some([True] * n),
        tuple(out[number] for number in wanted),
        ZEROS,
        run.provenance,
        _done(run, reading),
    )


def _done(run: Run, reading: Reading) -> Any:
    return run._done(reading.kind or run.kinds[0], reading)


def _places(toward: Any, answer: Sequence[str]) -> tuple[int, ...]:
    """Where in an answer: all of it, a position, or the first place of a token."""
    if toward is None:
        return tuple(range(len(answer)))
    if (at := position(toward)) is not None:
        return (place(at, len(answer), "tokens in the answer"),)
    if (text := str(toward)) not in answer:
        raise InputError(
            f"--toward {text!r}, but the answer is {' '.join(answer)}", hint="give a token of it"
        )
    return (list(answer).index(text),)


def _number(vocabulary: Sequence[str], toward: Any) -> int:
    if (text := str(toward)) not in vocabulary:
        raise InputError(f"the model does not know {text!r}", hint="give a token that it can write")
    return list(vocabulary).index(text)
