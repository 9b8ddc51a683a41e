"""Positional encodings: tables of numbers per position, and positions inside the scores.

`POSENCS` are the tables that `attn posenc` prints, pure NumPy, and `VIEWS` other ways to look at them.
`POSITIONS` are what `--position` puts into the scores. All are made of the same formulas.
"""

from ...records.series import Series
from .formulas import alibi_slopes, clipped_distance, rope_frequencies, sinusoids, t5_bucket
from .inside import POSITIONS, Position
from .tables import POSENCS, PositionEncoding, sinusoidal, usual_size
from .views import VIEWS

__all__ = [
    "POSENCS", "POSITIONS", "VIEWS", "Position", "PositionEncoding", "Series", "alibi_slopes", "clipped_distance",
    "rope_frequencies", "sinusoidal", "sinusoids", "t5_bucket", "usual_size",
]  # fmt: skip
