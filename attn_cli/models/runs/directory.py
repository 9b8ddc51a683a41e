"""Run directories of `train-toy`: what is in one, as bytes to be written and as a model to be used.

config.json         the task, the sizes of the model, how it was trained, what it reached
model.safetensors   the weights, under the names that they have in transformer.py
tokenizer.json      where the task reads text that is cut into pieces
"""

from __future__ import annotations

import dataclasses
import json
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin, get_type_hints

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save

from ...errors import InputError
from ...text.escaping import escape
from ...transformer.model import Config, Transformer
from .. import inside
from ..native.text import TOKENIZER, open_tokenizer
from ..native.weights import empty
from ..sizes import sizes
from .run import END, Run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WEIGHTS = "model.safetensors"
_MARK = "attn_run"  # a config.json that has it is a run's; its value is the version of the layout
_VERSION = 2
_LARGEST = 2**20  # of any size in config.json, so that no product of two overflows
_AGAIN = "the run is not as it was written; train it again"
_KINDS = ("encoder", "decoder", "cross")
_FLOATS = ("F32", "F16", "BF16")


# ---- to bytes ---------------------------------------------------------------------------------------


def to_files(
    run: Run, task: str, training: Mapping[str, Any], results: Mapping[str, Any], *, half: bool = False
) -> dict[str, bytes]:
    """The files of a run directory by name; `training` and `results` are kept for the reader.

    With `half` the weights are rounded to 16 bits, which are enough to use a model, not to train it on.
    """
    from ... import __version__

    config = {
        _MARK: _VERSION,
        "title": run.title,
        "task": task,
        "learned": run.learned,
        "attends": run.attends,
        "starts": run.starts,
        "sides": run.sides,
        "model": dataclasses.asdict(run.model.config),
        "training": {**training, "seed": run.seed},
        "results": results,
        "versions": {"attn": __version__, "torch": torch.__version__, "numpy": np.__version__},
        "outputs": run.outputs,
        "longest": run.longest,
        "vocabulary": run.vocabulary if run.tokenizer is None else None,  # else it is in tokenizer.json
    }
    text = json.dumps(config, ensure_ascii=False, indent=2) + "\n"
    kind = torch.float16 if half else torch.float32
    weights = {name: x.to(kind).contiguous() for name, x in run.model.state_dict().items()}
    contents = {WEIGHTS: save(weights), "config.json": text.encode("utf-8", "surrogatepass")}
    if run.tokenizer is not None:
        contents[TOKENIZER] = run.tokenizer.to_str(pretty=False).encode()
    return contents


# ---- from a directory -------------------------------------------------------------------------------


def recognises(config: Mapping[str, Any]) -> bool:
    """Whether a config.json is that of a run directory."""
    return _MARK in config


def load(directory: Path, config: Mapping[str, Any]) -> Run:
    """The model of a run directory.

    Raises InputError when a file of it is not what `train-toy` writes.
    """
    try:
        _check_version(config)
        ours = _config(_entry(config, "model", dict))
        names = {name: _tokens(config, name) for name in ("vocabulary", "outputs", "starts")}
        facts = {name: _entry(config, name, str) for name in ("title", "learned", "sides")}
        attends = _entry(config, "attends", str)
        if attends not in _KINDS:
            raise InputError(f"attends {attends[:40]!r}, expected {' or '.join(_KINDS)}", hint=_AGAIN)
        seed = _entry(_entry(config, "training", dict), "seed", int)
        longest = None if config.get("longest") is None else _entry(config, "longest", int)
    except InputError as problem:
        raise problem.at(str(directory / "config.json")) from None
    tokenizer = open_tokenizer(directory) if config.get("vocabulary") is None else None
    if tokenizer is not None:
        tokenizer.encode_special_tokens = True  # as in training: [end] in a text is text, and ends nothing
        names["vocabulary"] = tuple(tokenizer.id_to_token(i) or "" for i in range(tokenizer.get_vocab_size()))
    try:
        _check_vocabularies(ours, **names, sides=facts["sides"])
    except InputError as problem:
        raise problem.at(str(directory / "config.json")) from None
    try:
        model = _model(directory, ours)
    except InputError as problem:
        raise problem.at(str(directory / WEIGHTS)) from None
    return Run(
        escape(facts["title"]),
        model,
        names["vocabulary"],
        seed,
        escape(facts["learned"]),
        attends,
        names["outputs"],
        names["starts"],
        facts["sides"],
        tokenizer,
        longest,
    )


def describe(directory: Path, config: Mapping[str, Any]) -> dict[str, str]:
    """What a run directory is, by its config.json."""
    try:
        _check_version(config)
        seed = _entry(_entry(config, "training", dict), "seed", int)
        known = {
            "family": "run of train-toy",
            "task": escape(_entry(config, "task", str)),
            **sizes(_config(_entry(config, "model", dict))),
            "seed": str(seed),
            "learned": escape(_entry(config, "learned", str)),
        }
    except InputError as problem:
        raise problem.at(str(directory / "config.json")) from None
    return {**known, "read": "yes"}


def _check_version(config: Mapping[str, Any]) -> None:
    if (version := _entry(config, _MARK, int)) != _VERSION:
        raise InputError(f"{_MARK} {version}, this attn reads {_VERSION}", hint="update attn or train again")


def _config(given: Mapping[str, Any]) -> Config:
    """The sizes and variants of the model, each of the type that Config has for it."""
    hints = get_type_hints(Config)
    for name, value in given.items():
        if name not in hints:
            raise InputError(f"an unknown size '{escape(name)}'", hint=_AGAIN)
        if not _fits(value, hints[name]):
            raise InputError(f"{name} is {json.dumps(value)[:40]}", hint=_AGAIN)
        if type(value) is int and value > _LARGEST:
            raise InputError(f"{name} {value}, at most {_LARGEST} is possible", hint=_AGAIN)
    needed = [field.name for field in dataclasses.fields(Config) if field.default is dataclasses.MISSING]
    if missing := [name for name in needed if name not in given]:
        raise InputError(f"no {missing[0]!r}", hint=_AGAIN)
    return Config(**given)


def _fits(value: object, hint: Any) -> bool:
    """Whether a value is of a type as an annotation writes it."""
    if get_origin(hint) is Literal:
        return isinstance(value, str) and value in get_args(hint)
    if args := get_args(hint):  # int | None
        return any(_fits(value, one) for one in args)
    return type(value) is hint or (hint is float and type(value) is int)


def _tokens(config: Mapping[str, Any], name: str) -> tuple[str, ...]:
    tokens = config.get(name) or []
    if (
        not isinstance(tokens, list)
        or not all(isinstance(token, str) for token in tokens)
        or len(set(tokens)) != len(tokens)
    ):
        raise InputError(f"the {name} is not a list of different texts", hint=_AGAIN)
    return tuple(tokens)


def _check_vocabularies(
    config: Config, vocabulary: tuple[str, ...], outputs: tuple[str, ...], starts: tuple[str, ...], sides: str
) -> None:
    if config.patch is None and len(vocabulary) != config.vocab:
        raise InputError(f"{len(vocabulary)} tokens in the vocabulary, vocab {config.vocab}", hint=_AGAIN)
    if len(outputs) != (config.outputs or 0):
        raise InputError(f"{len(outputs)} tokens come out, outputs {config.outputs}", hint=_AGAIN)
    edges = {*starts, END} if config.stack == "both" else set()
    if missing := edges - set(outputs or vocabulary):
        raise InputError(f"no token '{escape(min(missing))}' in the vocabulary", hint=_AGAIN)
    if config.stack == "both" and (not starts or (sides and len(starts) != 2)):
        raise InputError(f"{len(starts)} tokens to start with", hint=_AGAIN)
    if sides and (len(sides) != len(vocabulary) or set(sides) > {"0", "1"}):
        raise InputError("sides do not fit the vocabulary", hint=_AGAIN)


_CALLED = {int: "a whole number", float: "a number", str: "a text", list: "a list", dict: "an object"}


def _entry(config: Mapping[str, Any], name: str, kind: type) -> Any:
    if name not in config:
        raise InputError(f"no {name!r}", hint=_AGAIN)
    if type(value := config[name]) is not kind:
        raise InputError(f"{name} is {json.dumps(value)[:40]}, expected {_CALLED[kind]}", hint=_AGAIN)
    return value


# ---- the weights ------------------------------------------------------------------------------------


def _model(directory: Path, config: Config) -> Transformer:
    """The weights, mapped into memory once their names, shapes and type are known to be right."""
    if (path := inside.find(directory, WEIGHTS)) is None:
        raise InputError("no such file", hint=_AGAIN)
    try:
        with safe_open(path, framework="pt") as file:
            slices = {name: file.get_slice(name) for name in list(file.keys())}
            model = empty(config, n_tensors=len(slices))
            _check({name: (s.get_shape(), s.get_dtype()) for name, s in slices.items()}, model)
            tensors = {name: file.get_tensor(name).float() for name in slices}
    except (SafetensorError, OSError) as problem:
        raise InputError(f"not whole ({problem})", hint=_AGAIN) from None
    for name, tensor in tensors.items():
        if not tensor.isfinite().all():
            raise InputError(f"{name} holds NaN or infinity", hint=_AGAIN)
    model.load_state_dict(tensors, assign=True)
    return model.eval().requires_grad_(False)


def _check(found: Mapping[str, tuple[list[int], str]], model: Transformer) -> None:
    expected = {name: list(tensor.shape) for name, tensor in model.state_dict().items()}
    if different := found.keys() ^ expected.keys():
        name = min(different)
        raise InputError(f"{'no' if name in expected else 'an unknown'} tensor '{escape(name)}'", hint=_AGAIN)
    for name, shape in expected.items():
        got_shape, got_type = found[name]
        if got_shape != shape or got_type not in _FLOATS:
            raise InputError(f"{name} {got_shape} of {got_type}, expected {shape} of F32", hint=_AGAIN)
