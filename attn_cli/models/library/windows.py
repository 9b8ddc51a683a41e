"""Models of the library that attend within windows of patches: Swin, whose windows shift from layer to layer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from ...errors import InputError, note
from ...records.fields import changed
from ..native.preprocessing import small
from ..native.vision import tokens_of, with_image
from ..showing import Side, sides_of
from . import eager
from .looking import preprocessing_of
from .running import explained
from .silence import silent
from .watching import use

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from jaxtyping import Bool, Float, Int
    from torch import Tensor, nn

    from ...records.attention import Attention
    from ...records.encoding import Image
    from ..reading import Reading

FAMILIES = ("swin",)  # by model_type


def is_read(config: Any) -> bool:
    """Whether a model of this configuration attends within windows, and that is read."""
    return config.model_type in FAMILIES


@dataclass(frozen=True, eq=False)
class Windows:
    """The weights of one layer, window by window, and which patch each place of a window is.

    The patches are those of a stage, row by row; −1 stands for padding at the edge. Two patches of a window that
    lie apart, as a shifted window goes on at the other edge of the image, do not see each other.
    """

    rows: int
    columns: int
    weights: Float[Tensor, "window head place place"]
    patches: Int[Tensor, "window place"]
    seen: Bool[Tensor, "window place place"]

    def around(self, patch: int) -> list[int]:
        """The patches that one sees, itself included."""
        window, place = self._of(patch)
        there = self.patches[window][self.seen[window, place]]
        return sorted(there[there >= 0].tolist())

    def row(self, patch: int) -> tuple[Float[Tensor, "head patch"], Bool[Tensor, " patch"]]:
        """What one patch attends to among all, and which it may."""
        window, place = self._of(patch)
        n = self.rows * self.columns
        there = self.patches[window]
        real = there >= 0
        weights = self.weights.new_zeros(self.weights.shape[1], n)
        weights[:, there[real]] = self.weights[window, :, place, real]
        allowed = torch.zeros(n, dtype=torch.bool, device=weights.device)
        allowed[there[real]] = self.seen[window, place, real]
        return weights * allowed, allowed

    def _of(self, patch: int) -> tuple[int, int]:
        window, place = (self.patches == patch).nonzero()[0].tolist()
        return window, place


def look(model: Any, directory: Path, image: Image, reading: Reading, provenance: str) -> Attention:
    """The attention of the patches of one window to all of an image, which is none outside of the window.

    The window is that around the middle of the image, unless queries are picked. Raises InputError for layers of
    different stages, whose patches are of different sizes.
    """
    if reading.norms:
        what = "norms need values and W_o, and this family gives weights alone"
        raise InputError(what, hint="leave norms out")
    numbers = _layers(reading, model.config.depths)
    preprocessing = preprocessing_of(directory, model.config)
    layers = _watched(model, preprocessing(image).to(next(model.parameters())), numbers)
    rows, columns = layers[0].rows, layers[0].columns
    names = tokens_of(rows, columns, n_others=0)
    if reading.queries is None:
        queries = layers[-1].around(rows // 2 * columns + columns // 2)
        provenance += (
            f"; the window of patches {names[queries[0]]} to {names[queries[-1]]} of {rows} × {columns}"
        )
    else:
        queries = list(reading.queries(names))
    eager.check_room(len(layers) * layers[0].weights.shape[1], len(queries), len(names))
    made = [[layer.row(query) for query in queries] for layer in layers]
    weights = torch.stack([torch.stack([row for row, _ in of_layer], dim=1) for of_layer in made])
    mask = torch.stack([torch.stack([allowed for _, allowed in of_layer]) for of_layer in made])[:, None]
    if bool((weights.sum(-1) < 0.99).any()):
        note("rows sum to less than 1: the rest is on padding beyond the edge of the image")
    chosen = Side([names[query] for query in queries])
    sides, wanted = sides_of(chosen, Side(names), "encoder", provenance, replace(reading, queries=None))
    record = eager.record(weights, numbers, sides, wanted)
    kept = mask.cpu().numpy() if wanted.keys is None else mask.cpu().numpy()[..., list(wanted.keys)]
    record = changed(record, mask=kept)
    return with_image(record, wanted, (rows, columns), small(preprocessing.seen(image)))


def _layers(reading: Reading, depths: Sequence[int]) -> tuple[int, ...]:
    """The wanted layers, counted through all stages; they must be of one stage."""
    numbers = reading.chosen(sum(depths))
    starts = [sum(depths[:i]) for i in range(len(depths))]
    stages = {sum(start <= number for start in starts) for number in numbers}
    if len(stages) > 1:
        named = ", ".join(
            f"{start}" if depth == 1 else f"{start}-{start + depth - 1}"
            for start, depth in zip(starts, depths, strict=True)
        )
        raise InputError(
            "layers of different stages, whose patches differ in size",
            hint=f"give layers of one stage: {named}",
        )
    return numbers


def _watched(
    model: Any, pixels: Float[Tensor, "1 channel height width"], numbers: Sequence[int]
) -> list[Windows]:
    """The weights of some layers, as the library gives them to each of its blocks."""
    blocks = [block for stage in model.encoder.layers for block in stage.blocks]
    found: dict[int, Windows] = {}
    hooks = [
        blocks[number].register_forward_hook(
            lambda block, given, made, number=number: found.update(
                {number: _windows(block, given[1], made[1])}
            )
        )
        for number in numbers
    ]
    try:
        with silent(), explained(), torch.no_grad():
            use(model, ours=False)
            model(pixels)
    finally:
        for hook in hooks:
            hook.remove()
    return [found[number] for number in numbers]


def _windows(block: nn.Module, grid: tuple[int, int], weights: Tensor) -> Windows:
    """Which patches the windows of a block hold: cut from the padded grid after that was rolled by the shift."""
    (rows, columns), side, shift = map(int, grid), int(block.window_size), int(block.shift_size)  # type: ignore[arg-type]
    down, across = (-(-n // side) * side for n in (rows, columns))
    numbers = torch.full((down, across), -1, device=weights.device)
    numbers[:rows, :columns] = torch.arange(rows * columns, device=weights.device).view(rows, columns)
    # Where a row or column stood before it was rolled: what comes from the other edge is another part.
    parts = [torch.arange(n, device=weights.device).roll(-shift) < shift for n in (down, across)]
    part = 2 * parts[0].long()[:, None] + parts[1].long()
    cut_numbers, cut_part = (_cut(x, side) for x in (numbers.roll((-shift, -shift), (0, 1)), part))
    seen = cut_part[:, :, None] == cut_part[:, None, :]
    return Windows(rows, columns, weights, cut_numbers, seen)


def _cut(grid: Int[Tensor, "row column"], side: int) -> Int[Tensor, "window place"]:
    """A grid in windows of side × side, row by row.

    >>> _cut(torch.arange(8).view(2, 4), 2).tolist()
    [[0, 1, 4, 5], [2, 3, 6, 7]]
    """
    down, across = grid.shape[0] // side, grid.shape[1] // side
    return grid.view(down, side, across, side).transpose(1, 2).reshape(down * across, side * side)
