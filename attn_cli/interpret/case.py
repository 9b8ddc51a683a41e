"""One output of a model that is to be explained: its maps, and its probability without some of the tokens."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from .flow import flow_from
from .reductions import MIXED, REDUCTIONS, across, without_residual
from .rows import scaled

if TYPE_CHECKING:
    from jaxtyping import Bool, Float
    from torch import Tensor

    from ..records.attention import Kind
    from ..transformer.answer import Answer

    OfTokens = Float[np.ndarray, " token"]
    Maps = dict[Kind, Float[np.ndarray, "layer head query key"]]

MOST = 4096  # tokens that pass through the model at once


@dataclass(frozen=True, eq=False)
class Case:
    """One output of a model, which of its tokens may be taken away, and what several methods want to know of it."""

    answer: Answer
    removable: Bool[np.ndarray, " token"]
    seed: int = 0
    _known: dict[bytes, float] = field(default_factory=dict)

    @cached_property
    def weights(self) -> Maps:
        """The weights of each kind of attention."""
        return {kind: in_float64(maps) for kind, maps in self.answer.maps("weights").items()}

    @cached_property
    def norms(self) -> Maps:
        """How much of each key arrives, rows scaled to sum to 1."""
        return {kind: scaled(in_float64(maps), "norms") for kind, maps in self.answer.maps("norms").items()}

    def along(self, maps: Maps, reduction: str, show: str = "weights") -> OfTokens:
        """What comes to the output of each token along the paths of all layers: the mean over its places."""
        chosen, rows = REDUCTIONS.of(reduction), list(self.answer.rows)
        n = len(self.removable)
        if self.answer.both:
            parts = [maps[kind] for kind in ("encoder", "decoder", "cross")]
            found = across(parts, chosen, mixed=show in MIXED, queries=rows)
        else:
            (only,) = maps.values()
            if chosen.name == "flow":
                found = flow_from(rows, only)
            else:
                found = (without_residual(chosen) if show in MIXED else chosen)(only)[rows]
        return found[:, :n].mean(axis=0)

    def probability(self, kept: Bool[np.ndarray, "choice token"]) -> Float[np.ndarray, " choice"]:
        """The probability of the output for each choice of removable tokens; no choice is computed twice."""
        names = [row.tobytes() for row in kept]
        new = {name: row for name, row in zip(names, kept, strict=True) if name not in self._known}
        whole = np.ones((len(new), len(self.removable)), dtype=bool)
        if new:
            whole[:, self.removable] = np.array(list(new.values()))
        room = max(1, MOST // len(self.removable))
        for start in range(0, len(new), room):
            some = self._probability(whole[start : start + room])
            self._known.update(zip(list(new)[start : start + room], some.tolist(), strict=True))
        return np.array([self._known[name] for name in names])

    def _probability(self, kept: Bool[np.ndarray, "choice token"]) -> Float[np.ndarray, " choice"]:
        import torch

        with torch.no_grad():
            chances: Tensor = self.answer.chances(None, torch.from_numpy(kept))
        return np.exp(chances.double().cpu().numpy())


def example() -> Case:
    """A small untrained decoder that reads three tokens: what examples explain.

    >>> example().answer.rows
    (2,)
    """
    import torch

    from ..transformer.answer import Asked
    from ..transformer.model import Config, Transformer

    config = Config(vocab=5, max_len=3, d_model=4, n_heads=2, n_layers=2, d_ff=4, stack="decoder")
    model = Transformer(config).requires_grad_(False)
    return Case(Asked(model, torch.tensor([[0, 1, 2]]), (2,), (3,)), np.ones(3, dtype=bool))


def in_float64(maps: Tensor) -> Float[np.ndarray, "layer head query key"]:
    """Maps as NumPy has them.

    >>> import torch
    >>> in_float64(torch.ones(1, 1, 1, 1)).dtype
    dtype('float64')
    """
    found: np.ndarray = maps.double().cpu().numpy()
    return found
