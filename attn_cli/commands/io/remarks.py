"""What is noted or warned of while several things are read, each said once."""

from __future__ import annotations

import contextlib
import warnings
from typing import TYPE_CHECKING

from ...errors import AttnWarning

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def each_once() -> Iterator[None]:
    """Say everything at the end, and nothing twice."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", AttnWarning)
        yield
    for each in {(one.category, str(one.message)): one for one in reversed(said)}.values():
        warnings.warn_explicit(each.message, each.category, each.filename, each.lineno)
