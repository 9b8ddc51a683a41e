"""A training as tensors and figures, and how it goes on from them.

What is read may be damaged, or of another training: all of it is looked at before any of it is used.
"""

from __future__ import annotations

import itertools
import math
import operator
from dataclasses import asdict, fields
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from ..errors import InputError
from .film import Frame
from .settings import Extension, Step

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from .training import Training


def state(training: Training) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """All that the next step depends on: tensors by name, and figures."""
    tensors = {f"model.{name}": x for name, x in training.model.state_dict().items()}
    tensors |= {f"best.{name}": x for name, x in training.best_weights.items()}
    if training.mean is not None:
        tensors |= {f"mean.{name}": x for name, x in training.mean.state_dict().items()}
    tensors |= training.optimizer.moments
    if training.frames:
        tensors["film"] = torch.from_numpy(np.stack([frame.weights for frame in training.frames]))
    figures = {
        "done": training.done,
        "over": training.over,
        "history": [list(asdict(step).values()) for step in training.history],
        "film": [frame.step for frame in training.frames],
        "answers": [list(frame.answer) for frame in training.frames],
        "extended": [list(asdict(one).values()) for one in training.extended],
    }
    return tensors, figures


def resume(
    training: Training, tensors: Mapping[str, Tensor], figures: Mapping[str, Any], steps: int | None = None
) -> None:
    """Go on where another training of the same options stood; `steps` is how many it was to have, if fewer.

    Raises InputError, and leaves the training as it was, when the state is not that of such a training.
    """
    rows = figures.get("history")
    training.extended = _extended(training, figures.get("extended", []), rows, steps)
    try:
        _go_on(training, _history(training, rows), tensors, figures)
    except InputError:
        training.extended = []
        raise


def _go_on(
    training: Training, history: list[Step], tensors: Mapping[str, Tensor], figures: Mapping[str, Any]
) -> None:
    """Give the training its state, once all of it is known to fit."""
    if figures.get("done") != len(history):
        raise _wrong(f"{len(history)} steps are told of {_short(figures.get('done'))}")
    film = [step for step in range(len(history) + 1) if training.filmed(step)] if history else []
    if figures.get("film") != film:
        raise _wrong("not the steps that are filmed")
    answers = _answers(figures.get("answers", [[]] * len(film)), len(film))
    best, stale = _best(training, history)
    _check(tensors, _shapes(training, film, has_best=best < math.inf))

    training.done, training.history, training.best, training.stale = len(history), history, best, stale
    training.frames = [Frame(step, tensors["film"][i].numpy(), answers[i]) for i, step in enumerate(film)]
    training.model.load_state_dict(_under("model.", tensors))
    training.best_weights = _under("best.", tensors)
    if training.mean is not None:
        training.mean.load_state_dict(_under("mean.", tensors))
    training.optimizer.remember(tensors, len(history))


# ---- what must hold -----------------------------------------------------------------------------------


def _history(training: Training, rows: Any) -> list[Step]:
    """The steps so far: each with its number and finite figures, measured where this training measures."""
    if not isinstance(rows, list) or len(rows) > training.options.steps:
        raise _wrong(f"not the history of at most {training.options.steps} steps")
    history = []
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or len(row) != len(fields(Step)):
            raise _wrong(f"step {number} is not told in {len(fields(Step))} figures")
        measured = training.measures(number)
        *always, mass = row[1:]
        told = [x is not None for x in always] == [True, True, measured, measured] and (
            measured or mass is None
        )
        if row[0] != number or not told or not all(x is None or _is_finite(x) for x in row[1:]):
            raise _wrong(f"the figures of step {number} cannot be")
        history.append(Step(number, *row[1:]))
    return history


def _extended(training: Training, rows: Any, history: Any, steps: int | None) -> list[Extension]:
    """When the training was given more steps: until now, and now."""
    try:
        before = [Extension(*map(operator.index, row)) for row in rows]
    except TypeError:
        raise _wrong("not when it was given more steps") from None
    if steps is not None and isinstance(history, list):
        before.append(Extension(steps, len(history)))
    edges = [(0, 0), *((one.steps, one.until) for one in before), (training.options.steps,) * 2]
    if any(a[0] >= b[0] or a[1] > b[1] or b[1] > b[0] for a, b in itertools.pairwise(edges)):
        raise _wrong("not when it was given more steps")
    return before


def _answers(rows: Any, n: int) -> list[tuple[str, ...]]:
    """What the model said in each frame of the film."""
    if not isinstance(rows, list) or len(rows) != n or not all(isinstance(row, list) for row in rows):
        raise _wrong("not what it answered in the film")
    if not all(isinstance(token, str) for row in rows for token in row):
        raise _wrong("not what it answered in the film")
    return [tuple(row) for row in rows]


def _is_finite(x: Any) -> bool:
    return type(x) is float and math.isfinite(x)


def _best(training: Training, history: list[Step]) -> tuple[float, int]:
    """The lowest loss on held-out examples, and the measurements since, for a training that has patience."""
    losses = [step.held_out_loss for step in history if step.held_out_loss is not None]
    if not training.options.patience or not losses:
        return math.inf, 0
    best = min(losses)
    return best, len(losses) - 1 - losses.index(best)


def _shapes(training: Training, film: list[int], *, has_best: bool) -> dict[str, tuple[int, ...]]:
    """The tensors that there must be, by name."""
    parts = ["model", *["best"] * has_best, *["mean"] * (training.mean is not None)]
    shapes = {
        f"{part}.{name}": tuple(x.shape) for part in parts for name, x in training.model.state_dict().items()
    }
    shapes |= {name: tuple(x.shape) for name, x in training.optimizer.moments.items()}
    return shapes | ({"film": (len(film), *training.watch().shape)} if film else {})


def _check(tensors: Mapping[str, Tensor], shapes: Mapping[str, tuple[int, ...]]) -> None:
    """Refuse tensors that are missing, foreign, of another shape or kind, or hold what is no number."""
    for name in sorted(shapes.keys() ^ tensors.keys()):
        raise _wrong(f"{'no' if name in shapes else 'a foreign'} tensor {_short(name)}")
    for name, shape in shapes.items():
        x = tensors[name]
        if tuple(x.shape) != shape or x.dtype != torch.float32:
            kind = str(x.dtype).removeprefix("torch.")
            raise _wrong(f"{name} is {kind} {[*x.shape]}, expected float32 {[*shape]}")
        if not x.isfinite().all() or (name.startswith("exp_avg_sq.") and (x < 0).any()):
            raise _wrong(f"{name} holds numbers that cannot be")


def _wrong(what: str) -> InputError:
    hint = "start again with --overwrite instead of --resume"
    return InputError(f"not the state of this training ({what})", hint=hint)


def _short(value: Any) -> str:
    return repr(value)[:40]


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of one part, by the names that they have in it."""
    return {name.removeprefix(prefix): x.clone() for name, x in tensors.items() if name.startswith(prefix)}
