"""A positional encoding as a table or as curves, for `attn posenc`; or what a model has learned in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .. import files
from ..errors import InputError
from ..variants.posenc import POSENCS, VIEWS, usual_size

if TYPE_CHECKING:
    from ..records.encoding import PositionTable
    from ..records.series import Series


def tabulated(
    kind: Any, n: int | None = None, dim: int | None = None, model: str | None = None, view: str = "heatmap"
) -> PositionTable | Series:
    """What a view shows of a positional encoding.

    Raises InputError for an unknown kind or view, and for sizes that a learned table has not.
    """
    name, encode = _encoding(kind, model)
    usual_n, usual_dim = usual_size(encode)
    shown: PositionTable | Series = VIEWS.parse(view)(name, encode, n or usual_n, dim or usual_dim)
    return shown


def _encoding(kind: Any, model: str | None) -> tuple[str, Any]:
    """What a spec means, and what it is called; a model's own table by the name of the model."""
    if model is None:
        encode = POSENCS.of(kind, read_arrays=files.read_arrays)
        return encode.spec, encode
    if kind != "learned":
        raise InputError(f"--model does not apply to {kind}", hint="give attn posenc learned --model DIR")
    from .. import models

    called, table = models.positions(model)
    return f"learned ({called})", POSENCS.parse(kind, given={"file": {"position": table}})
