"""Which layer and which head an attention is, by the paths of modules and the lines of code that compute it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torch import Tensor, nn

from .places import program_frame

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .call_inputs import Given, Here
    from .calls import Calls
    from .places import Places, Spot

_NUMBERS = re.compile(r"(?<![^.])\d+(?![^.])")  # components of a path
_HEAD = re.compile(r"head[^.]*\.\d+")
_HEADS = re.compile(r"heads\.\d+")


def numbered(spot: Spot, given: Given, calls: Mapping[Spot, Calls], places: Places) -> tuple[int, int | None]:
    """Layer and head by the numbers in a path; a layer that there is already has the next number.

    Where a layer has a module for each head, the last number is the head's.
    """
    path = places.path(spot.module)
    found = _NUMBERS.findall(path)
    layer = int(found[0]) if found else 0
    if given.shape[0] == 1 and _HEAD.search(path) and (len(found) > 1 or _HEADS.search(path)):
        return layer if len(found) > 1 else 0, int(found[-1])
    taken = [one.layer for one in calls.values() if _alike(one.spot, spot, places)]
    return (max(taken) + 1 if layer in taken else layer), None


def _alike(one: Spot, other: Spot, places: Places) -> bool:
    """Whether two attentions are of the same name but for the numbers in it."""
    paths = [_NUMBERS.sub("", places.path(spot.module)) for spot in (one, other)]
    return paths[0] == paths[1] and one.nth_attention == other.nth_attention


def join_loop(new: Calls, given: Given, calls: Mapping[Spot, Calls], places: Places, here: Here) -> None:
    """Take what a module computes one after the other in one line, each a part of its width, as heads of a layer."""
    if given.shape[0] > 1 or not isinstance(places.module, nn.Module):
        return
    frame = program_frame()
    new.line = (frame.f_code, frame.f_lineno)
    n_before = new.spot.nth_attention
    before = calls.get(new.spot._replace(nth_attention=n_before - 1)) if n_before else None
    widths = [x.shape[-1] for x in places.inputs if isinstance(x, Tensor) and x.ndim > 1]
    narrow = given.value is not None and any(given.value.shape[-1] < width for width in widths)
    if before is not None and before.line == new.line and (narrow or (here.n_heads or 1) > 1):
        if before.head is None:
            before.head = 0
        new.layer, new.head = before.layer, before.head + 1
