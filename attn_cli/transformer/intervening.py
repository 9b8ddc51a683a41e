"""Taking part in the attentions of a model, not only looking on: heads left out, keys knocked out.

An intervention is given as `model(tokens, attend=…)`, by itself or under a `Capture`, and what comes later in the
model sees its effect.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import torch

from ..attention.rules import Rule
from ..errors import InputError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jaxtyping import Bool, Float
    from torch import Tensor

    from ..records.attention import Kind
    from .capture import Part

UNMASKED = Rule()
_HEAD = re.compile(r"L(\d+)(?:H(\d+))?", re.IGNORECASE)


@dataclass(frozen=True)
class Intervention:
    """Heads whose output is 0 (ablation: Michel et al. 2019, arXiv:1905.10650), and masks that forbid keys besides
    those that are forbidden anyway (attention knockout: Geva et al. 2023, arXiv:2304.14767).

    A head of None stands for all of its layer.
    """

    without: frozenset[tuple[int, int | None]] = frozenset()
    masks: Rule = UNMASKED
    kind: Kind | None = None  # of the attentions that are meant; None: all

    @property
    def provenance(self) -> str:
        """What was done to the model, in words for every picture of it; nothing where nothing was.

        >>> Intervention(heads_named("L5H3,L6"), Rule.parse(mask=["window:size=2"])).provenance
        'without L5H3, L6; mask window:size=2'
        >>> Intervention(heads_named("L0"), kind="cross").provenance
        'without cross L0'
        """
        of = f"{self.kind} " if self.kind else ""
        order = sorted(self.without, key=lambda one: (one[0], -1 if one[1] is None else one[1]))
        heads = ", ".join(f"L{layer}" if head is None else f"L{layer}H{head}" for layer, head in order)
        masks = self.masks.provenance
        return "; ".join(
            filter(None, [f"without {of}{heads}" if heads else "", f"{of}{masks}" if masks else ""])
        )

    def check(self, n_layers: int, n_heads: int) -> None:
        """Raise InputError for a layer or a head that the model has not."""
        for layer, head in sorted(self.without, key=str):
            if layer >= n_layers or (head or 0) >= n_heads:
                name = f"L{layer}" if head is None else f"L{layer}H{head}"
                hint = f"it has L0 to L{n_layers - 1}, H0 to H{n_heads - 1}"
                raise InputError(f"no {name} in this model", hint=hint)

    def rule(self, part: Part) -> Rule:
        """The rule of an attention, with these masks too."""
        meant = self.kind in (None, part.kind)
        return replace(part.rule, masks=part.rule.masks + self.masks.masks) if meant else part.rule

    def given(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, part: Part
    ) -> tuple[Float[Tensor, "batch head key d_head"], Bool[Tensor, "#batch #head #query key"] | None]:
        """The value and the mask that an attention is to have instead of its own.

        Without its values a head gives 0, whatever it attends to.
        """
        if self.kind not in (None, part.kind):
            return value, mask
        if self.masks.masks:
            n_query, n_key = query.shape[-2], key.shape[-2]
            self.masks.check(n_query, n_key)
            at = torch.arange(n_key, device=key.device)
            rows = torch.arange(
                n_key - n_query, n_key, device=key.device
            )  # the last query is at the last key
            also = self.masks.allowed(query, key, rows, at)
            mask = also if mask is None else mask if also is None else mask & also
        gone = sorted({-1 if head is None else head for layer, head in self.without if layer == part.layer})
        if gone:
            value = value.clone()
            value[:, slice(None) if gone[0] < 0 else gone] = 0
        return value, mask


def heads_named(text: str) -> frozenset[tuple[int, int | None]]:
    """Heads by layer and number, and whole layers: `L5H3,L6`.

    Raises InputError for anything else.

    >>> sorted(heads_named("L5H3,l5h1"))
    [(5, 1), (5, 3)]
    """
    return frozenset(_heads(text))


def _heads(text: str) -> Iterable[tuple[int, int | None]]:
    for name in text.split(","):
        if (match := _HEAD.fullmatch(name.strip())) is None:
            raise InputError(
                f"no head {name.strip()!r}", hint="give LAYER and HEAD from 0 as L5H3, or a layer as L5"
            )
        yield int(match[1]), None if match[2] is None else int(match[2])


NOTHING = Intervention()
