"""A model that goes on with a text: one token after the other, each from those before it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import torch

from ..registry import bound
from .capture import attended
from .intervening import NOTHING, Intervention

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from jaxtyping import Float
    from torch import Tensor

    from ..registry import Variant
    from .capture import Part
    from .model import Transformer

N_LIKELIEST = 5  # tokens that are kept of what might have been written


@dataclass(eq=False)
class Writer:
    """Chooses tokens by the logits of a model, and remembers how likely each was and what else might have stood there."""

    choose: Variant
    numbers: list[int] = field(default_factory=list)
    probabilities: list[float] = field(default_factory=list)  # by the model, whatever way of sampling
    likeliest: list[list[tuple[int, float]]] = field(default_factory=list)  # of each, the likeliest first

    def __post_init__(self) -> None:
        self._random = np.random.default_rng(bound(self.choose).get("seed", 0))

    def next(self, logits: Float[Tensor, " vocab"]) -> int:
        """The token that comes next."""
        p = logits.double().softmax(dim=-1)
        number = int(self.choose(logits, float(self._random.random())))
        top = p.topk(min(N_LIKELIEST, len(p)))
        self.numbers.append(number)
        self.probabilities.append(float(p[number]))
        self.likeliest.append(list(zip(top.indices.tolist(), top.values.tolist(), strict=True)))
        return number


class Cache:
    """Attention to all that was read before, whose keys and values are kept, so that only what is new is computed."""

    def __init__(self, intervention: Intervention = NOTHING) -> None:
        self.start = 0  # how many tokens were read before: where the first new one stands
        self.intervention = intervention
        self._kept: dict[int, tuple[Tensor, Tensor]] = {}  # by layer

    def __call__(self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, part: Part) -> Tensor:
        """The output of the new queries; of the masks the part's own and those of the intervention."""
        if part.layer in self._kept:
            before = self._kept[part.layer]
            key, value = (torch.cat(both, dim=-2) for both in zip(before, (key, value), strict=True))
        self._kept[part.layer] = key, value
        at = torch.arange(key.shape[-2], device=key.device)
        mask = part.rule.allowed(query, key, at[key.shape[-2] - query.shape[-2] :], at)
        value, mask = self.intervention.given(query, key, value, mask, part)
        return attended(query, key, value, mask, part)


@torch.inference_mode()
def write(
    model: Transformer,
    given: Sequence[int],
    choose: Variant,
    most: int,
    ends: Collection[int] = (),
    intervention: Intervention = NOTHING,
) -> Writer:
    """What a decoder goes on with: so many tokens, or fewer where it writes one that ends a text, which is the last.

    >>> from attn_cli.transformer.model import Config, Transformer
    >>> from attn_cli.variants.sampling import sampling_of
    >>> config = Config(vocab=10, max_len=8, d_model=16, n_heads=4, n_layers=2, d_ff=32, stack="decoder")
    >>> written = write(Transformer(config).eval(), [3, 1, 4], sampling_of(None), 3)
    >>> len(written.numbers), [p == top[0][1] for p, top in zip(written.probabilities, written.likeliest)]
    (3, [True, True, True])
    """
    writer, cache, fresh = Writer(choose), Cache(intervention), list(given)
    for _ in range(most):
        stream = model.hidden(torch.tensor([fresh], device=model.device), attend=cache)
        cache.start += len(fresh)
        fresh = [writer.next(model.logits(stream[:, -1:])[0, 0].float())]
        if fresh[0] in ends:
            break
    return writer
