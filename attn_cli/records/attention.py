"""Attention as it flows between commands: weights with all that is known of their making.

Records are frozen, hold NumPy arrays and are checked when they are made: whoever has one may rely on it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

import numpy as np

from ..errors import InputError, warn
from .axes import weights_of
from .checks import as_tokens, in_a_line, numbers, settle, shape
from .encoding import Encoding, Image, PositionTable
from .fields import held, how_to_get, maps, traits
from .weights import not_weights

if TYPE_CHECKING:
    from collections.abc import Sequence

    from jaxtyping import Bool, Float, Int, UInt8

# What was recorded, never guessed: of a bare matrix or a table nobody knows.
Kind = Literal["self", "encoder", "decoder", "cross", "unknown"]
T = TypeVar("T")


class AbsentError(InputError, AttributeError):
    """A map was asked for that this attention does not hold."""


def _absent() -> Any:
    """What stands for weights that are not known while a record is made."""
    return None


@dataclass(frozen=True, eq=False, repr=False)
class Attention:
    """Attention weights of every layer and head, with whatever of their making is known.

    `layers` and `heads` hold the numbers that the axes had where the weights come from, so that a
    selection keeps its names; one that stands for several is called `mean` or `max`. `mask` is True where a query may attend to a key.

    `show` names the map that tables and pictures show. Weights are nothing but weights: of a record read from a
    table of scores they are not known, and asking for them raises InputError.

    The weights of a long input are `pooled`: means over cells of neighbouring queries and keys, of which
    there are at most as many as tokens (`query_cells`, `key_cells`). All else is then left out but the
    output, which has a row for each query as ever, and figures of single rows and columns.

    >>> pooled = Attention(("a", "b", "c"), ("a", "b"), np.full((1, 1, 2, 2), 0.5), pooled=True)
    >>> pooled.query_cells, pooled.query_names
    ([range(0, 1), range(1, 3)], ('a', '1-2:b…'))
    """

    query_tokens: tuple[str, ...] = field(metadata=traits(axis="query"))
    key_tokens: tuple[str, ...] = field(metadata=traits(axis="key"))
    weights: Float[np.ndarray, "layer head row column"] = field(
        default_factory=_absent, metadata=traits(unit="weight", combined=("mean", "max"), merged="sum")
    )
    kind: Kind = "self"
    provenance: str = ""  # where the weights come from; every picture prints it
    scores: Float[np.ndarray, "layer head query key"] | None = field(
        default=None, metadata=traits(unit="score", caption="scores before softmax", infinite=True)
    )
    norms: Float[np.ndarray, "layer head row column"] | None = field(
        default=None,
        metadata=traits(unit="norm", caption="norms ‖weight · value · W_o‖", combined=("mean", "max")),
    )
    # Of one output of a model; those that are of no single head have one entry for all of them.
    gradients: Float[np.ndarray, "layer head query key"] | None = field(
        default=None,
        metadata=traits(
            unit="gradient", caption="gradients max(0, ∂y/∂weight · weight)", combined=("mean", "max")
        ),
    )
    zeroing: Float[np.ndarray, "layer head query key"] | None = field(
        default=None,
        metadata=traits(unit="zeroing", caption="value zeroing, rows sum to 1", combined=("mean",)),
    )
    alti: Float[np.ndarray, "layer head query key"] | None = field(
        default=None, metadata=traits(unit="contribution", caption="ALTI contributions", combined=("mean",))
    )
    # Of pooled weights the largest in each cell; a mean of heads has no such.
    maxima: Float[np.ndarray, "layer head row column"] | None = field(
        default=None,
        metadata=traits(unit="maximum", caption="largest weight under each cell", combined=("max",)),
    )
    # Of pooled weights whether any in a cell is permitted.
    mask: Bool[np.ndarray, "#layer #head row column"] | None = field(
        default=None, metadata=traits(combined=("any",), merged="any")
    )
    output: Float[np.ndarray, "layer query d_model"] | None = None
    query: Float[np.ndarray, "layer head query d_head"] | None = None
    key: Float[np.ndarray, "layer head key d_head"] | None = None
    value: Float[np.ndarray, "layer head key d_value"] | None = None
    layers: tuple[int | str, ...] = field(default=(), metadata=traits(axis="layer"))
    heads: tuple[int | str, ...] = field(default=(), metadata=traits(axis="head"))
    pooled: bool = field(default=False, metadata=traits(implied=True))
    # Figures of single rows and columns: −Σ w ln w; the total weight of a key; heaviest first, −1 beyond the last.
    entropy: Float[np.ndarray, "layer head query"] | None = field(default=None, metadata=traits(whole="key"))
    mass: Float[np.ndarray, "layer head key"] | None = field(default=None, metadata=traits(whole="query"))
    top_keys: Int[np.ndarray, "layer head query top"] | None = field(
        default=None, metadata=traits(whole="key")
    )
    top_weights: Float[np.ndarray, "layer head query top"] | None = field(
        default=None, metadata=traits(whole="key")
    )
    # Neighbouring tokens of one number are pieces of one word.
    query_words: tuple[int, ...] | None = field(default=None, metadata=traits(axis="query"))
    key_words: tuple[int, ...] | None = field(default=None, metadata=traits(axis="key"))
    # 1 for each key that a tokenizer added, as [CLS], else 0; None where nobody knows.
    special: tuple[int, ...] | None = field(default=None, metadata=traits(axis="key"))
    # Of a text that a model has gone on with: 1 for each key that it wrote, else 0; of each query how likely it was
    # after those before it, and the likeliest there, by their places among the candidates; 0 and −1 where it was given.
    written: tuple[int, ...] | None = field(default=None, metadata=traits(axis="key", merged="all"))
    probabilities: Float[np.ndarray, " query"] | None = field(default=None, metadata=traits(merged="product"))
    top_tokens: Int[np.ndarray, "query top"] | None = None
    top_probabilities: Float[np.ndarray, "query top"] | None = None
    candidates: tuple[str, ...] | None = None
    show: str = field(default="weights", metadata=traits(implied=True))  # a name of `fields.maps`
    # Rows and columns: the last keys are an image's patches, row by row.
    patches: tuple[int, ...] | None = field(default=None, metadata=traits(whole="patch"))
    image: UInt8[np.ndarray, "height width 3"] | None = field(  # as large as it takes to be drawn
        default=None, metadata=traits(whole="patch")
    )
    # Of a sound how loud each band of frequencies is while each key lasts, the lowest first, from 0 to 255.
    spectrogram: UInt8[np.ndarray, "band key"] | None = None
    frequencies: Float[np.ndarray, " band"] | None = None  # in the middle of each band, in Hz

    def __post_init__(self) -> None:
        settle(self, "query_tokens", as_tokens(self.query_tokens))
        settle(self, "key_tokens", as_tokens(self.key_tokens))
        self._check_shown()
        n_layers, n_heads, n_rows, n_columns = self.shown.shape
        for axis, size, tokens in (("query", n_rows, self.query_tokens), ("key", n_columns, self.key_tokens)):
            if size > len(tokens) or (size < len(tokens) and not self.pooled):
                raise InputError(
                    f"{self._shape} have {size} along {axis}, but there are {len(tokens)} tokens",
                    hint=f"give one {axis} token for each",
                )
        if self.kind not in get_args(Kind):
            raise InputError(f"unknown kind {self.kind!r}", hint=f"known are {', '.join(get_args(Kind))}")
        self._check_words()
        settle(self, "layers", tuple(self.layers) or tuple(range(n_layers)))
        settle(self, "heads", tuple(self.heads) or tuple(range(n_heads)))
        if (len(self.layers), len(self.heads)) != (n_layers, n_heads):
            raise InputError(f"{len(self.layers)} layers × {len(self.heads)} heads, {self._shape}")
        self._check_parts()
        self._check_candidates()
        self._check_image()

    def __getattr__(self, name: str) -> Any:
        """Answer for weights that are not known; nothing else gets here but what is no field."""
        if name == "weights":
            raise AbsentError(
                f"this attention holds {self.show}, not weights", hint="give the attention that they are of"
            )
        raise AttributeError(f"{type(self).__name__!r} has no {name!r}")

    def __repr__(self) -> str:
        sizes = zip(("layer", "head", "query", "key"), self.shown.shape[:2], strict=False)
        tokens = (("query", len(self.query_tokens)), ("key", len(self.key_tokens)))
        shown = "" if self.show == "weights" else self.show
        said = (self.kind, shown, "pooled" if self.pooled else "")
        return in_a_line("Attention", (*sizes, *tokens), *said, provenance=self.provenance)

    @property
    def shown(self) -> Float[np.ndarray, "layer head row column"]:
        """The map that tables and pictures show."""
        found: np.ndarray = getattr(self, self.show)
        return found

    @classmethod
    def of(
        cls,
        array: Any,
        tokens: Sequence[str] | str | None = None,
        key_tokens: Sequence[str] | str | None = None,
        *,
        axes: str | None = None,
        batch: int | None = None,
        kind: Kind = "unknown",
        provenance: str = "weights as given",
    ) -> Attention:
        """The attention whose weights an array holds: NumPy, a tensor, nested lists, or a list with one per layer.

        Axes are [query, key], [head, query, key] or [layer, head, query, key], with a batch of one in front;
        `axes` names others, `batch` chooses a text. `tokens` name queries and keys, or the queries alone where
        `key_tokens` name the keys; a string is split at blanks. Warns where the numbers are no weights.

        >>> Attention.of([[1.0, 0.0], [0.5, 0.5]], ["a", "b"]).weights.shape
        (1, 1, 2, 2)
        """
        weights = weights_of(array, axes=axes, batch=batch)
        queries = _words(tokens, weights.shape[2])
        keys = queries if key_tokens is None and weights.shape[2] == weights.shape[3] else None
        keys = _words(key_tokens, weights.shape[3]) if keys is None else keys
        made = cls(queries, keys, weights, kind=kind, provenance=provenance)
        if wrong := not_weights(made.weights):
            warn(f"these are no attention weights: {wrong}")
        return made

    @property
    def unit(self) -> str:
        """What the numbers are that it shows, in a word."""
        return maps(Attention)[self.show].traits.unit

    @property
    def caption(self) -> str:
        """What the map is that it shows; nothing where it is the weights."""
        return maps(Attention)[self.show].traits.caption

    @property
    def _shape(self) -> str:
        return f"{self.show} {shape(self.shown)}"

    @property
    def one_text(self) -> bool:
        """Whether queries and keys are tokens of one text: as recorded; where nobody knows, if they are the same.

        >>> Attention(("a",), ("b",), [[[[1.0]]]], kind="unknown").one_text
        False
        """
        same = self.query_tokens == self.key_tokens
        return same if self.kind == "unknown" else self.kind != "cross"

    @property
    def query_cells(self) -> list[range]:
        """The positions of the queries that each row of a map is the mean of."""
        return cells(len(self.query_tokens), self.shown.shape[2])

    @property
    def key_cells(self) -> list[range]:
        """The positions of the keys that each column of a map is the mean of."""
        return cells(len(self.key_tokens), self.shown.shape[3])

    @property
    def query_names(self) -> tuple[str, ...]:
        """What each row is called: by its token; where it is the mean of several, `0-31:The…`."""
        return _names(self.query_tokens, self.query_cells)

    @property
    def key_names(self) -> tuple[str, ...]:
        """What each column is called, as rows are."""
        return _names(self.key_tokens, self.key_cells)

    @property
    def began(self) -> tuple[int | None, int | None]:
        """The first query and the first key that a model wrote itself; None where it wrote none.

        >>> Attention(("a", "b"), ("a", "b"), np.eye(2)[None, None], written=(0, 1)).began
        (None, 1)
        """
        marks: tuple[Any, Any] = (self.probabilities, self.written)
        row, column = (
            next((i for i, mark in enumerate(() if each is None else each) if mark), None) for each in marks
        )
        return row, column

    def _check_words(self) -> None:
        numbered = {
            "query_words": self.query_tokens,
            "key_words": self.key_tokens,
            "special": self.key_tokens,
            "written": self.key_tokens,
        }
        for name, tokens in numbered.items():
            if (words := getattr(self, name)) is None:
                continue
            if len(words) != len(tokens) or not all(type(number) is int for number in words):
                raise InputError(
                    f"{name} of length {len(words)} for {len(tokens)} tokens", hint="give a number each"
                )
            settle(self, name, tuple(words))

    def _check_shown(self) -> None:
        """Settle the map that is shown, with whose shape all others must agree."""
        known = maps(type(self))
        if self.show not in known:
            raise InputError(f"cannot show {self.show!r}", hint=f"known are {', '.join(known)}")
        if (given := self.__dict__[self.show]) is None:
            raise InputError(f"this attention has no {self.show}", hint=how_to_get(self.show))
        if self.__dict__["weights"] is None:
            object.__delattr__(self, "weights")
        if known[self.show].traits.infinite:
            given = np.asarray(given)
            if given.ndim != 4 or 0 in given.shape:
                raise InputError(f"{self.show} {shape(given)}, expected 4 axes, none empty")
        else:
            given = numbers(self.show, given, known[self.show].axes)
        settle(self, self.show, given)

    def _check_parts(self) -> None:
        sizes = dict(zip(("layer", "head", "row", "column"), self.shown.shape, strict=True))
        sizes |= {"query": len(self.query_tokens), "key": len(self.key_tokens)}
        for part, value in held(self):
            if not part.kind or not {"layer", "query"} & {*part.axes}:
                continue
            if part.name != self.show:
                settle(self, part.name, part.check(value, sizes, self._shape))
            if self.pooled and part.is_map and not part.pooled:
                raise InputError("pooled weights cannot be combined with scores", hint="leave these out")

    def _check_candidates(self) -> None:
        known = len(self.candidates or ())
        if self.top_tokens is not None and not -1 <= self.top_tokens.min() <= self.top_tokens.max() < known:
            raise InputError(f"top_tokens that are none of {known} candidates", hint="give their places")
        shapes = [array.shape for array in (self.top_tokens, self.top_probabilities) if array is not None]
        if len(shapes) == 1 or len({*shapes}) > 1:
            raise InputError("top_tokens and top_probabilities that differ", hint="give as many of both")

    def _check_image(self) -> None:
        if self.patches is not None:
            settle(self, "patches", tuple(self.patches))
            whole = len(self.patches) == 2 and all(type(n) is int and n > 0 for n in self.patches)
            if not whole or math.prod(self.patches) > len(self.key_tokens):
                raise InputError(f"patches {list(self.patches)} among {len(self.key_tokens)} keys")
        if self.image is not None:
            if self.patches is None:
                raise InputError("an image needs its patches", hint="give both")
            settle(self, "image", Image(self.image).pixels)
        if self.spectrogram is not None:
            loud = np.asarray(self.spectrogram)
            fits = loud.ndim == 2 and loud.shape[1] == len(self.key_tokens) and loud.dtype.kind in "iu"
            if not fits or not loud.size or not 0 <= loud.min() <= loud.max() <= 255:
                what = f"spectrogram {shape(loud)} of {loud.dtype} for {len(self.key_tokens)} keys"
                raise InputError(what, hint="give a column of whole numbers from 0 to 255 for each")
            settle(self, "spectrogram", loud.astype(np.uint8, copy=False))
            if self.frequencies is not None and np.shape(self.frequencies) != loud.shape[:1]:
                what = f"{np.size(self.frequencies)} frequencies for {len(loud)} bands"
                raise InputError(what, hint="give one for each")
        if self.frequencies is not None:
            settle(self, "frequencies", numbers("frequencies", self.frequencies, ("band",)))


Record = Encoding | Attention | PositionTable


def cells(n: int, n_cells: int) -> list[range]:
    """n positions cut into cells as equal as whole numbers allow: cell i begins at ⌊i·n / n_cells⌋.

    >>> cells(5, 2)
    [range(0, 2), range(2, 5)]
    """
    edges = [i * n // n_cells for i in range(n_cells + 1)]
    return [range(*edge) for edge in pairwise(edges)]


def axis_name(axis: str, number: int | str) -> str:
    """What a layer or a head is called in a picture.

    >>> axis_name("head", 3), axis_name("head", "mean")
    ('head 3', 'mean of heads')
    """
    if number == "all":
        return f"all {axis}s"
    return f"{axis} {number}" if isinstance(number, int) else f"{number} of {axis}s"


def _words(tokens: Sequence[str] | str | None, n: int) -> tuple[str, ...]:
    if tokens is None:
        return tuple(map(str, range(n)))
    return tuple(tokens.split() if isinstance(tokens, str) else tokens)


def _names(tokens: tuple[str, ...], places: list[range]) -> tuple[str, ...]:
    return tuple(
        tokens[place[0]] if len(place) == 1 else f"{place[0]}-{place[-1]}:{tokens[place[0]]}…"
        for place in places
    )
