"""From INPUT and options to an `Attention`: the one way that all commands take. Its first half is inputs.py."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Any

from ... import files
from ...errors import InputError, warn
from ...records.attention import Attention
from ...records.encoding import Encoding, Image
from ...records.selection import choose, crop, of_patch, parse_choice
from ...records.words import merged, words_in
from ...registry import nearest
from .inputs import (
    TEXT_OPTIONS,
    as_encoding,
    called,
    known_or_file,
    read_encoding,
    read_input,
    refuse,
    typed,
    where_from,
)
from .options import Selection, Source

if TYPE_CHECKING:
    import numpy as np

    from ...attention.heads import Heads
    from ...attention.rules import Rule
    from ...models.reading import Reading
    from ...records.attention import Kind
    from ...variants.projections import Projection


_VECTOR_OPTIONS = (
    "model", "tokenizer", "embed", "dim", "posenc", "context", "heads", "kv_heads", "project", "score", "position",
    "scale", "temperature", "softcap", "mask", "top_k", "normalise", "memory", "dtype", "device", "threads",
)  # fmt: skip

_MODEL_OPTIONS = ("pair", "kind", "target", "no_special", "renormalise", "truncate", "chunk")


def resolve(
    source: Source, default_model: str, *, every_step: bool = False, norms: bool = False
) -> Attention:
    """The attention that INPUT and the options describe; a text goes through `default_model` unless told.

    With `norms` also how much of each key arrives. Raises InputError where `every_step` is wanted of more
    weights than are held at once.
    """
    found = resolve_heads(source, default_model, norms=norms)
    if not isinstance(found, Attention):
        found = attend(found, rule(source), every_step=every_step, norms=norms)
    return select(found, source)


def select(attention: Attention, selection: Selection) -> Attention:
    """The part of an attention that was asked for."""
    chosen = choose(attention, "layer", parse_choice("layer", selection.layer or "all"))
    chosen = choose(chosen, "head", parse_choice("head", selection.head))
    chosen = merged(chosen) if selection.words else chosen
    if selection.patch:
        if selection.query_range:
            raise InputError("both --patch and --query-range", hint="give one of them")
        chosen = of_patch(chosen, selection.patch)
    if selection.query_range:
        chosen = crop(chosen, "query", selection.query_range)
    return crop(chosen, "key", selection.key_range) if selection.key_range else chosen


def attend(heads: Heads, by: Rule, *, every_step: bool = False, norms: bool = False) -> Attention:
    """All weights of a short input; a long one is streamed, with a bar, and pooled."""
    from ...attention import layers, streaming
    from .progress import bar

    with bar("attention") as show, streaming.watched(show):
        return layers.attend(heads, by, norms=norms, every_step=every_step)


def resolve_heads(source: Source, default_model: str, *, norms: bool = False) -> Heads | Attention:
    """Heads that are still to attend, by the options' `rule`; or an attention that is there already."""
    if source.weights:
        others = (*_VECTOR_OPTIONS, *_MODEL_OPTIONS, "input", "text", "query", "key", "value")
        refuse(source, "a matrix of weights", *others)
        return _bare_weights(files.read_matrix(source.weights))
    if source.query or source.key or source.value:
        return _heads_of_files(source)
    data = read_input(source)
    if isinstance(data, Attention):
        refuse(source, "saved attention", *_VECTOR_OPTIONS, *_MODEL_OPTIONS)
        return data
    if isinstance(data, Image):
        return _look_at(data, source, norms=norms)
    if isinstance(data, str) and (model := source.model or default_model) != "none":
        if model != "untrained":
            return _through_model(model, data, source, norms=norms)
        source = _untrained(source)
    elif source.model not in (None, "none"):
        raise InputError(f"--model {source.model} wants text, not {called(data)}", hint="leave --model out")
    if not isinstance(data, str) and not source.context and not source.memory:
        refuse(source, called(data), *TEXT_OPTIONS)
    return _heads(source, *_query_key_value(data, source))


def _query_key_value(data: Any, source: Source) -> tuple[Encoding, Encoding, Encoding]:
    """Named arrays may hold all three; anything else is all three at once."""
    where = where_from(source)
    if isinstance(data, dict) and "query" in data:
        query = data["query"]
        key = data.get("key", query)
        value = data.get("value", key)
        return (
            as_encoding(query, source, where),
            as_encoding(key, source, where),
            as_encoding(value, source, where),
        )
    if isinstance(data, dict):
        raise InputError(called(data), hint="name them query, key and value", where=where)
    x = as_encoding(data, source, where)
    return x, x, x


def _untrained(source: Source) -> Source:
    """What a text gets from `--model untrained`: enough for every part of the mechanism to be seen."""
    warn("untrained: hash embeddings and random projections; this shows the mechanism, not meaning")
    return dataclasses.replace(
        source,
        posenc=source.posenc or "sinusoidal",
        project=source.project or "random",
        heads=source.heads or 4,
    )


def _through_model(path: str, text: str, source: Source, *, norms: bool) -> Attention:
    from ... import models
    from ...attention import streaming
    from .progress import bar

    hint = "leave it out" if source.model else "give --model none or untrained too, or leave it out"
    refuse(
        source, f"--model {path}", *(o for o in _VECTOR_OPTIONS if o not in ("model", "threads")), hint=hint
    )
    _set_threads(source)
    model, reading = models.load(path), _reading(source, norms=norms)
    with bar("attention") as show, streaming.watched(show):
        return _with_words(model.attend(text, reading), text, reading)


def _with_words(attention: Attention, text: str, reading: Reading) -> Attention:
    """The same, knowing which of its tokens are pieces of one word, as far as the texts tell."""
    read = text if reading.pair is None else f"{text} {reading.pair}"
    written = read if reading.target is None or attention.kind == "encoder" else reading.target
    keys = read if attention.kind == "cross" else written
    return dataclasses.replace(
        attention,
        query_words=words_in(written, attention.query_tokens),
        key_words=words_in(keys, attention.key_tokens),
    )


def _look_at(image: Image, source: Source, *, norms: bool) -> Attention:
    """What a model for images attends to; of all its layers the last, unless told."""
    from ... import models
    from ...attention import streaming
    from .progress import bar

    hint = "give --model DIR, the directory of a ViT or CLIP"
    if source.model in (None, "none", "untrained"):
        raise InputError("an image, and no model that looks at images", hint=hint, where=source.input or "")
    refuse(source, "images", *(o for o in _VECTOR_OPTIONS if o not in ("model", "threads")))
    _set_threads(source)
    model = models.load(source.model)
    if not model.sees:
        raise InputError(f"--model {source.model} reads text, not images", hint=hint)
    with bar("attention") as show, streaming.watched(show):
        return model.attend(image, _reading(source, layer="last", norms=norms))


def _reading(source: Source, *, layer: str = "all", norms: bool = False) -> Reading:
    from ...models.reading import Reading

    if source.truncate and source.chunk:
        raise InputError("both --truncate and --chunk", hint="give one of them")
    if source.renormalise and not source.no_special:
        raise InputError("--renormalise without --no-special", hint="give both")
    layers = parse_choice("layer", source.layer or layer)
    return Reading(
        layers="all" if layers == "mean" or layers == "max" else layers,
        pair=source.pair,
        kind=_kind(source.kind),
        target=None if source.target is None else _target(source.target, source),
        norms=norms,
        special=not source.no_special,
        renormalise=source.renormalise,
        too_long="truncate" if source.truncate else "chunk" if source.chunk else "refuse",
    )


def _kind(name: str | None) -> Kind | None:
    known: tuple[Kind, ...] = ("encoder", "decoder", "cross")
    if name is None or name in known:
        return name
    raise InputError(f"--kind {name!r}", hint=f"give {' or '.join(known)}{nearest(name, list(known))}")


def _target(given: str, source: Source) -> str:
    """The text of a file where there is one of that name, else the text itself.

    Raises InputError when what is given can only be meant as the name of a file, and there is none.
    """
    folder, suffix = os.path.dirname(given), os.path.splitext(given)[1].lower()
    named = " " not in given and (suffix in (".txt", ".md", ".text") or os.path.isdir(folder))
    if named or os.path.exists(given):
        return files.read_text(given, encoding=source.encoding)
    return typed(given)


def _heads_of_files(source: Source) -> Heads:
    if source.input or source.text or source.context:
        given = next(n for n in ("input", "text", "context") if getattr(source, n))
        raise InputError(
            f"--query, --key, --value beside {'INPUT' if given == 'input' else '--' + given}",
            hint="give the three files alone, or one INPUT",
        )
    refuse(source, "vectors from files", "model")
    if not source.query:
        raise InputError("--key or --value without --query", hint="give --query FILE too")
    query = read_encoding(source.query, source)
    key = read_encoding(source.key, source) if source.key else query
    value = read_encoding(source.value, source) if source.value else key
    return _heads(source, query, key, value)


def _heads(source: Source, query: Encoding, key: Encoding, value: Encoding) -> Heads:
    from ...attention.heads import project

    refuse(source, "vectors; give --model DIR", *_MODEL_OPTIONS)
    if source.context:
        key = value = read_encoding(source.context, source)
    _set_threads(source)
    return project(
        query,
        key,
        value,
        heads=source.heads or 1,
        kv_heads=source.kv_heads,
        project=_projection(source.project or "identity"),
        memory=read_encoding(source.memory, source) if source.memory else None,
        seed=source.seed,
        dtype=source.dtype,
        device=source.device,
        kind="cross" if source.context else "self",
    )


def _set_threads(source: Source) -> None:
    if source.threads:
        import torch

        torch.set_num_threads(source.threads)


def rule(source: Source) -> Rule:
    """The rule that the options describe: score, positions inside it, masks, normalisation."""
    from ...attention.rules import Rule

    return Rule.parse(
        score=source.score,
        position=source.position,
        mask=[_mask(spec) for spec in source.mask or []],
        normalise=source.normalise,
        scale=source.scale,
        temperature=source.temperature,
        softcap=source.softcap,
        top_k=source.top_k,
        seed=source.seed,
        read_arrays=files.read_arrays,
    )


def _bare_weights(matrix: np.ndarray) -> Attention:
    rows, columns = (tuple(map(str, range(n))) for n in matrix.shape)
    return Attention(rows, columns, matrix[None, None], "unknown", "weights as given")


def _projection(spec: str) -> str | Projection:
    from ...variants.projections import PROJECTIONS, from_arrays

    if known_or_file(spec, PROJECTIONS):
        return spec
    try:
        return from_arrays(files.read_arrays(spec))
    except InputError as problem:
        raise problem.at(spec) from None


def _mask(spec: str) -> list[str | np.ndarray]:
    """The parts of an OR: specs as they are, files read."""
    from ...variants.masks import MASKS

    parts = [spec] if os.path.exists(spec) else spec.split("|")
    return [part if known_or_file(part, MASKS) else files.read_matrix(part) for part in parts]


def refuse_selection(source: Source, what: str) -> None:
    """Where everything is shown, a part cannot be chosen."""
    refuse(source, what, *(f.name for f in dataclasses.fields(Selection)))
