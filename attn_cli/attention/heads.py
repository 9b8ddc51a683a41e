"""From vectors to the query, key and value of every head, which dense and streamed attention share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from ..errors import InputError, warn
from ..records.checks import shape
from ..records.encoding import Encoding
from ..text.escaping import escape
from ..variants import projections
from ..variants.projections import Projection
from .devices import pick_device, pick_dtype
from .outputs import Output, split_heads

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Bool, Float

    from ..records.attention import Kind
    from ..registry import Variant

# A spec, a function like those of `PROJECTIONS`, the matrices, or arrays by their names W_q, W_k, W_v …
Projecting = str | Callable[..., Projection] | Projection | Mapping[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Heads:
    """Query, key and value of every head, and what is needed to make a record of their attention."""

    query: Float[Tensor, "head query d_head"]
    key: Float[Tensor, "head key d_head"]
    value: Float[Tensor, "head key d_value"]
    inputs: tuple[Encoding, Encoding, Encoding]  # the vectors that query, key and value were made of
    projection: Projection
    kind: Kind
    provenance: str

    @property
    def query_tokens(self) -> tuple[str, ...]:
        """The tokens that attend."""
        return self.inputs[0].tokens

    @property
    def key_tokens(self) -> tuple[str, ...]:
        """The tokens that are attended to, a memory's before the others."""
        return self.inputs[1].tokens

    @property
    def out(self) -> Output:
        """The output matrix and its bias."""
        W_o, b_o = self.projection.W_o, self.projection.b_o
        new = self.value.new_tensor
        return Output(None if W_o is None else new(W_o), None if b_o is None else new(b_o))


def project(
    query: Encoding | Float[np.ndarray, "query d_query"],
    key: Encoding | Float[np.ndarray, "key d_key"] | None = None,
    value: Encoding | Float[np.ndarray, "key d_value"] | None = None,
    *,
    heads: int = 1,
    kv_heads: int | None = None,
    project: Projecting = "identity",
    memory: Encoding | Float[np.ndarray, "memory d_key"] | None = None,
    seed: int = 0,
    dtype: str | None = None,
    device: str = "cpu",
    kind: Kind = "self",
) -> Heads:
    """Vectors through their matrices, cut into heads.

    Key defaults to query, value to key. With fewer `kv_heads` than heads, neighbouring heads share a key
    and a value (grouped queries; multi-query with 1: Shazeer 2019, arXiv:1911.02150, Ainslie et al. 2023,
    arXiv:2305.13245). `memory` are the vectors of an earlier segment; keys and values see them first
    (Transformer-XL, arXiv:1901.02860). The dtype is the query vectors' own unless given. Raises InputError
    when shapes do not fit.

    >>> project(np.eye(4), heads=2).query.shape
    torch.Size([2, 4, 2])
    """
    query = as_encoding(query)
    key = query if key is None else as_encoding(key)
    value = key if value is None else as_encoding(value)
    provenance = [query.provenance]
    if memory is not None:
        memory = as_encoding(memory)
        key, value = _after(memory, key), _after(memory, value)
        provenance.append(f"after a memory of {len(memory.tokens)}")
    kv_heads = kv_heads or heads
    if heads % kv_heads:
        raise InputError(f"{kv_heads} key heads for {heads} heads", hint="give a number that divides --heads")
    w = _matrices(project, query, key, value, kv_heads / heads, seed)
    on = pick_device(device)
    kept = pick_dtype(dtype, query.vectors, on)
    x, y, z = (torch.tensor(one.vectors, dtype=kept, device=on) for one in (query, key, value))
    q = split_heads(_linear("query", x, w.W_q, w.b_q, heads), heads)
    k = split_heads(_linear("key", y, w.W_k, w.b_k, kv_heads), kv_heads)
    v = split_heads(_linear("value", z, w.W_v, w.b_v, kv_heads), kv_heads)
    _check_fit(q, k, v)
    _check_output(w, heads * v.shape[-1])
    k, v = (x.repeat_interleave(heads // kv_heads, dim=0) for x in (k, v))
    provenance.append(_said(project, seed))
    return Heads(q, k, v, (query, key, value), w, kind, ", ".join(filter(None, provenance)))


def as_encoding(vectors: Encoding | Float[np.ndarray, "seq_len d_model"]) -> Encoding:
    """Bare vectors get their row numbers as tokens; an encoding stays as it is.

    >>> as_encoding(np.zeros((2, 3))).tokens
    ('0', '1')
    """
    if isinstance(vectors, Encoding):
        return vectors
    return Encoding(tuple(map(str, range(len(vectors)))), vectors, "vectors as given")


def as_layer(x: Tensor) -> np.ndarray:
    """As the one layer of a record, in a precision that NumPy and every file format have."""
    return (x if x.dtype == torch.float64 else x.float())[None].detach().cpu().numpy()


def warn_of_blind_rows(
    seeing: Bool[Tensor, "*heads query"], tokens: Sequence[str], places: Sequence[int] | None = None
) -> None:
    """Name the queries that may attend to no key, in some head, in one warning.

    With `places` the queries are those of the tokens there.
    """
    places = range(len(tokens)) if places is None else places
    blind = (~seeing.reshape(-1, len(places)).all(dim=0)).nonzero().flatten().tolist()
    if blind:
        named = ", ".join(f"{places[i]} ({escape(tokens[places[i]])})" for i in blind[:5])
        more = f" and {len(blind) - 5} more" if len(blind) > 5 else ""
        warn(f"query {named}{more} may attend to no key; its weights and output are zero")


def _after(memory: Encoding, x: Encoding) -> Encoding:
    if memory.vectors.shape[1] != x.vectors.shape[1]:
        raise InputError(
            f"memory {shape(memory.vectors)} and vectors {shape(x.vectors)} differ in width",
            hint="the memory comes before the keys; give it as many columns",
        )
    return Encoding(memory.tokens + x.tokens, np.concatenate([memory.vectors, x.vectors]), x.provenance)


def _matrices(
    project: Projecting, query: Encoding, key: Encoding, value: Encoding, shared: float, seed: int
) -> Projection:
    if isinstance(project, Projection):
        return project
    if isinstance(project, Mapping):
        return projections.from_arrays(project)
    d_query, d_key, d_value = (x.vectors.shape[1] for x in (query, key, value))
    made: Projection = _projector(project)(d_query, d_key, d_value, round(d_query * shared), seed)
    return made


def _projector(project: str | Callable[..., Projection]) -> Variant:
    return projections.PROJECTIONS.of(project)


def _said(project: Projecting, seed: int) -> str:
    """Where the matrices come from; nothing where there are none."""
    if isinstance(project, Projection):
        return "projections from a file"
    if isinstance(project, Mapping):
        return "projections as given"
    chosen = _projector(project)
    if chosen.name in projections.PROJECTIONS:
        return "" if chosen == projections.identity else f"untrained {chosen.spec} projections (seed {seed})"
    return f"projections by {chosen.name}"


def _linear(
    name: str, x: Tensor, matrix: np.ndarray | None, bias: np.ndarray | None, heads: int = 1
) -> Float[Tensor, "seq d_out"]:
    """x · matrix + bias, either left out when None; the result must be `heads` equal parts wide."""
    if matrix is not None:
        if x.shape[1] != len(matrix):
            raise InputError(
                f"{name} vectors {list(x.shape)} do not fit a matrix {shape(matrix)}",
                hint="it must have as many rows as a vector has numbers",
            )
        x = x @ x.new_tensor(matrix)
    if bias is not None:
        if x.shape[1] != len(bias):
            raise InputError(f"{name} vectors {list(x.shape)} do not fit a bias {shape(bias)}")
        x = x + x.new_tensor(bias)
    if heads < 1 or x.shape[1] % heads:
        divisors = [n for n in range(1, x.shape[1] + 1) if x.shape[1] % n == 0]
        raise InputError(
            f"{heads} heads do not divide d_model {x.shape[1]} of {name} {list(x.shape)}",
            hint=f"give one of {', '.join(map(str, divisors))}",
        )
    return x


def _check_output(w: Projection, d_concat: int) -> None:
    """What comes out of all heads, side by side, must fit the output matrix and its bias."""
    if w.W_o is not None and len(w.W_o) != d_concat:
        raise InputError(
            f"the output of all heads, {d_concat} wide, does not fit W_o {shape(w.W_o)}",
            hint=f"give it {d_concat} rows",
        )
    if w.b_o is not None and len(w.b_o) != (width := d_concat if w.W_o is None else w.W_o.shape[1]):
        raise InputError(f"b_o {shape(w.b_o)} does not fit an output {width} wide")


def _check_fit(q: Tensor, k: Tensor, v: Tensor) -> None:
    (n_heads, n_query, d_query), (kv_heads, n_key, d_key), (_, n_value, _) = q.shape, k.shape, v.shape
    if d_query != d_key:
        hint = "a query and a key are compared number by number; give both the same number of columns"
        if n_heads != kv_heads:
            hint = f"keys and values for {kv_heads} of {n_heads} heads are {d_query * kv_heads} wide; give --project random or a file"
        raise InputError(
            f"query [{n_query}, {n_heads * d_query}] and key [{n_key}, {kv_heads * d_key}] differ in width",
            hint=hint,
        )
    if n_key != n_value:
        raise InputError(
            f"key [{n_key}, {kv_heads * d_key}] and value [{n_value}, {kv_heads * v.shape[2]}] differ in length",
            hint="give each key one value",
        )
