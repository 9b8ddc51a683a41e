"""Numbers and words that a lab asks for: each is computed by a function with a registry line, never written down.

What needs a model or a file is registered in `sources/`, by functions of the same kind.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from ...registry import Registry, nearest
from ...variants.masks import MASKS, reach
from ..judging import Judge
from .attention import exercise
from .data import filled_in

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .layout import Lab

Quantity = Callable[
    ..., Any
]  # (place, *, options) → a number, a word, or several words of which each is right

QUANTITIES: Registry[Quantity] = Registry("quantity")


@dataclass(frozen=True)
class Place:
    """Where a quantity is asked for: the lab, a student's data, and the folder with the student's own files."""

    lab: Lab
    data: Mapping[str, Any]
    folder: str = ""
    trusted: bool = (
        True  # whether what the folder says is one's own, or a student's whom an instructor grades
    )

    def datum(self, name: str) -> Mapping[str, Any]:
        """How a datum is made, as the TOML says it. Raises InputError for none of this name."""
        if name not in self.lab.data:
            known = list(self.lab.data)
            raise InputError(f"no data {name!r}", hint=f"there are {', '.join(known)}{nearest(name, known)}")
        return self.lab.data[name]


@QUANTITIES.register
def value(place: Place, *, of: float) -> float:
    """A number or a word that is given: of = 3, or of = "{{NAME}}" for one of the data.

    >>> value(None, of=3)
    3
    """
    return of


@QUANTITIES.register
def mistake(place: Place, *, data: str) -> tuple[str, ...]:
    """The mistakes that explain the numbers of a datum which was made with one.

    >>> from attn_cli.lab.course.data import drawn
    >>> from attn_cli.lab.course.layout import Lab
    >>> said = {"of": "mask", "mask": "causal", "shape": [5, 7], "mistake": "mask_upper"}
    >>> lab = Lab("mine", {"theirs": said}, ())
    >>> mistake(Place(lab, drawn(lab, "ada")), data="theirs")
    ('mask_upper',)
    """
    said = {key: filled_in(one, place.data) for key, one in place.datum(data).items()}
    options = {key: one for key, one in said.items() if key not in ("of", "mistake", "decimals")}
    verdict = Judge(exercise(said["of"], options, data))(place.data[data], what=said["of"])
    return tuple("+".join(ids) for ids in verdict.decisive.alternatives)


@QUANTITIES.register
def parameters(
    place: Place,
    *,
    d_model: int,
    heads: int = 1,
    d_head: int = 0,
    kv_heads: int = 0,
    biases: bool = True,
    output: bool = True,
) -> int:
    """How many parameters the projections of multi-head attention have.

    W_q and W_o are d_model × heads · d_head, W_k and W_v are d_model × kv_heads · d_head; biases are counted
    unless told, W_o too.

    >>> parameters(None, d_model=512, heads=8)
    1050624
    """
    d_head = d_head or d_model // heads
    wide, narrow = heads * d_head, (kv_heads or heads) * d_head
    matrices = d_model * (wide + 2 * narrow) + output * wide * d_model
    return matrices + biases * (wide + 2 * narrow + output * d_model)


@QUANTITIES.register
def kv_cache(
    place: Place, *, layers: int = 1, kv_heads: int = 1, d_head: int = 1, seq_len: int = 1, unit: float = 1.0
) -> float:
    """How many numbers the cache of keys and values holds: 2 · layers · kv_heads · d_head · seq_len.

    >>> kv_cache(None, layers=2, kv_heads=8, d_head=64, seq_len=10)
    20480
    """
    return _in_units(2 * layers * kv_heads * d_head * seq_len, unit)


@QUANTITIES.register
def pairs(place: Place, *, seq_len: int, mask: str = "") -> int:
    """How many pairs of query and key a mask permits: the cost of attention.

    >>> pairs(None, seq_len=10), pairs(None, seq_len=10, mask="causal"), pairs(None, seq_len=10, mask="window:size=3")
    (100, 55, 27)
    """
    if not mask:
        return seq_len**2
    permits, total = MASKS.parse(mask), 0
    for low in range(0, seq_len, _ROWS):
        queries = np.arange(low, min(low + _ROWS, seq_len))[:, None]
        for first, past in reach(permits, low, int(queries[-1, 0]) + 1, seq_len):
            allowed = np.broadcast_to(permits(queries, np.arange(first, past)), (len(queries), past - first))
            total += int(np.count_nonzero(allowed))
    return total


_ROWS = 512


@QUANTITIES.register
def map_bytes(place: Place, *, seq_len: int, heads: int = 1, bytes_each: int = 4, unit: float = 1.0) -> float:
    """How much memory all weights of one layer take: heads · seq_len² · bytes_each, in this unit.

    >>> map_bytes(None, seq_len=1024, heads=12, unit=2**20)
    48.0
    """
    return _in_units(heads * seq_len**2 * bytes_each, unit)


@QUANTITIES.register
def mirror(place: Place, *, seq_len: int, position: int, past: int = 0) -> int:
    """The position that a position looks at to write a sequence backwards; `past` is how far beyond it.

    >>> mirror(None, seq_len=5, position=1)
    3
    """
    return seq_len - 1 - position + past


@QUANTITIES.register
def pooled_needle(
    place: Place, *, seq_len: int, cells: int, sides: int = 2, against_uniform: bool = False
) -> float:
    """A weight of 1 in a map pooled to cells × cells means, or its ratio to uniform attention.

    >>> pooled_needle(None, seq_len=64, cells=16), pooled_needle(None, seq_len=64, cells=16, against_uniform=True)
    (0.0625, 4.0)
    """
    mean = (cells / seq_len) ** sides
    return mean * seq_len if against_uniform else mean


def _in_units(number: int, unit: float) -> float:
    """Whole numbers stay whole where no unit is asked for: then they are right or wrong to the last digit."""
    return number if unit == 1 else number / unit
