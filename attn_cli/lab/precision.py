"""How precisely a student's numbers were given, and so how far from the truth they may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

Kind = Literal["decimals", "digits", "whole", "float32", "float16", "bfloat16", "given"]

# Spacing of the numbers next to 1. Nobody is asked for more than float32 gives: another order of summing, or
# another library, differs by as much.
_EPSILON = {"float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}
_LEAST_HALF = 2.0**-23  # float16 has nothing between 0 and 2⁻²⁴, where weights still are
_ROUNDINGS = 2  # that the error of a few operations one after the other is made of
_WHOLE = 0.005  # whole numbers may have lost two zeros behind the point: 1.00 is read as 1
_SAMPLE = 2000
_MOST = 12  # digits that are counted: more are the computer's, not the student's


@dataclass(frozen=True, eq=False)
class Precision:
    """`half` is half a unit of the last digit of each number, `epsilon` what is lost relative to its size."""

    kind: Kind
    digits: int
    half: float | Float[np.ndarray, "*cells"]
    epsilon: float = _EPSILON["float32"]

    def slack(self, magnitude: float | np.ndarray) -> Float[np.ndarray, "*cells"]:
        """How far from a prediction an answer may be; `magnitude` is the size of the numbers summed for it."""
        lost = 0.0 if self.kind == "given" else self.epsilon * _ROUNDINGS
        least = _LEAST_HALF if self.kind == "float16" else 0.0
        return np.asarray(self.half * (1 + 1e-9) + lost * magnitude + least)

    @property
    def largest(self) -> float:
        """The tolerance in one number, for a report."""
        return float(np.max(self.half))


@dataclass(frozen=True, eq=False)
class Given:
    """One array of an answer, as the stage it is."""

    stage: str
    array: Float[np.ndarray, "*cells"]
    precision: Precision


def precision_of(answer: np.ndarray, tolerance: float | None = None) -> Precision:
    """What the digits of an answer, or its dtype, say about its precision; `tolerance` overrides.

    Numbers with as many decimals are printed alike, trailing zeros left out; so are numbers with as many
    significant digits. Numbers that are all of half precision were computed in it.

    >>> precision_of(np.array([0.33, 0.5])).half  # 0.33 is anything from 0.325 to 0.335
    0.005
    >>> precision_of(np.array([[1, 0]])).kind, precision_of(np.array([1 / 3], np.float16)).kind
    ('whole', 'float16')
    """
    if tolerance is not None:
        return Precision("given", 0, tolerance)
    if answer.dtype == np.float16:
        return Precision("float16", 0, 0.0, _EPSILON["float16"])
    numbers = np.asarray(answer, np.float64)
    counted = np.unique(np.abs(numbers[np.isfinite(numbers) & (np.abs(numbers) < 1e4) & (numbers != 0)]))
    counted = counted[:: len(counted) // _SAMPLE + 1]  # all were printed alike
    if (counted == counted.round()).all():
        return Precision("whole", 0, _WHOLE)
    single = bool((counted.astype(np.float32) == counted).all())
    if (printed := _printed(numbers, counted, single)) is not None:
        return printed
    half: Kind = "float32"
    if single and not (counted.astype(np.float32).view(np.uint32) & 0xFFFF).any():
        half = "bfloat16"
    elif (counted.astype(np.float16) == counted).all():
        half = "float16"
    return Precision(half, 0, 0.0, _EPSILON[half])


def _printed(numbers: np.ndarray, counted: np.ndarray, single: bool) -> Precision | None:
    """Decimals or significant digits, whichever more of the numbers use to the last place."""
    most = 5 if single else _MOST
    decimals, digits = _decimals(counted, most, single), _digits(counted, most, single)
    if decimals is None and digits is None:
        return None
    if digits is None or (decimals is not None and (decimals[1] >= digits[1] or digits[0] == 1)):
        assert decimals is not None
        return Precision("decimals", decimals[0], 0.5 * 10.0 ** -decimals[0])
    size = np.floor(np.log10(np.where(np.isfinite(numbers) & (numbers != 0), np.abs(numbers), 1.0)))
    half = 0.5 * 10.0 ** (size + 1 - digits[0])
    half = np.where(numbers == 0, half[numbers != 0].min(), half)
    return Precision("digits", digits[0], half)


def _decimals(counted: np.ndarray, most: int, single: bool) -> tuple[int, float] | None:
    """How many decimals the numbers have, and which share of them has as many; None if too many to be printed."""
    for n in range(1, most + 1):
        if _same(counted.round(n), counted, single).all():
            return n, 1 - float(_same(counted.round(n - 1), counted, single).mean())
    return None


def _digits(counted: np.ndarray, most: int, single: bool) -> tuple[int, float] | None:
    for n in range(1, most + 1):
        if _same(_significant(counted, n), counted, single).all():
            return n, 1 - float(_same(_significant(counted, n - 1), counted, single).mean())
    return None


def _significant(counted: np.ndarray, n: int) -> np.ndarray:
    """Rounded to n significant digits, by way of the text, as rounding by powers of ten is not exact."""
    return np.array([float(f"{x:.{n - 1}e}") if n else 0.0 for x in counted.tolist()])


def _same(rounded: np.ndarray, counted: np.ndarray, single: bool) -> np.ndarray:
    if single:
        return rounded.astype(np.float32) == counted.astype(np.float32)
    return np.isclose(rounded, counted, rtol=4e-16, atol=0)
