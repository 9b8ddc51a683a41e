"""The attention of a recording in each of its steps, as films and pages show it."""

from __future__ import annotations

import dataclasses
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import AttnNote, InputError, note
from .resolve import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ..records.attention import Attention
    from ..records.recording import Recording
    from .groups import Options


def filmed(
    recording: Recording, options: Options, most: Callable[[Attention], int]
) -> list[tuple[int, Attention]]:
    """Each step in order, with what is asked for of it; those that have it in another size are left out, and it is said.

    Of more than `most(attention)` steps as many are taken, evenly spread.
    """
    wanted = resolve(recording, options)
    steps = spread(recording.steps, max(2, most(wanted)))
    found = [(step, _step(recording, options, step)) for step in steps]
    alike = [(step, each) for step, each in found if each is not None and _size(each) == _size(wanted)]
    if left := len(found) - len(alike):
        note(f"{left} of {len(found)} steps have another size and are left out")
    return alike or [(steps[-1], wanted)]


def spread(steps: Sequence[int], most: int) -> list[int]:
    """At most so many of the steps, evenly spread, the first and the last among them.

    >>> spread([3, 5], 9)
    [3, 5]
    """
    if len(steps) > most:
        note(f"{most} of {len(steps):,} steps are shown, evenly spread")
    places = np.unique(np.linspace(0, len(steps) - 1, min(len(steps), most)).astype(int))
    return [steps[place] for place in places]


def _step(recording: Recording, options: Options, step: int) -> Attention | None:
    """What is asked for of one step, without repeating what was said of all; None where it has no such."""
    recorded = dataclasses.replace(options.recorded, step=step)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AttnNote)
        try:
            return resolve(recording, dataclasses.replace(options, recorded=recorded))
        except InputError:
            return None


def _size(attention: Attention) -> tuple[Any, ...]:
    return attention.shown.shape, attention.layers, attention.heads, attention.kind
