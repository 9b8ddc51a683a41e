"""The answer of a classifier, or of what writes on, that `transformers` runs: its own attention, with weights changed."""

from __future__ import annotations

from collections import Counter
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor

from ...errors import InputError
from .. import inside
from ..asking import Meant, place, position, refuse_pieces, some
from ..showing import Side
from . import opening
from .silence import silent
from .words import Words

if TYPE_CHECKING:
    from pathlib import Path

    from jaxtyping import Float, Int
    from torch import nn

    from ...records.attention import Kind
    from ...transformer.answer import Weigh
    from ..reading import Reading

NAME = "attn_weighed"  # of our function among the library's
_HEADS = ("ForSequenceClassification", "ForCausalLM", "LMHeadModel")
_WEIGH: ContextVar[Any] = ContextVar("weigh", default=None)


@dataclass(frozen=True, eq=False)
class Answered:
    """A model of the library, what it reads, and which of its outputs is meant."""

    model: Any
    tokens: Int[Tensor, "1 seq"]
    kind: Kind
    at: int  # the place that gives the output
    wanted: int  # a class, or a token
    instead: int  # the token in place of one that is not kept
    both: bool = False

    @property
    def rows(self) -> tuple[int, ...]:
        """The place that gives the output."""
        return (self.at,)

    @torch.no_grad()
    def maps(self, show: Literal["weights", "norms"]) -> dict[Kind, Float[Tensor, "layer head query key"]]:
        """The weights of all layers."""
        if show == "norms":
            raise InputError("norms need values and W_o, and here the library gives weights alone")
        seen: list[Tensor] = []

        def weigh(weights: Tensor, _: Kind, __: int) -> Tensor:
            seen.append(weights)
            return weights

        self.logits(weigh)
        return {self.kind: torch.cat(seen)}

    def all_logits(
        self, weigh: Weigh | None = None, kept: Tensor | None = None
    ) -> Float[Tensor, "choice out"]:
        """The logit of every class, or of every token at the place that is meant."""
        tokens = self.tokens
        if kept is not None:
            tokens = tokens.expand(len(kept), -1).masked_fill(~kept.to(tokens.device), self.instead)
        token = _WEIGH.set(None if weigh is None else (weigh, self.kind, Counter()))
        try:
            with silent():
                logits: Tensor = self.model(input_ids=tokens, attention_mask=torch.ones_like(tokens)).logits
        finally:
            _WEIGH.reset(token)
        return logits if logits.ndim == 2 else logits[:, self.at]

    def logits(self, weigh: Weigh | None = None, kept: Tensor | None = None) -> Float[Tensor, "choice 1"]:
        """The logit of the output; a row for each choice of tokens that are kept."""
        return self.all_logits(weigh, kept)[:, [self.wanted]]

    def chances(self, weigh: Weigh | None = None, kept: Tensor | None = None) -> Float[Tensor, " choice"]:
        """ln p of the output."""
        return self.all_logits(weigh, kept).log_softmax(dim=-1)[:, self.wanted]


def asked(directory: Path, family: str, text: str, reading: Reading, toward: Any = None) -> Meant:
    """The class that a classifier gives, or what comes after the last token, or what `toward` names.

    Raises InputError for a model with another head, and where its attention is not softmax of scaled products.
    """
    refuse_pieces(reading)
    reading.refuse_target(family)
    config = opening.open_config(directory)
    tokenizer = opening.open_tokenizer(directory)
    model = _opened(directory, config, family)
    (piece,) = Words(tokenizer, _longest(config, tokenizer)).read(text, reading, in_pieces=False)
    classes = type(model).__name__.endswith(_HEADS[0])
    causal = not classes or getattr(config, "is_decoder", False) or config.model_type.startswith("gpt")
    n, at = len(piece.numbers), None if classes else position(toward)
    instead = next(
        (number for number in (tokenizer.mask_token_id, tokenizer.unk_token_id, tokenizer.pad_token_id) if number is not None),
        0,
    )  # fmt: skip
    kind: Kind = "decoder" if causal else "encoder"
    where = place(-1 if at is None else at, n, "tokens") if causal else 0
    answer = Answered(model, torch.tensor([piece.numbers]), kind, where, 0, int(instead))
    _check(answer, family)
    with torch.no_grad():
        own = int(answer.all_logits()[0].argmax())
    wanted = own if toward is None or at is not None else _named(toward, config, tokenizer, classes=classes)
    name = (
        str((getattr(config, "id2label", None) or {}).get(wanted, wanted))
        if classes
        else tokenizer.decode([wanted])
    )
    side = Side(piece.labels, piece.special, reading.whole(text))
    return Meant(
        replace(answer, wanted=wanted),
        {kind: (side, side)},
        kind,
        tuple(piece.labels),
        some([not mark for mark in piece.special]),
        (name.strip() or repr(name),),
        str(tokenizer.convert_ids_to_tokens([instead])[0]),
        f"{family} through transformers: {directory.name}",
    )


def _opened(directory: Path, config: Any, family: str) -> Any:
    """The library's model of the class that config.json names, with our attention."""
    import transformers
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS

    name = (config.architectures or [""])[0]
    if not name.endswith(_HEADS) or not hasattr(transformers, name):
        hint = "give a classifier, a model that writes on, or one that is read natively"
        raise InputError(f"no output of a {name or family} is known", hint=hint, where=str(directory))
    opening.check(directory, inside.read_object(directory / "config.json", 16 * inside.MIB))
    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, ALL_MASK_ATTENTION_FUNCTIONS["eager"])
    with silent():
        model, info = getattr(transformers, name).from_pretrained(
            directory, config=config, local_files_only=True, trust_remote_code=False, use_safetensors=True,
            dtype=torch.float32, attn_implementation="eager", output_loading_info=True,
        )  # fmt: skip
    if missing := sorted(info["missing_keys"]):
        raise InputError(f"no tensor '{missing[0]}'", hint="download or save it again", where=str(directory))
    model.config.use_cache = False
    return model.eval().requires_grad_(False)


def _check(answer: Answered, family: str) -> None:
    """Raise InputError where our attention does not give what the library's own does."""
    with torch.no_grad():
        answer.model.set_attn_implementation("eager")
        theirs = answer.all_logits()
        answer.model.set_attn_implementation(NAME)
        seen = answer.maps("weights")[answer.kind] if len(theirs) else theirs
        ours = answer.all_logits()
    if not len(seen) or not torch.allclose(ours, theirs, rtol=1e-4, atol=1e-4):
        raise InputError(f"the attention of {family} is not known here", hint="give another model")


def attend(
    module: nn.Module,
    query: Float[Tensor, "batch head query d_head"],
    key: Float[Tensor, "batch kv_head key d_head"],
    value: Float[Tensor, "batch kv_head key d_value"],
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **_: Any,
) -> tuple[Float[Tensor, "batch query head d_value"], Tensor]:
    """Softmax of scaled products, whose weights whoever asks may change."""
    group = query.shape[1] // key.shape[1]
    key, value = (x.repeat_interleave(group, dim=1) for x in (key, value))
    scores = query @ key.mT * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    if attention_mask is not None:
        scores = scores + attention_mask[..., : key.shape[-2]]
    weights = scores.softmax(dim=-1)
    if (asked_for := _WEIGH.get()) is not None:
        weigh, kind, ran = asked_for
        weights = weigh(weights, kind, ran["layers"])
        ran["layers"] += 1
    return (weights @ value).transpose(1, 2).contiguous(), weights


def _named(toward: Any, config: Any, tokenizer: Any, *, classes: bool) -> int:
    """The number of a class or of a token."""
    text = str(toward)
    if classes:
        labels = {str(label): int(number) for number, label in config.id2label.items()}
        labels |= {str(number): number for number in labels.values()}
        if text not in labels:
            known = ", ".join(map(str, config.id2label.values()))
            raise InputError(f"no class {text!r}", hint=f"it has {known}")
        return labels[text]
    numbers = tokenizer.encode(text, add_special_tokens=False)
    if len(numbers) != 1:
        raise InputError(f"--toward {text!r} is {len(numbers)} tokens", hint="give one token, or a position")
    return int(numbers[0])


def _longest(config: Any, tokenizer: Any) -> int:
    given = (getattr(config.get_text_config(), "max_position_embeddings", None), tokenizer.model_max_length)
    return min(n for n in (*given, 2**31) if isinstance(n, int) and n > 0)
