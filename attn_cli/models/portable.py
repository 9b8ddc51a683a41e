"""A model as plain arrays and JSON, for a program that is not Python: the live page runs it in JavaScript.

What a config.json leaves to formulas, the table of positions or the angles of rotary ones, is worked out here, so that
the other side only adds and turns.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from ..errors import InputError
from ..variants.posenc import POSENCS, POSITIONS, rope_frequencies
from .native.huggingface import HuggingFace
from .runs.run import END, Run

if TYPE_CHECKING:
    from jaxtyping import Float
    from torch import Tensor

    from ..transformer.model import Transformer
    from . import Model
    from .native.unembedding import Unembedding

LONGEST = 256  # tokens that a page reads: positions beyond them do not travel


@dataclass(frozen=True, eq=False)
class Portable:
    """What it takes to run a model elsewhere."""

    header: dict[str, Any]  # its sizes, and what its tokens are called
    tensors: dict[str, Float[Tensor, ...]]  # by the names of transformer/model.py
    tokenizer: str | None  # a tokenizer.json; None: tokens stand between spaces


def portable(model: Model) -> Portable:
    """A model that reads text, out of Python.

    Raises InputError for one that looks at images or is not read natively.
    """
    if isinstance(model, Run) and model.vocabulary:
        return Portable(
            {**_stack(model.model), **_of_run(model)}, _tensors(model.model), _json(model.tokenizer)
        )
    if isinstance(model, HuggingFace):
        return _of_directory(model)
    raise InputError(
        "a live page of a model that reads images or that transformers runs",
        hint="give mini, a run of train-toy on text, or the directory of a BERT, GPT-2 or Llama",
    )


def _of_directory(model: HuggingFace) -> Portable:
    """A decoder with what makes logits of its stream, where that was saved; others only attend."""
    stack, tensors = _stack(model.model), _tensors(model.model)
    if (made := _unembedding(model)) is not None:
        tied = made.bias is None and torch.equal(made.weight, model.model.embedding.get_parameter("weight"))
        stack["config"]["unembedding"] = "tied" if tied else "own"
        if not tied:
            tensors |= {f"unembedding.{name}": part for name, part in made.state_dict().items()}
    told = {"provenance": model.provenance, "vocabulary": None, "verbatim": False}
    return Portable({**stack, **told}, tensors, _json(model.tokenizer))


def _unembedding(model: HuggingFace) -> Unembedding | None:
    if model.model.config.stack != "decoder" or model.unembed is None:
        return None
    try:
        made: Unembedding = model.unembed(model.model)
    except InputError:  # it was saved without one, and is looked at all the same
        return None
    return made if made.before is None else None


def _of_run(run: Run) -> dict[str, Any]:
    return {
        "provenance": run.provenance,
        "vocabulary": None if run.tokenizer else run.vocabulary,
        "outputs": run.outputs or None,
        "starts": run.starts,
        "end": END if run.model.config.stack == "both" else None,
        "sides": run.sides,
        "attends": run.attends,
        "verbatim": True,  # what looks like a special token in a text is text
    }


def _json(tokenizer: Any) -> str | None:
    return None if tokenizer is None else str(tokenizer.to_str())


def _stack(model: Transformer) -> dict[str, Any]:
    """The sizes and variants, with those worked out that have a default."""
    config = model.config
    sizes = dataclasses.asdict(config)
    sizes |= {"head_size": config.head_size, "kv_heads": config.kv_heads, "rope": _rope(model)}
    sizes |= {"windowed": None if config.windowed is None else list(config.windowed)}
    return {"config": json.loads(json.dumps(sizes)), "longest": min(config.max_len, LONGEST)}


def _rope(model: Transformer) -> dict[str, Any] | None:
    """The angles by which pairs of query and key turn at each position."""
    config = model.config
    if not config.positions.startswith("rope"):
        return None
    given = dict(POSITIONS.parse(config.positions).options)
    interleaved, part = given.pop("pairing") == "interleaved", given.pop("partial")
    theta, stretch = rope_frequencies(int(config.head_size * part), **given)
    return {"theta": theta.tolist(), "stretch": stretch, "interleaved": interleaved}


def _tensors(model: Transformer) -> dict[str, Float[Tensor, ...]]:
    """All weights; positions as far as a page reads, computed ones too."""
    tensors, config = dict(model.state_dict()), model.config
    if config.positions == "learned":
        tensors["position.weight"] = tensors["position.weight"][:LONGEST]
    elif not config.positions.startswith("rope"):
        table = POSENCS.parse(config.positions)(min(config.max_len, LONGEST), config.d_model)
        tensors["position.weight"] = torch.as_tensor(table, dtype=torch.float32)
    return tensors
