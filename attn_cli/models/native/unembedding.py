"""What a Hugging Face model makes logits with: the matrix after its stack, and what stands before that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from ...errors import InputError
from ...transformer.model import ACTIVATIONS
from .given import ACTIVATIONS as SPELT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from jaxtyping import Float
    from torch import Tensor

    from ...transformer.model import Activation, Transformer
    from .given import Given
    from .weights import Checkpoint

_EITHER = {True: True, False: False}


class Unembedding(nn.Module):
    """Stream → logits: x · W + b; of models that fill gaps norm(act(x · W_d + b_d)) · W + b.

    W is the table of the embedding where the two are tied.
    """

    def __init__(
        self, matrix: Tensor, bias: Tensor | None, before: nn.Sequential | None, act: Activation
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(matrix, requires_grad=False)
        self.bias = None if bias is None else nn.Parameter(bias, requires_grad=False)
        self.before = before
        self.act: Callable[[Tensor], Tensor] = ACTIVATIONS[act]

    def forward(self, x: Float[Tensor, "*batch d_model"]) -> Float[Tensor, "*batch vocab"]:
        """How much each token is expected."""
        if self.before is not None:
            x = self.before[1](self.act(self.before[0](x)))
        return nn.functional.linear(x, self.weight, self.bias)


def unembedding(
    model: Transformer, names: Mapping[str, str], given: Given, checkpoint: Checkpoint
) -> Unembedding:
    """The unembedding of a model, by the names that its family gives the parts: out, and bias, dense, norm, act.

    `tied` says whether the family ties it to the embedding unless config.json says otherwise. Raises InputError
    where it was not saved.
    """
    try:
        tied = given.choice("tie_word_embeddings", _EITHER, names["tied"] == "yes")
        matrix = model.embedding.get_parameter("weight") if tied else _tensor(names["out"], checkpoint)
        bias = _tensor(names["bias"], checkpoint) if "bias" in names else None
        before = _before(model, names, checkpoint) if "dense" in names else None
    except InputError as problem:
        hint = "save the model with its head: AutoModelForCausalLM or AutoModelForMaskedLM"
        raise InputError(f"no output layer was saved ({problem.what})", hint=hint) from None
    act = given.choice(names["act"], SPELT, "gelu") if "act" in names else "gelu"
    return Unembedding(matrix, bias, before, act).to(matrix.dtype)


def _tensor(name: str, checkpoint: Checkpoint) -> Tensor:
    return checkpoint.tensor(checkpoint.called(name, ""))


def _before(model: Transformer, names: Mapping[str, str], checkpoint: Checkpoint) -> nn.Sequential:
    """The dense layer and the norm that models have which fill gaps."""
    width = model.config.d_model
    parts = {0: nn.Linear(width, width), 1: nn.LayerNorm(width, eps=model.config.norm_eps)}
    for name, part in zip(("dense", "norm"), parts.values(), strict=True):
        tensors = {kind: _tensor(f"{names[name]}.{kind}", checkpoint) for kind in ("weight", "bias")}
        part.load_state_dict(tensors, assign=True)
    return nn.Sequential(*parts.values()).requires_grad_(False)
