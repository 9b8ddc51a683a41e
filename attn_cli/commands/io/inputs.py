"""From INPUT and options to text, tokens and vectors: the first half of the way that all commands take."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from ... import files
from ...errors import InputError
from ...records.checks import shape
from ...records.encoding import Encoding, Image, PositionTable
from ...text.escaping import escape
from ...text.tokenizers import TOKENIZERS, json_tokenizer
from ...variants.embeddings import EMBEDDINGS
from ...variants.posenc import POSENCS, POSITIONS
from .environment import environment
from .options import Source, Text

if TYPE_CHECKING:
    from ...registry import Registry
    from ...text.tokenizers import Tokenizer


def read_input(source: Text) -> Any:
    """What INPUT or --text holds: a record, a matrix, named arrays, an image or text.

    With neither, and nobody writing into standard input, the command's help is shown instead of waiting.
    """
    if source.text is not None:
        if source.input is not None:
            raise InputError(f"both INPUT {source.input!r} and --text", hint="give one of them")
        return typed(source.text)
    if source.input is None:
        environment.help_a_person()
    path = source.input or "-"
    try:
        return files.read(path, encoding=source.encoding)
    except InputError as problem:
        if os.path.exists(path) or problem.hint.startswith("did you mean") or not _is_said(path):
            raise
        raise InputError(
            "no such file", hint="if it is the text itself, put --text before it", where=path
        ) from None


def _is_said(path: str) -> bool:
    """Whether it looks like words rather than like the name of a file.

    >>> _is_said("The cat sat."), _is_said("我爱你"), _is_said("the cat.txt"), _is_said("cat")
    (True, True, False, False)
    """
    named = re.fullmatch(r"\.[^\W\d]\w*", os.path.splitext(path)[1])
    return not named and (" " in path or not path.isascii())


def resolve_encoding(source: Text) -> Encoding:
    """Tokens and vectors of whatever INPUT holds."""
    data = read_input(source)
    if not isinstance(data, str):
        refuse(source, called(data), *TEXT_OPTIONS)
    return as_encoding(data, source, where_from(source))


def where_from(source: Text) -> str:
    """What INPUT is called in an error."""
    return "--text" if source.text is not None else source.input or "standard input"


def as_encoding(data: Any, source: Text, where: str) -> Encoding:
    """Text is tokenised and embedded, an encoding or a matrix taken as it is; positions are added if asked for."""
    if isinstance(data, str):
        return encode(data, source, where)
    if isinstance(data, Encoding):
        return _add_positions(data, source.posenc)
    if isinstance(data, np.ndarray):
        if data.ndim != 2:
            raise InputError(f"vectors {shape(data)}, expected [seq_len, d_model]", where=where)
        numbered = Encoding(tuple(map(str, range(len(data)))), data, "vectors as given")
        return _add_positions(numbered, source.posenc)
    raise InputError(f"{called(data)}, where text or vectors are wanted", where=where)


def encode(text: str, source: Text, where: str) -> Encoding:
    """Text to tokens to vectors, with positions added if asked for."""
    names = _tokenizer(source.tokenizer)(text)
    if not names:
        raise InputError("no token in the text", hint="give at least one word", where=where)
    if known_or_file(source.embed, EMBEDDINGS):
        vectors = EMBEDDINGS.parse(source.embed)(names, source.dim, source.seed)
        made = f"untrained hash embeddings (dim {vectors.shape[1]}, seed {source.seed})"
        made = made if source.embed == "hash" else f"{source.embed} embeddings"
    else:
        vectors = files.read_vectors(source.embed, names, encoding=source.encoding)
        made = f"vectors of {os.path.basename(source.embed)}"
    return _add_positions(Encoding(tuple(names), vectors, made), source.posenc)


def read_encoding(path: str, source: Source) -> Encoding:
    """Tokens and vectors of whatever a file holds."""
    return as_encoding(files.read(path, encoding=source.encoding), source, path)


# ---- a name in a registry, or a file ----------------------------------------------------------------


def known_or_file(spec: str, registry: Registry[Any]) -> bool:
    """True for a known spec, False for a file; else the error lists what is known."""
    if spec.partition(":")[0] in registry:
        return True
    if os.path.exists(spec) or spec == "-":
        return False
    try:
        registry[spec.partition(":")[0]]
    except InputError as unknown:
        raise InputError(f"{unknown.what}, nor is there such a file", hint=unknown.hint) from None
    return True


def _tokenizer(spec: str) -> Tokenizer:
    if known_or_file(spec, TOKENIZERS):
        return TOKENIZERS.parse(spec)
    try:
        return json_tokenizer(files.read_text(spec))
    except InputError as problem:
        raise problem.at(spec) from None


def _add_positions(encoding: Encoding, spec: str | None) -> Encoding:
    if spec is None or spec == "none":
        return encoding
    if (name := spec.partition(":")[0]) in POSITIONS:
        raise InputError(
            f"--posenc {spec}, but {name} acts within the scores", hint=f"give attn attend --position {name}"
        )
    n, d = encoding.vectors.shape
    if known_or_file(spec, POSENCS):
        table, made = POSENCS.parse(spec, read_arrays=files.read_arrays)(n, d), f"{spec} positions"
    else:
        data = files.read(spec)
        table = data.values if isinstance(data, PositionTable) else files.read_matrix(spec)
        made = f"positions of {os.path.basename(spec)}"
        if len(table) < n or table.shape[1] != d:
            raise InputError(
                f"positions {shape(table)} do not fit vectors {shape(encoding.vectors)}",
                hint=f"give at least {n} rows of {d} numbers",
                where=spec,
            )
    vectors = encoding.vectors + table[:n].astype(encoding.vectors.dtype)
    return Encoding(encoding.tokens, vectors, f"{encoding.provenance} + {made}".removeprefix(" + "))


# ---- options that do not apply ----------------------------------------------------------------------

TEXT_OPTIONS = ("tokenizer", "embed", "dim")


def _default(name: str) -> Any:
    return Source.__dataclass_fields__[name].default


def refuse(source: Text, what: str, *names: str, hint: str = "leave it out") -> None:
    """An option that could have no effect is an error, not a surprise."""
    for name in names:
        if getattr(source, name) not in (_default(name), []):
            option = "INPUT" if name == "input" else f"--{name.replace('_', '-')}"
            raise InputError(f"{option} does not apply to {what}", hint=hint)


def called(data: Any) -> str:
    """What was read, in words."""
    if isinstance(data, dict):
        return f"arrays named {', '.join(map(escape, data))}"
    names = {str: "text", np.ndarray: "a matrix", PositionTable: "a position table"}
    names |= {Image: "an image"}
    return names.get(type(data), f"a saved {type(data).__name__.lower()}")


def typed(text: str) -> str:
    """Text from the command line: bytes that the locale could not decode are decoded like a file's."""
    return (
        files.decode(os.fsencode(text), where="--text")
        if any("\ud800" <= c <= "\udfff" for c in text)
        else text
    )
