"""What a training is told, and what it tells of each step: steps, rates, machine, the team it is part of."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..errors import InputError
from .schedules import SCHEDULES


@dataclass(frozen=True)
class Options:
    """How to train. AdamW: Loshchilov & Hutter 2019, arXiv:1711.05101.

    Raises InputError for a share that is none, a schedule that is none, or a learning rate that is not above 0.
    """

    steps: int
    lr: float  # the peak; see `peak`
    seed: int
    batch: int = 64
    schedule: str = "cosine"  # a spec of SCHEDULES
    weight_decay: float = 0.01
    clip: float = 1.0  # longest gradient, all parameters taken together
    label_smoothing: float = 0.0  # Szegedy et al. 2016, arXiv:1512.00567, § 7
    accumulate: int = 1  # pieces that a batch is computed in, for less memory
    average: float = 0.0  # decay of a running mean of the weights, which is then what was trained
    patience: int = 0  # evaluations without a better loss after which to stop; 0: never
    evaluate_every: int = 50  # steps
    examples: int = 20_000  # drawn before the held-out ones are set apart
    film: bool = False  # keep what attention looks like on the way

    def __post_init__(self) -> None:
        for name, share in (("label-smoothing", self.label_smoothing), ("average", self.average)):
            if not 0 <= share < 1:
                raise InputError(f"--{name} {share}", hint="give 0 or more, less than 1")
        if not 0 < self.lr < math.inf:
            raise InputError(f"--lr {self.lr}", hint="give more than 0, as 0.001")
        SCHEDULES.parse(self.schedule)(1, self.steps)


@dataclass(frozen=True)
class Step:
    """One step of training; all but the first three are measured on held-out examples, now and then."""

    step: int
    loss: float
    lr: float
    held_out_loss: float | None = None
    exact_match: float | None = None
    expected_mass: float | None = None  # of the best head


@dataclass(frozen=True)
class Extension:
    """A training was to have so many steps, until it was given more after one of them."""

    steps: int
    until: int


@dataclass(frozen=True)
class Team:
    """Processes that train one model together, each on its share of every batch."""

    rank: int = 0
    size: int = 1


@dataclass(frozen=True)
class Machine:
    """Where and in which precision to compute."""

    device: str = "cpu"
    dtype: str = "float32"  # or bfloat16, in which matrices are then multiplied
    compile: bool = False


def peak(d_model: int) -> float:
    """A peak of the learning rate that suits the width: 0.006 up to 64, then falling as 1 / d_model.

    Yang et al. 2022, arXiv:2203.03466, on why the rate of Adam should fall so.
    """
    return 0.006 * min(1, 64 / d_model)
