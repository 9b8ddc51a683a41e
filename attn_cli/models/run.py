"""Run directories of `train-toy`: what is in one, as bytes to be written and as a model to be used.

config.json         the task, its vocabulary, the sizes of the model, how it was trained, what it reached
model.safetensors   the weights, under the names that they have in transformer.py
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from ..errors import InputError
from ..tokens import escape, whitespace
from ..transformer import Capture, Config, Transformer
from .attending import Attended, sizes
from .reading import WHOLE, Reading
from .weights import empty

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ..records import Attention

WEIGHTS = "model.safetensors"
_MARK = "attn_run"  # a config.json that has it is a run's; its value is the version of the layout
_VERSION = 1
_SIZES = ("vocab", "max_len", "d_model", "n_heads", "n_layers", "d_ff")  # all else is as Config has it
_LARGEST = 2**20  # of any size in config.json, so that no product of two overflows
_AGAIN = "the run is not as it was written; train it again"


@dataclass(frozen=True, eq=False)
class Run:
    """A trained toy model with what it takes to use it and to say what it is."""

    task: str
    vocabulary: tuple[str, ...]
    model: Transformer
    seed: int
    exact_match: float

    @property
    def provenance(self) -> str:
        """The task, the size, the seed and how well it learned."""
        size = f"{self.model.config.n_layers} layers × {self.model.config.n_heads} heads"
        learned = f"exact match {100 * self.exact_match:.1f} %"
        return f"train-toy {escape(self.task)}, {size}, seed {self.seed}, {learned}"

    @torch.inference_mode()
    def attend(self, text: str, reading: Reading = WHOLE) -> Attention:
        """The attention of the wanted layers to a text whose tokens stand between spaces.

        Raises InputError when the model does not know a token, or the text is empty or too long.
        """
        if replace(reading, layers="all") != WHOLE:
            raise InputError(
                "a run of train-toy reads one short text without special tokens", hint="give only --layer"
            )
        layers = reading.chosen(self.model.config.n_layers)
        tokens = whitespace(text)
        capture = Capture(layers)
        self.model.hidden(torch.tensor([self._numbers(tokens)]), attend=capture, depth=layers[-1] + 1)
        rule = self.model.config.rule("encoder")
        return Attended.of([capture.layers], tokens, rule, self.provenance).record()

    __call__ = attend  # attn.load("runs/reverse")("3 1 4 1 5")

    def _numbers(self, tokens: Sequence[str]) -> list[int]:
        if not tokens:
            raise InputError(
                "no token in the text", hint=f"give some of {self._known()}, with spaces between"
            )
        number = {token: i for i, token in enumerate(self.vocabulary)}
        if unknown := [token for token in dict.fromkeys(tokens) if token not in number]:
            raise InputError(
                f"the model does not know {_listed(unknown)}",
                hint=f"it was trained on {self._known()}, with spaces between",
            )
        if len(tokens) > (longest := self.model.config.max_len):
            raise InputError(
                f"{len(tokens)} tokens, the model takes at most {longest}", hint="give a shorter text"
            )
        return [number[token] for token in tokens]

    def _known(self) -> str:
        return _listed(self.vocabulary)


def _listed(tokens: Sequence[str], most: int = 20) -> str:
    named = " ".join(map(escape, tokens[:most]))
    return named if len(tokens) <= most else f"{named} and {len(tokens) - most} more"


# ---- to bytes ---------------------------------------------------------------------------------------


def to_files(run: Run, training: Mapping[str, Any], results: Mapping[str, Any]) -> dict[str, bytes]:
    """The files of a run directory by name; `training` and `results` are kept for the reader."""
    from .. import __version__

    config = {
        _MARK: _VERSION,
        "task": run.task,
        "vocabulary": run.vocabulary,
        "model": {name: getattr(run.model.config, name) for name in _SIZES},
        "training": {**training, "seed": run.seed},
        "results": {**results, "exact_match": run.exact_match},
        "versions": {"attn": __version__, "torch": torch.__version__, "numpy": np.__version__},
    }
    text = json.dumps(config, ensure_ascii=False, indent=2) + "\n"
    weights = {name: tensor.contiguous() for name, tensor in run.model.state_dict().items()}
    return {WEIGHTS: save(weights), "config.json": text.encode("utf-8", "surrogatepass")}


# ---- from a directory -------------------------------------------------------------------------------


def recognises(config: Mapping[str, Any]) -> bool:
    """Whether a config.json is that of a run directory."""
    return _MARK in config


def load(directory: Path, config: Mapping[str, Any]) -> Run:
    """The model of a run directory.

    Raises InputError when config.json or the weights are not what `train-toy` writes.
    """
    try:
        model_sizes = _sizes(config)
        vocabulary = _vocabulary(config, model_sizes.vocab)
        task, seed, exact_match = _facts(config)
    except InputError as problem:
        raise problem.at(str(directory / "config.json")) from None
    try:
        model = _model(directory / WEIGHTS, model_sizes)
    except InputError as problem:
        raise problem.at(str(directory / WEIGHTS)) from None
    return Run(task, vocabulary, model, seed, exact_match)


def describe(directory: Path, config: Mapping[str, Any]) -> dict[str, str]:
    """What a run directory is, by its config.json."""
    try:
        task, seed, exact_match = _facts(config)
        known = {"family": "run of train-toy", "task": escape(task), **sizes(_sizes(config))}
    except InputError as problem:
        raise problem.at(str(directory / "config.json")) from None
    return {**known, "seed": str(seed), "exact_match": str(exact_match), "read": "yes"}


def _sizes(config: Mapping[str, Any]) -> Config:
    given = _entry(config, "model", dict)
    whole = {name: _entry(given, name, int) for name in _SIZES}
    for name, size in whole.items():
        if size > _LARGEST:
            raise InputError(f"{name} {size}, at most {_LARGEST} is possible", hint=_AGAIN)
    return Config(**whole)


def _vocabulary(config: Mapping[str, Any], size: int) -> tuple[str, ...]:
    tokens = _entry(config, "vocabulary", list)
    if not all(isinstance(token, str) for token in tokens) or len(set(tokens)) != len(tokens):
        raise InputError("the vocabulary is not a list of different texts", hint=_AGAIN)
    if len(tokens) != size:
        raise InputError(f"{len(tokens)} tokens in the vocabulary, vocab {size}", hint=_AGAIN)
    return tuple(tokens)


def _facts(config: Mapping[str, Any]) -> tuple[str, int, float]:
    if (version := _entry(config, _MARK, int)) != _VERSION:
        raise InputError(f"{_MARK} {version}, this attn reads {_VERSION}", hint="update attn or train again")
    seed = _entry(_entry(config, "training", dict), "seed", int)
    exact_match = _entry(_entry(config, "results", dict), "exact_match", float)
    if not 0 <= exact_match <= 1:
        raise InputError(f"exact_match {exact_match}, expected 0 to 1", hint=_AGAIN)
    return _entry(config, "task", str), seed, exact_match


_CALLED = {int: "a whole number", float: "a number", str: "a text", list: "a list", dict: "an object"}


def _entry(config: Mapping[str, Any], name: str, kind: type) -> Any:
    if name not in config:
        raise InputError(f"no {name!r}", hint=_AGAIN)
    value = float(config[name]) if kind is float and type(config[name]) is int else config[name]
    if type(value) is not kind:
        raise InputError(f"{name} is {json.dumps(value)[:40]}, expected {_CALLED[kind]}", hint=_AGAIN)
    return value


def _model(path: Path, config: Config) -> Transformer:
    """The weights, mapped into memory once their names, shapes and type are known to be right."""
    if not path.is_file():
        raise InputError("no such file", hint=_AGAIN)
    try:
        with safe_open(path, framework="pt") as file:
            slices = {name: file.get_slice(name) for name in list(file.keys())}
            model = empty(config, n_tensors=len(slices))
            _check({name: (s.get_shape(), s.get_dtype()) for name, s in slices.items()}, model)
            tensors = {name: file.get_tensor(name) for name in slices}
    except (SafetensorError, OSError) as problem:
        raise InputError(f"not whole ({problem})", hint=_AGAIN) from None
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise InputError(f"{name} holds NaN or infinity", hint=_AGAIN)
    model.load_state_dict(tensors, assign=True)
    return model.requires_grad_(False)


def _check(found: Mapping[str, tuple[list[int], str]], model: Transformer) -> None:
    expected = {name: list(tensor.shape) for name, tensor in model.state_dict().items()}
    if different := found.keys() ^ expected.keys():
        name = min(different)
        raise InputError(f"{'no' if name in expected else 'an unknown'} tensor '{escape(name)}'", hint=_AGAIN)
    for name, shape in expected.items():
        if found[name] != (shape, "F32"):
            got_shape, got_type = found[name]
            raise InputError(f"{name} {got_shape} of {got_type}, expected {shape} of F32", hint=_AGAIN)
