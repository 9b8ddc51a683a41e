"""How the learning rate goes over the steps of a training: one function per schedule."""

from __future__ import annotations

import math
from collections.abc import Callable

from ..errors import InputError
from ..registry import Registry

Schedule = Callable[..., float]
SCHEDULES: Registry[Schedule] = Registry("schedule")


@SCHEDULES.register
def cosine(step: int, steps: int, *, warmup: float = 0.1) -> float:
    """Rise in a line for a share `warmup` of the steps, then fall with half a cosine to 0.

    Loshchilov & Hutter 2017, arXiv:1608.03983.

    >>> [round(cosine(step, 100), 3) for step in (1, 10, 55, 100)]
    [0.1, 1.0, 0.5, 0.0]
    """
    rise = _rise(steps, warmup)
    if step <= rise:
        return step / rise
    return (1 + math.cos(math.pi * (step - rise) / max(1, steps - rise))) / 2


@SCHEDULES.register
def noam(step: int, steps: int, *, warmup: float = 0.1) -> float:
    """Rise in a line for a share `warmup` of the steps, then fall as 1/√step; of the Transformer's paper.

    Vaswani et al. 2017, arXiv:1706.03762, § 5.3, with the peak at 1.

    >>> [round(noam(step, 100), 3) for step in (1, 10, 40, 90)]
    [0.1, 1.0, 0.5, 0.333]
    """
    rise = _rise(steps, warmup)
    return min(step / rise, math.sqrt(rise / step))


@SCHEDULES.register
def constant(step: int, steps: int, *, warmup: float = 0.1) -> float:
    """Rise in a line for a share `warmup` of the steps, then stay.

    >>> [round(constant(step, 100), 3) for step in (1, 10, 55, 100)]
    [0.1, 1.0, 1.0, 1.0]
    """
    return min(1.0, step / _rise(steps, warmup))


def _rise(steps: int, warmup: float) -> int:
    """How many of the steps the rate rises in."""
    if not 0 <= warmup <= 1:
        raise InputError(f"schedule option 'warmup={warmup:g}'", hint="give a share of the steps, 0 to 1")
    return max(1, round(steps * warmup))
