"""AdamW over all weights of a model at once.

A small model has many small parameters, and to measure, clip and move each of them takes a tenth of a step.
Here they lie one after the other in one row of memory, each a view of its part: so one norm, one product and
one update are enough, whatever the model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw  # the class around it imports torch._dynamo, which takes two seconds

if TYPE_CHECKING:
    from collections.abc import Mapping


class Optimizer:
    """Moves a model's weights along a gradient whose length, all weights taken together, is at most `clip`.

    Loshchilov & Hutter 2019, arXiv:1711.05101; clipping: Pascanu et al. 2013, arXiv:1211.5063. From now on
    the model's weights are views of this row, so they must stay on their device and of their dtype. Weights that
    the loss does not depend on decay like all others.

    >>> model = nn.Linear(2, 1)
    >>> optimizer = Optimizer(model, weight_decay=0.0, clip=1.0)
    >>> before = model.bias.item()
    >>> model(torch.ones(1, 2)).sum().backward()
    >>> optimizer.step(lr=0.5)  # Adam's first step is as long as the rate
    >>> round(before - model.bias.item(), 4)
    0.5
    """

    def __init__(self, model: nn.Module, *, weight_decay: float, clip: float) -> None:
        self.weight_decay, self.clip = weight_decay, clip
        self._parameters = dict(model.named_parameters())
        self._row = torch.cat([parameter.detach().flatten() for parameter in self._parameters.values()])
        for name, part in self._by_name(self._row).items():
            self._parameters[name].data = part
        # Means of the gradient and of its square, as torch calls them.
        self._moments = {name: torch.zeros_like(self._row) for name in ("exp_avg", "exp_avg_sq")}
        self._steps = torch.zeros((), device=self._row.device)

    def zero_grad(self) -> None:
        """Forget the gradient, so that the next one is not added to it."""
        for parameter in self._parameters.values():
            parameter.grad = None

    @torch.no_grad()
    def step(self, lr: float) -> None:
        """Move the weights along the gradient that they have."""
        # Joined only now: backward hands its tensors over, and would have to copy them into a row.
        gradient = torch.cat([_gradient(parameter).flatten() for parameter in self._parameters.values()])
        gradient *= (self.clip / (gradient.norm() + 1e-6)).clamp(max=1)
        adamw(
            [self._row],
            [gradient],
            exp_avgs=[self._moments["exp_avg"]],
            exp_avg_sqs=[self._moments["exp_avg_sq"]],
            max_exp_avg_sqs=[],
            state_steps=[self._steps],
            fused=True,
            amsgrad=False,
            maximize=False,
            lr=lr,
            beta1=0.9,
            beta2=0.98,
            eps=1e-8,
            weight_decay=self.weight_decay,
        )

    @property
    def moments(self) -> dict[str, Tensor]:
        """What is remembered of the gradients, as `exp_avg.NAME` and `exp_avg_sq.NAME`."""
        return {
            f"{moment}.{name}": part
            for moment, row in self._moments.items()
            for name, part in self._by_name(row).items()
        }

    def remember(self, moments: Mapping[str, Tensor], steps: int) -> None:
        """Go on after so many steps, from which these moments are left."""
        for name, part in self.moments.items():
            part.copy_(moments[name])
        self._steps.fill_(steps)

    def _by_name(self, row: Tensor) -> dict[str, Tensor]:
        """The parts of a row, in the shapes of the parameters."""
        parts = row.split_with_sizes([parameter.numel() for parameter in self._parameters.values()])
        return {
            name: part.view_as(parameter)
            for (name, parameter), part in zip(self._parameters.items(), parts, strict=True)
        }


def _gradient(parameter: nn.Parameter) -> Tensor:
    """The gradient, which is 0 for a weight that the loss does not depend on."""
    return torch.zeros_like(parameter) if parameter.grad is None else parameter.grad
