"""Pictures as sequences: the embedding of a Transformer that sees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor


class Patches(nn.Module):
    """An image as a sequence: a vector for each of its squares, row by row, after one that stands for all.

    Dosovitskiy et al. 2020, arXiv:2010.11929, eq. 1.
    """

    def __init__(self, channels: int, patch: int, d_model: int) -> None:
        super().__init__()
        self.linear = nn.Conv2d(
            channels, d_model, kernel_size=patch, stride=patch
        )  # one map, square by square
        self.whole = nn.Parameter(torch.zeros(d_model))

    def forward(
        self, image: Float[Tensor, "batch channel height width"]
    ) -> Float[Tensor, "batch seq d_model"]:
        x = self.linear(image).flatten(2).mT  # [batch, patch, d_model]
        return torch.cat([self.whole.expand(len(x), 1, -1), x], dim=1)
