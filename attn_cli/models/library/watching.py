"""What passes through the attentions of the library's models: an attention function of ours among its own.

The library computes query, key and value; what lies between them and the weights is told by a mask, a bias and
a few numbers, and becomes a `Rule`. Each layer's rule is held against the library's own formula in three rows,
so that a model with a formula that we do not know is noticed, not computed wrongly.
"""

from __future__ import annotations

import contextlib
import re
import sys
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn.functional import scaled_dot_product_attention
from torch.nn.modules.module import register_module_forward_pre_hook

from ...attention.layers import Layer
from ...attention.mask_matrices import Added
from ...attention.outputs import Output
from ...attention.recording.masks import CAUSAL, allowed_and_added, masks_of
from ...attention.rules import Rule, positions
from ...attention.streaming import drain, stream
from ...variants.normalisation import NORMALISATIONS, softmax, softmax1

if TYPE_CHECKING:
    from collections.abc import Iterator

    from jaxtyping import Float
    from torch import Tensor

    from ...records.attention import Kind

NAME = "attn"  # of our function among the library's
_CROSS = re.compile(r"cross|encoder_attn|encdec", re.IGNORECASE)  # in the name of a decoder's part


class Unfamiliar(Exception):  # noqa: N818 (nothing of it reaches the user)
    """An attention with a formula, or vectors of a shape, that we do not know."""


class Enough(Exception):  # noqa: N818 (nothing went wrong)
    """All layers that are wanted have run."""


@dataclass(eq=False)
class Watch:
    """Keeps what the wanted layers of one kind of attention are given, under the numbers that layers have.

    W_o is the matrix of the part that next is given what the attention gave.
    """

    model: nn.Module
    kind: Kind
    wanted: frozenset[int] | None  # None: all
    seen: list[Layer] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.last: nn.Module | None = None  # the part that attended last
        self.given: Tensor | None = None  # what the last attention gave, until a part has taken it
        self.names = {part: name for name, part in self.model.named_modules()}
        self.ran: list[int] = []
        self.encoder: set[nn.Module] = set()
        if self.kind != "encoder" and getattr(self.model.config, "is_encoder_decoder", False):
            self.encoder = set(self.model.get_encoder().modules())  # type: ignore[operator]

    def number(self, part: nn.Module) -> int | None:
        """The layer of an attention of the kind that is watched, None for those of other kinds.

        A part that serves several layers, as all of ALBERT's do, has the next number each time.
        """
        name = self.names.get(part)
        if name is None or part in self.encoder:
            return None
        if self.encoder and bool(_CROSS.search(name)) != (self.kind == "cross"):
            return None
        found = re.search(r"\d+", name)
        number = int(found[0]) if found else 0
        return max(number, self.ran[-1] + 1) if self.ran else number

    def keep(self, one: Layer, output: Float[Tensor, "1 query head d_value"]) -> None:
        """Keep a layer if it is wanted, and look for what its output goes into."""
        self.given = None
        self.ran.append(one.number)
        if self.wanted is None or one.number in self.wanted:
            self.seen.append(one)
            self.given = output.flatten(-2)

    def widens(self, part: nn.Module, query: Tensor, key: Tensor, value: Tensor) -> bool:
        """Whether this is what a part did just now, with other values: DiffLlama weighs two halves of them alike.

        The values are then put beside those of the first time.
        """
        if not self.seen or self.last is not part or self.ran[-1] != self.seen[-1].number:
            return False
        before = self.seen[-1]
        if not torch.equal(before.query, query[0]) or not torch.equal(before.key, key[0]):
            return False
        self.seen[-1] = replace(before, value=torch.cat([before.value, value[0]], dim=-1))
        return True

    def look(self, part: nn.Module, given: tuple[Any, ...]) -> None:
        """Before each part of the model: whether it takes what the last attention gave through its matrix."""
        if self.given is None or not given or not isinstance(x := given[0], torch.Tensor):
            return
        if x.shape[-1] != self.given.shape[-1] or x.numel() != self.given.numel():
            return
        if (W_o := _matrix(part)) is None or not torch.equal(x.reshape(self.given.shape), self.given):
            return
        self.given = None
        self.seen[-1] = replace(self.seen[-1], out=Output(W_o, getattr(part, "bias", None)))
        self.stop_if_enough()

    def stop_if_enough(self) -> None:
        """Let no layer run after the last that is wanted."""
        if self.wanted is not None and self.ran and self.ran[-1] >= max(self.wanted):
            raise Enough


def _matrix(part: nn.Module) -> Float[Tensor, "d_in d_out"] | None:
    """The matrix of a linear map [in, out], whichever way it is saved; None for any other part."""
    weight = getattr(part, "weight", None)
    if not isinstance(weight, torch.Tensor) or weight.ndim != 2:
        return None
    if isinstance(part, nn.Linear):
        return weight.mT
    return weight if type(part).__name__ == "Conv1D" else None  # as GPT-2 and its heirs have them


_WATCH: ContextVar[Watch | None] = ContextVar("watch", default=None)


@contextlib.contextmanager
def watching(watch: Watch) -> Iterator[None]:
    """While it lasts, what passes is kept; it ends early when enough has."""
    token = _WATCH.set(watch)
    looking = register_module_forward_pre_hook(watch.look)
    try:
        yield
    except Enough:
        pass
    finally:
        looking.remove()
        _WATCH.reset(token)


def use(model: Any, *, ours: bool) -> None:
    """Have a model attend by our function, or by its own."""
    from transformers import AttentionInterface, AttentionMaskInterface
    from transformers.masking_utils import sdpa_mask

    def written_out(*given: Any, **named: Any) -> Any:
        """True = may attend. Left out, a part that does not say that it is not causal would be taken for it."""
        told = {**named, "allow_is_causal_skip": False, "allow_is_bidirectional_skip": False}
        return sdpa_mask(*given, **told)

    AttentionInterface.register(NAME, attend)
    AttentionMaskInterface.register(NAME, written_out)
    model.set_attn_implementation(NAME if ours else "eager")


def attend(
    module: nn.Module,
    query: Float[Tensor, "1 head query d_head"],
    key: Float[Tensor, "1 kv_head key d_head"],
    value: Float[Tensor, "1 kv_head key d_value"],
    attention_mask: Tensor | None,
    scaling: float | None = None,
    dropout: float = 0.0,
    **others: Any,
) -> tuple[Float[Tensor, "1 query head d_value"], None]:
    """Attention as the library asks for it; whoever watches is told."""
    if query.shape[0] != 1 or query.shape[1] % key.shape[1]:
        raise Unfamiliar
    group = query.shape[1] // key.shape[1]
    wide_key, wide_value = (x.repeat_interleave(group, dim=1) for x in (key, value))
    rule = _rule(module, query, wide_key, attention_mask, scaling, others)
    watch = _WATCH.get()
    if watch is not None and watch.widens(module, query, wide_key, wide_value):
        return _output(query, wide_key, wide_value, rule).transpose(1, 2).contiguous(), None
    if watch is not None and (layer := watch.number(module)) is not None:
        if not _agrees(module, (query, key, value), wide_value, rule, wide_key, scaling, others):
            raise Unfamiliar
        watch.stop_if_enough()
        output = _output(query, wide_key, wide_value, rule).transpose(1, 2).contiguous()
        watch.keep(Layer(query[0], wide_key[0], wide_value[0], rule, None, layer), output)
        watch.last = module
        return output, None
    return _output(query, wide_key, wide_value, rule).transpose(1, 2).contiguous(), None


def _rule(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    mask: Tensor | None,
    scaling: float | None,
    others: dict[str, Any],
) -> Rule:
    """What lies between the vectors and the weights, from all that the library says of it."""
    n_query, n_key = query.shape[-2], key.shape[-2]
    masks: tuple[tuple[Any, ...], ...] = ()
    bias: Tensor | None = others.get("position_bias")
    if mask is None:
        said = others.get("is_causal")
        causal = getattr(module, "is_causal", False) if said is None else said
        if causal and n_query > 1:  # a single query is the last, and sees all
            masks = CAUSAL
    else:
        allowed, added = allowed_and_added(mask[..., :n_key])
        if allowed.shape[:2] != (1, 1):
            raise Unfamiliar
        masks = masks_of(allowed[0, 0].expand(n_query, n_key))
        if added is not None:
            bias = added if bias is None else bias + added
    return Rule(
        scale=scaling,
        position=None if bias is None else Added(bias[0].expand(-1, n_query, n_key)),
        masks=masks,
        softcap=others.get("softcap"),
        normalise=_normalise(module, query.shape[1], others),
    )


def _normalise(module: nn.Module, n_heads: int, others: dict[str, Any]) -> Any:
    """Softmax, or with learned sinks one that may attend to nothing."""
    given = (others.get("s_aux"), others.get("sinks"), getattr(module, "sinks", None))
    sinks = next((one for one in given if isinstance(one, torch.Tensor)), None)
    if sinks is None:
        return softmax
    if sinks.numel() != n_heads:
        raise Unfamiliar
    return NORMALISATIONS.of(softmax1).but(sink=tuple(sinks.flatten().tolist()))


def _agrees(
    module: nn.Module,
    vectors: tuple[Tensor, Tensor, Tensor],
    wide_value: Tensor,
    rule: Rule,
    wide_key: Tensor,
    scaling: float | None,
    others: dict[str, Any],
) -> bool:
    """Whether the library's own formula gives the same weights and output in the first, middle and last row."""
    query, key, value = vectors
    rows = sorted({0, query.shape[-2] // 2, query.shape[-2] - 1})
    query = query[:, :, rows]
    query_pos, key_pos = positions(vectors[0].shape[-2], key.shape[-2], key.device)
    here = query, wide_key, query_pos[rows], key_pos
    allowed = rule.allowed(*here)
    weights = rule.weights(rule.scores(*here), allowed)
    mask = query.new_zeros(1, 1, len(rows), len(key_pos))
    if allowed is not None:
        mask = mask.masked_fill(~allowed, torch.finfo(mask.dtype).min)
    if rule.position is not None:
        mask = mask + rule.position.table[:, rows]  # type: ignore[attr-defined]
    told = {name: x for name, x in others.items() if name != "position_bias"}
    eager = getattr(sys.modules[type(module).__module__], "eager_attention_forward", None)
    if eager is None:
        return False
    try:
        output, theirs = eager(module, query, key, value, mask, scaling=scaling, dropout=0.0, **told)
        ours = (weights @ wide_value.to(weights.dtype)).transpose(1, 2)
        rough = max(1e-4, torch.finfo(query.dtype).eps)  # of half precision: its rounding
        theirs, output = theirs.to(weights.dtype), output.to(weights.dtype)
        same = torch.allclose(weights, theirs, atol=rough)
        return same and torch.allclose(ours, output, 10 * rough, rough)
    except (TypeError, RuntimeError, AttributeError, IndexError, ValueError):
        return False  # it wants to be told more than we know


def _output(
    query: Float[Tensor, "1 head query d_head"],
    key: Float[Tensor, "1 head key d_head"],
    value: Float[Tensor, "1 head key d_value"],
    rule: Rule,
) -> Float[Tensor, "1 head query d_value"]:
    """What the model goes on with: by torch's fused kernel where that can, else block by block."""
    if rule.softcap is not None or rule.normalise != softmax:
        return drain(stream(query, key, value, rule)).output
    n_query, n_key = query.shape[-2], key.shape[-2]
    if rule.masks == CAUSAL and rule.position is None and n_query == n_key:  # without a mask written out
        return scaled_dot_product_attention(query, key, value, is_causal=True, scale=rule.scale)
    mask = rule.allowed(query, key, *positions(n_query, n_key, key.device))
    if rule.position is not None:
        bias = rule.position.table  # type: ignore[attr-defined]
        mask = bias if mask is None else bias.masked_fill(~mask, -torch.inf)
    return scaled_dot_product_attention(query, key, value, attn_mask=mask, scale=rule.scale)
