"""One output of a model, asked for again and again: with weights changed, or with tokens taken away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, Protocol

import torch
from torch import Tensor

from ..attention.dense import attention
from ..attention.rules import Rule
from .capture import Capture, fast
from .intervening import NOTHING, Intervention

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

    from ..records.attention import Kind
    from .capture import Attend, Part
    from .model import Transformer

# What an attention of a kind and a layer goes on with instead of its weights [batch, head, query, key].
Weigh = Callable[[Tensor, "Kind", int], Tensor]


class Answer(Protocol):
    """One output of a model for one text: what explanations ask of any model."""

    @property
    def both(self) -> bool:
        """Whether an encoder reads the tokens and a decoder gives the output."""
        ...

    @property
    def rows(self) -> tuple[int, ...]:
        """The places of the last stack that give the output."""
        ...

    def maps(self, show: Literal["weights", "norms"]) -> dict[Kind, Float[Tensor, "layer head query key"]]:
        """The weights of each kind of attention, or how much of each key arrives."""
        ...

    def logits(self, weigh: Weigh | None = None, kept: Tensor | None = None) -> Float[Tensor, "choice place"]:
        """The logit of the output at each of its places; a row for each choice of tokens that are kept."""
        ...

    def chances(self, weigh: Weigh | None = None, kept: Tensor | None = None) -> Float[Tensor, " choice"]:
        """ln p of the output, in the mean over its places."""
        ...


@dataclass(frozen=True, eq=False)
class Asked:
    """What a Transformer reads, and which of its outputs is meant: some tokens at some places.

    What takes the place of a token that is not kept is another token, or without one an embedding of zeros: its
    position stays.
    """

    model: Transformer
    tokens: Int[Tensor, "1 seq"]
    places: tuple[int, ...]
    wanted: tuple[int, ...]  # the token at each place
    segments: Int[Tensor, "1 seq"] | None = None
    target: Int[Tensor, "1 written"] | None = None  # what a decoder has before it, of an encoder–decoder
    instead: int | None = None
    intervention: Intervention = NOTHING

    def wanting(self, wanted: tuple[int, ...], places: tuple[int, ...] | None = None) -> Asked:
        """The same with other tokens as its output."""
        return replace(self, wanted=wanted, places=self.places if places is None else places)

    @property
    def both(self) -> bool:
        """Whether an encoder reads the tokens and a decoder gives the output."""
        return self.target is not None

    @property
    def rows(self) -> tuple[int, ...]:
        """The places of the last stack that give the output."""
        return self.places

    @torch.no_grad()
    def maps(self, show: Literal["weights", "norms"]) -> dict[Kind, Float[Tensor, "layer head query key"]]:
        """The weights of each kind of attention, or how much of each key arrives."""
        capture = Capture()
        self.all_logits(capture)
        found: dict[Kind, list[Tensor]] = {}
        for one in capture.layers:
            found.setdefault(one.part.kind, []).append(one.steps.weights if show == "weights" else one.norms)
        return {kind: torch.cat(layers) for kind, layers in found.items()}

    def all_logits(
        self, attend: Attend = fast, kept: Bool[Tensor, "choice seq"] | None = None
    ) -> Float[Tensor, "choice place vocab"]:
        """The logits of every token at the places that are meant."""
        if self.intervention != NOTHING:
            attend = _after(self.intervention, attend)
        tokens = self.tokens if kept is None else self.tokens.expand(len(kept), -1)
        if kept is not None and self.instead is not None:
            tokens = tokens.masked_fill(~kept, self.instead)
        segments = None if self.segments is None else self.segments.expand(len(tokens), -1)
        blank = kept is not None and self.instead is None
        hook = self.model.embedding.register_forward_hook(_blanks(kept)) if blank else None  # type: ignore[arg-type]
        try:
            x = self.model.embed(tokens, segments)
        finally:
            if hook is not None:
                hook.remove()
        return self.model.logits(self._stack(x, attend)[:, list(self.places)])

    def _stack(self, x: Float[Tensor, "choice seq d"], attend: Attend) -> Float[Tensor, "choice row d"]:
        """What the last stack makes of the embedded tokens."""
        model = self.model
        if model.config.stack == "decoder":
            return model.decoder(x, model._before(x), attend)
        x = model.encoder(x, None, attend)
        if self.target is None:
            return x
        return model.decode(self.target.expand(len(x), -1), x, None, attend)

    def logits(self, weigh: Weigh | None = None, kept: Tensor | None = None) -> Float[Tensor, "choice place"]:
        """The logit of the output at each of its places; a row for each choice of tokens that are kept."""
        return self._of_wanted(self.all_logits(fast if weigh is None else weighed(weigh), kept))

    def chances(self, weigh: Weigh | None = None, kept: Tensor | None = None) -> Float[Tensor, " choice"]:
        """ln p of the output, in the mean over its places."""
        logits = self.all_logits(fast if weigh is None else weighed(weigh), kept)
        return self._of_wanted(logits.log_softmax(dim=-1)).mean(dim=-1)

    def _of_wanted(self, x: Float[Tensor, "choice place vocab"]) -> Float[Tensor, "choice place"]:
        at = torch.tensor(self.wanted, device=x.device).expand(len(x), -1)[..., None]
        return x.gather(-1, at)[..., 0]


def weighed(weigh: Weigh) -> Attend:
    """Attention whose weights are there, and which goes on with what is made of them."""

    def attend(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, part: Part) -> Tensor:
        weights = attention(query, key, value, Rule(scale=part.rule.scale), mask=mask).weights
        return weigh(weights, part.kind, part.layer) @ value

    return attend


def _after(done: Intervention, attend: Attend) -> Attend:
    """Attention under an intervention; a query that may then see nothing gives 0, not NaN."""

    def attended(query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, part: Part) -> Tensor:
        value, mask = done.given(query, key, value, mask, part)
        output = attend(query, key, value, mask, part)
        return output if mask is None else output.masked_fill(~mask.any(dim=-1, keepdim=True), 0)

    return attended


def _blanks(kept: Bool[Tensor, "choice seq"]) -> Callable[..., Tensor]:
    """Embeddings of zeros for the tokens that are not kept."""
    return lambda _, __, embedded: embedded * kept[..., None].to(embedded.dtype)
