"""The numbers of one student: every datum of a lab drawn from its own name and the student's."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import InputError
from ...registry import nearest
from .attention import exercise, numbers_of_a_mistake

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from .layout import Lab

Data = dict[str, Any]  # arrays, numbers and texts by their names

PLACE = re.compile(r"\{\{\s*([A-Za-z][\w-]*)\s*\}\}")


def drawn(lab: Lab, student: str, read: Callable[[str], Any] | None = None) -> Data:
    """All data of a lab for one student; `read` opens a file of the lab's own folder.

    What is drawn depends on the lab, the student and the name of the datum, not on what else there is.

    >>> from attn_cli.lab.course.layout import Lab
    >>> lab = Lab("mine", {"Q": {"normal": 1.0, "shape": [5, 6]}}, ())
    >>> drawn(lab, "ada")["Q"].shape, bool((drawn(lab, "ada")["Q"] == drawn(lab, "bob")["Q"]).all())
    ((5, 6), False)
    """
    made: Data = {}
    for name, said in lab.data.items():
        seed = hashlib.sha256(f"{lab.name}/{student}/{name}".encode()).digest()
        draw = np.random.Generator(np.random.PCG64(int.from_bytes(seed[:16], "big")))
        told = {key: filled_in(value, made) for key, value in said.items()}
        try:
            made[name] = _drawn(name, told, draw, read)
        except (TypeError, ValueError, IndexError) as problem:
            raise InputError(
                f"data {name!r} cannot be drawn: {problem}", hint="see docs/write-a-lab.md"
            ) from None
    return made


def filled_in(value: Any, data: Mapping[str, Any]) -> Any:
    """A value of the TOML with data in the places of {{NAME}}; {{NAME}} alone is the datum itself.

    >>> filled_in(["{{Q}}", "window:size={{w}}"], {"Q": 1.5, "w": 3})
    [1.5, 'window:size=3']
    """
    if isinstance(value, list):
        return [filled_in(one, data) for one in value]
    if isinstance(value, dict):
        return {key: filled_in(one, data) for key, one in value.items()}
    if not isinstance(value, str):
        return value
    if whole := PLACE.fullmatch(value):
        return _datum(whole[1], data)
    return PLACE.sub(lambda place: str(_datum(place[1], data)), value)


def _datum(name: str, data: Mapping[str, Any]) -> Any:
    if name not in data:
        raise InputError(
            f"no data {name!r}", hint=f"there are {', '.join(data) or 'none yet'}{nearest(name, list(data))}"
        )
    return data[name]


def _drawn(
    name: str, said: Mapping[str, Any], draw: np.random.Generator, read: Callable[[str], Any] | None
) -> Any:
    shape = tuple(said.get("shape", ()))
    if "value" in said:
        return np.asarray(said["value"], np.float64) if isinstance(said["value"], list) else said["value"]
    if "choose" in said:
        return said["choose"][int(draw.integers(len(said["choose"])))]
    if "file" in said:
        if read is None:
            raise InputError(f"data {name!r} is a file", hint="read the lab from its folder")
        return read(said["file"])
    if "integers" in said:
        low, high = said["integers"]
        made = draw.integers(low, high, size=shape, endpoint=True)
        return int(made) if not shape else _not_repeated(made.astype(float), draw, low, high)
    if "normal" in said:
        return (draw.normal(size=shape) * said["normal"]).round(int(said.get("decimals", 2))) + 0.0
    return _of_attention(name, said, draw)


def _not_repeated(made: np.ndarray, draw: np.random.Generator, low: int, high: int) -> np.ndarray:
    """Rows of small whole numbers that are all different: equal vectors would hide mistakes."""
    for _ in range(100):
        if made.ndim < 2 or len(np.unique(made, axis=0)) == len(made):
            break
        made = draw.integers(low, high, size=made.shape, endpoint=True).astype(float)
    return made


def _of_attention(name: str, said: Mapping[str, Any], draw: np.random.Generator) -> np.ndarray:
    """The numbers of an attention that is computed rightly, or with one of these mistakes."""
    options = {key: value for key, value in said.items() if key not in ("of", "mistake", "decimals")}
    asked = exercise(said["of"], options, name)
    mistakes = list(np.array(said.get("mistake", ()), dtype=object).reshape(-1))
    order = [mistakes[i] for i in draw.permutation(len(mistakes))]
    made = numbers_of_a_mistake(asked, said["of"], order)
    return made.round(int(said.get("decimals", 4))) + 0.0
