"""A text → tokens → vectors, where no model reads it; and vectors from whatever holds them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import files
from ..errors import InputError
from ..records.attention import Attention
from ..records.checks import shape
from ..records.encoding import Encoding, Image, PositionTable, Sound
from ..records.recording import Recording
from ..registry import function_of, half_width
from ..text.escaping import escape
from ..text.tokenizers import TOKENIZERS, json_tokenizer
from ..variants.embeddings import EMBEDDINGS
from ..variants.posenc import POSENCS, POSITIONS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..registry import Registry
    from ..text.tokenizers import Tokenizer
    from .groups import Text


def encode(text: str, how: Text, posenc: Sequence[Any] = (), seed: int = 0, *, where: str = "") -> Encoding:
    """Text to tokens to vectors, with positions added if asked for.

    Raises InputError when there is the text contains no token.
    """
    names = _tokenizer(how.tokenizer)(text)
    if not names:
        raise InputError("the text contains no token", hint="give at least one word", where=where)
    if not isinstance(how.embed, str) or known_or_file(how.embed, EMBEDDINGS):
        embed = EMBEDDINGS.of(how.embed)
        vectors = embed(names, how.dim, seed)
        made = f"{embed.spec} embeddings"
        if embed.name == "hash":
            made = f"untrained hash embeddings (dim {vectors.shape[1]}, seed {seed})"
    else:
        vectors = files.read_vectors(how.embed, names)
        made = f"vectors of {os.path.basename(how.embed)}"
    return add_positions(Encoding(tuple(names), vectors, made), posenc)


def as_encoding(
    data: Any, how: Text, posenc: Sequence[Any] = (), seed: int = 0, *, where: str = ""
) -> Encoding:
    """Text is tokenised and embedded, an encoding or a matrix taken as it is; positions are added if asked for."""
    if isinstance(data, str):
        return encode(data, how, posenc, seed, where=where)
    if isinstance(data, Encoding):
        return add_positions(data, posenc)
    if isinstance(data, (list, tuple)) or hasattr(data, "__array__"):
        data = as_array(data)
    if not isinstance(data, np.ndarray):
        raise InputError(f"{called(data)}, expected text or vectors", where=where)
    if data.ndim != 2:
        raise InputError(f"vectors {shape(data)}, expected [seq_len, d_model]", where=where)
    numbered = Encoding(tuple(map(str, range(len(data)))), data, "vectors as given")
    return add_positions(numbered, posenc)


def as_array(data: Any) -> np.ndarray:
    """Numbers as NumPy has them; a torch tensor is taken off its device and out of its graph."""
    detach = getattr(data, "detach", None)
    if detach is not None:
        tensor = detach().cpu()
        data = tensor.float() if str(tensor.dtype) in ("torch.bfloat16", "torch.float16") else tensor
    try:
        return np.asarray(data)
    except ValueError:  # of NumPy, about shapes that no array has
        raise InputError("rows of different lengths", hint="give each row as many numbers") from None


def file_or_data(given: Any) -> Any:
    """What a file holds where a path is given, else what is given."""
    return files.read(os.fspath(given)) if isinstance(given, (str, os.PathLike)) else given


def posencs(given: Any) -> tuple[Any, ...]:
    """One positional encoding, several, or none.

    >>> posencs("rope"), posencs(None), posencs("none")
    (('rope',), (), ())
    """
    several = tuple(given) if isinstance(given, (list, tuple)) else () if given is None else (given,)
    return tuple(one for one in several if not (isinstance(one, str) and one == "none"))


def acts_inside(posenc: Any) -> bool:
    """Whether a positional encoding acts inside the scores, as rope does; else it is added to vectors.

    >>> acts_inside("rope"), acts_inside("sinusoidal")
    (True, False)
    """
    if isinstance(posenc, str):
        return posenc.partition(":")[0] in POSITIONS
    return callable(posenc) and function_of(posenc) not in POSENCS.values()


def known_or_file(spec: str, registry: Registry[Any]) -> bool:
    """True for a known spec, False for a file; else the error lists what is known."""
    if half_width(spec).partition(":")[0] in registry:
        return True
    if os.path.exists(spec) or spec == "-":
        return False
    try:
        registry[spec.partition(":")[0]]
    except InputError as unknown:
        raise InputError(f"{unknown.what}, and no such file exists", hint=unknown.hint) from None
    return True


def refuse_blank(text: str) -> None:
    """Raise InputError for a text of blanks alone, which models take for a token."""
    if not text.strip():
        raise InputError("the text contains no token", hint="give at least one word")


def called(data: Any) -> str:
    """What was read, in words."""
    if isinstance(data, dict):
        return f"arrays named {', '.join(map(escape, data))}"
    names = {str: "text", np.ndarray: "a matrix", PositionTable: "a position table"}
    names |= {Image: "an image", Attention: "a saved attention", Encoding: "a saved encoding"}
    names |= {Recording: "a recording", Sound: "a sound"}
    name = type(data).__name__
    return names.get(type(data), f"an {name}" if name[0] in "aeiou" else f"a {name}")


def add_positions(encoding: Encoding, specs: Sequence[Any]) -> Encoding:
    """Add tables of positions to vectors: names, files, tables or functions.

    Raises InputError for a kind that acts inside the scores, and a table that does not fit.
    """
    for spec in specs:
        encoding = _add(encoding, spec)
    return encoding


def _add(encoding: Encoding, spec: Any) -> Encoding:
    if acts_inside(spec):
        hint = "give attn attend --posenc, which computes scores"
        raise InputError(f"--posenc {spec} acts inside the scores, which encode does not compute", hint=hint)
    n, d = encoding.vectors.shape
    where = spec if isinstance(spec, str) else ""
    if callable(spec) or (isinstance(spec, str) and known_or_file(spec, POSENCS)):
        kind = POSENCS.of(spec, read_arrays=files.read_arrays)
        table, made = kind(n, d), f"{kind.spec} positions"
    else:
        table = _table(spec)
        made = f"positions of {os.path.basename(where)}" if where else "positions as given"
        if len(table) < n or table.shape[1] != d:
            raise InputError(
                f"positions {shape(table)} do not fit vectors {shape(encoding.vectors)}",
                hint=f"give at least {n} rows of {d} numbers",
                where=where,
            )
    vectors = encoding.vectors + table[:n].astype(encoding.vectors.dtype)
    return Encoding(encoding.tokens, vectors, f"{encoding.provenance} + {made}".removeprefix(" + "))


def _table(given: Any) -> np.ndarray:
    """The numbers of a position table: of a file, a record or an array."""
    held = files.read(given) if isinstance(given, str) else given
    if isinstance(held, PositionTable):
        return held.values
    return files.read_matrix(given) if isinstance(given, str) else as_array(held)


def _tokenizer(given: Any) -> Tokenizer:
    if not isinstance(given, str) or known_or_file(given, TOKENIZERS):
        return TOKENIZERS.of(given)
    try:
        return json_tokenizer(files.read_text(given))
    except InputError as problem:
        raise problem.at(given) from None
