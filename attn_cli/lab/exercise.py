"""What a student is asked to compute: attention, a mask, or a table of positions, described by its inputs."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..errors import InputError
from ..variants.masks import MASKS
from ..variants.projections import Projection

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

    from ..variants.masks import Mask

Known = Mapping[str, np.ndarray]  # stages that are taken as they are given


@dataclass(frozen=True, eq=False)
class TableExercise:
    """A table of positions: `sinusoidal`, `rope` (cosine and sine in turn) or `alibi` (a column for each head).

    >>> TableExercise("sinusoidal", 5, 6).asked
    ('table',)
    """

    kind: Literal["sinusoidal", "rope", "alibi"]
    seq_len: int
    dim: int
    base: float = 10000.0
    concatenated: bool = False  # all sines, then all cosines
    known: Known = field(default_factory=dict)

    @property
    def asked(self) -> tuple[str, ...]:
        """The stages that a student may hand in, in their order."""
        return ("table",)


@dataclass(frozen=True, eq=False)
class Rope:
    """How query and key are turned: pairs (i, i + d/2), or (2i, 2i + 1) when interleaved."""

    base: float = 10000.0
    interleaved: bool = False


@dataclass(frozen=True, eq=False)
class MaskExercise:
    """Which query may attend to which key, and nothing else: True = may attend.

    >>> MaskExercise(2, 2, ("causal",)).masks[0].name
    'causal'
    """

    n_query: int
    n_key: int
    masks: tuple[str | Mask | Bool[np.ndarray, "*batch query key"], ...]
    known: Known = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "masks", tuple(map(_mask, self.masks)))

    @property
    def asked(self) -> tuple[str, ...]:
        """The stages that a student may hand in, in their order."""
        return ("mask",)


@dataclass(frozen=True, eq=False)
class Exercise:
    """Attention from vectors, with the options of `attn attend`; in float64, a batch in front if there is one.

    Key defaults to query, value to key. Several masks combine with AND, as everywhere. `known` holds stages
    that do not follow from the rest, such as the scores of a kind that this package computes elsewhere.
    Raises InputError when shapes do not fit.

    >>> x = Exercise(np.zeros((5, 6)), np.zeros((7, 6)), n_heads=2)
    >>> x.n_query, x.n_key, x.d_model, x.d_head
    (5, 7, 6, 3)
    """

    query: Float[np.ndarray, "*batch query d_query"]
    key: Float[np.ndarray, "*batch key d_key"] | None = None
    value: Float[np.ndarray, "*batch key d_value"] | None = None
    n_heads: int = 1
    n_kv_heads: int | None = None
    projection: Projection = field(default_factory=Projection)
    masks: tuple[str | Mask | Bool[np.ndarray, "*batch query key"], ...] = ()
    scale: float | None = None  # instead of 1/√d_head
    rope: Rope | None = None
    alibi: bool = False
    positions: TableExercise | None = None  # a table that is added to the vectors
    known: Known = field(default_factory=dict)

    def __post_init__(self) -> None:
        key = self.query if self.key is None else self.key
        value = key if self.value is None else self.value
        for name, vectors in (("query", self.query), ("key", key), ("value", value)):
            object.__setattr__(self, name, np.asarray(vectors, np.float64))
        object.__setattr__(self, "masks", tuple(map(_mask, self.masks)))
        if self.query.shape[-1] % self.n_heads:
            raise InputError(
                f"vectors of {self.query.shape[-1]} numbers do not divide among {self.n_heads} heads",
                hint="give a number of heads that divides the width",
            )

    @property
    def n_query(self) -> int:
        """How many queries there are."""
        return self.query.shape[-2]

    @property
    def n_key(self) -> int:
        """How many keys there are."""
        return self._key.shape[-2]

    @property
    def d_model(self) -> int:
        """The width of the vectors that queries are made of."""
        return self.query.shape[-1]

    @property
    def d_head(self) -> int:
        """The width of one head's queries."""
        W_q = self.projection.W_q
        return (self.d_model if W_q is None else W_q.shape[1]) // self.n_heads

    @property
    def inputs(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The vectors that query, key and value are made of."""
        assert self.value is not None
        return self.query, self._key, self.value

    @property
    def is_cross(self) -> bool:
        """Whether keys come from elsewhere than queries."""
        return not np.array_equal(self.query, self._key)

    @property
    def asked(self) -> tuple[str, ...]:
        """The stages that a student may hand in, in their order."""
        return (
            "query", "key", "value", "dots", "scores", "mask", "masked", "weights", "head_output", "output",
        )  # fmt: skip

    @property
    def _key(self) -> np.ndarray:
        assert self.key is not None
        return self.key


@dataclass(frozen=True, eq=False)
class Recorded:
    """What is known of an attention whose vectors are not: its weights, and what was saved beside them."""

    n_query: int
    n_key: int
    n_heads: int
    asked: tuple[str, ...]
    known: Known
    masks: tuple[Mask | Bool[np.ndarray, "*batch query key"], ...] = ()
    alibi: bool = False


AnyExercise = Exercise | MaskExercise | TableExercise | Recorded


def _mask(mask: str | Mask | np.ndarray) -> Mask | np.ndarray:
    return MASKS.parse(mask) if isinstance(mask, str) else mask


@functools.cache
def proposed(
    *,
    mask: str = "",
    project: bool = False,
    n_query: int = 5,
    n_key: int = 7,
    n_heads: int = 2,
    n_kv_heads: int | None = None,
    d_head: int = 3,
    n_batch: int = 0,
    rope: bool = False,
    alibi: bool = False,
    seed: int = 1,
) -> Exercise:
    """An exercise that tells mistakes apart: 5 queries, 7 keys, two heads of 3, scores of about 0.5 to 3.

    No two of √d_head, √d_model, d_head, √n_heads, √n_key and d_head^¼ are equal. With as many queries as keys
    the keys are the queries' own vectors, unless there is no projection to tell them apart.

    >>> x = proposed()
    >>> x.n_query, x.n_key, x.n_heads, x.d_head, x.d_model
    (5, 7, 2, 3, 6)
    """
    draw = np.random.Generator(np.random.PCG64(seed))
    batch, d_model = (n_batch,) * bool(n_batch), n_heads * d_head
    d_kv = (n_kv_heads or n_heads) * d_head

    def vectors(n: int, width: int) -> np.ndarray:
        return draw.normal(size=(*batch, n, width)).round(2) * 1.25

    query = vectors(n_query, d_model)
    key = None if project and n_query == n_key else vectors(n_key, d_model if project else d_kv)
    value = None if project else vectors(n_key, d_kv)
    return Exercise(
        query, key, value, n_heads, n_kv_heads, _matrices(draw, d_model, d_kv) if project else Projection(),
        tuple(filter(None, mask.split("+"))), rope=Rope() if rope else None, alibi=alibi,
    )  # fmt: skip


def _matrices(draw: np.random.Generator, d_model: int, d_kv: int) -> Projection:
    widths = [(d_model, d_model), (d_model, d_kv), (d_model, d_kv), (d_model, d_model)]
    matrices = [draw.normal(0, d_in**-0.5, (d_in, d_out)).round(2) for d_in, d_out in widths]
    biases = [draw.normal(0, 0.5, d_out).round(2) for _, d_out in widths]
    return Projection(*matrices, *biases)
