"""Which of two figures a cell of a pooled map shows: the mean of the weights under it, or the largest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..errors import InputError
from . import fields

if TYPE_CHECKING:
    from .attention import Attention


def pooled_by(attention: Attention, pool: str | None) -> Attention:
    """The same record, which shows the largest weight under each cell of a pooled map where `pool` is `max`.

    Whatever is not pooled stays as it is. Raises InputError where the record holds means alone.

    >>> from attn_cli.records.attention import Attention
    >>> import numpy as np
    >>> record = Attention(tuple("abcd"), ("a",), [[[[0.3], [0.5]]]], pooled=True, maxima=np.ones((1, 1, 2, 1)))
    >>> pooled_by(record, "max").shown.tolist(), pooled_by(record, "mean").shown.tolist()
    ([[[[1.0], [1.0]]]], [[[[0.3], [0.5]]]])
    """
    if pool is None or not attention.pooled or attention.show not in ("weights", "maxima"):
        if pool == "max" and attention.pooled:
            raise InputError(f"--pool max does not apply to pooled {attention.show}", hint="leave it out")
        return attention
    if pool == "max" and attention.maxima is None:
        hint = "compute it again, and choose heads and layers rather than their mean"
        raise InputError("this attention holds no maxima", hint=hint)
    found: Attention = fields.changed(attention, show="maxima" if pool == "max" else "weights")
    return found
