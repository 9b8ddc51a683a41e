"""One number or one word judged: as exactly as it was written, with known wrong answers recognised."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from ..verdict import Said, StageVerdict

if TYPE_CHECKING:
    from collections.abc import Mapping

_COARSEST = 0.1  # of the right number, that half a unit of the last digit may be
_LOST = 1e-6  # relative: what float32 loses
_PLAIN = str.maketrans("，．－＋−", ",.-+-")  # full-width marks, and the minus sign


@dataclass(frozen=True)
class InEach:
    """A text of a lab in every language that it is written in."""

    texts: Mapping[str, str]

    def text(self, language: str = "en") -> str:
        """The text in a language, else in the first that there is."""
        return self.texts.get(language) or next(iter(self.texts.values()), "")


def judged(
    typed: str, right: Any, wrong: Mapping[str, Any], said: Mapping[str, InEach], points: float
) -> StageVerdict:
    """The verdict on what was typed; `wrong` are known wrong answers by name, `said` what is said of each.

    >>> judged("1.73", 3**0.5, {}, {}, 1.0).verdict, judged("1.74", 3**0.5, {}, {}, 1.0).verdict
    ('right', 'wrong')
    >>> judged("No scale", ("no_scale",), {}, {}, 1.0).verdict
    'right'
    """
    if isinstance(right, int | float):
        return _number(typed, right, wrong, said, points)
    return _word(typed, right, wrong, said, points)


def _number(
    typed: str, right: float, wrong: Mapping[str, Any], said: Mapping[str, InEach], points: float
) -> StageVerdict:
    number = written(typed)
    if number is None:
        return StageVerdict(
            "number", "unreadable", 0.0, points, (Said("not_a_number", {"got": _short(typed)}),)
        )
    half = 0.5 * 10.0 ** int(number.as_tuple().exponent)
    found = float(number)
    if _agrees(found, right, half):
        return StageVerdict("number", "right", points, points, (), tolerance=half, tolerance_from="decimals")
    if abs(found - right) <= half and half > _COARSEST * abs(right):
        return StageVerdict("number", "unreadable", 0.0, points, (Said("number_too_coarse", {"got": typed}),))
    known = [said[name] for name, x in wrong.items() if name in said and _agrees(found, x, half)]
    remarks = tuple(Said("says", {"text": text}) for text in known) or (
        Said("number_wrong", {"got": _short(typed)}),
    )
    error = abs(found - right)
    return StageVerdict(
        "number", "wrong", 0.0, points, remarks, max_error=error, tolerance=half, tolerance_from="decimals"
    )


def _agrees(found: float, right: Any, half: float) -> bool:
    """Whole numbers are whole; all else as exactly as it was written, but no coarser than a tenth."""
    if isinstance(right, int):
        return found == right
    fine = half <= _COARSEST * abs(right) or found == right
    return fine and abs(found - right) <= half * (1 + 1e-9) + _LOST * abs(right)


def written(typed: str) -> Decimal | None:
    """The number in a text; a comma or a space may stand between thousands.

    >>> written("1，050,624"), written(" －0．50\\n"), written("half")
    (Decimal('1050624'), Decimal('-0.50'), None)
    """
    text = re.sub(r"(?<=\d)[,_ ](?=\d{3}\b)", "", typed.strip().translate(_PLAIN))
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() else None


def _word(
    typed: str, right: Any, wrong: Mapping[str, Any], said: Mapping[str, InEach], points: float
) -> StageVerdict:
    accepted = [str(one) for one in (right if isinstance(right, tuple | list) else (right,))]
    if alike(typed) in map(alike, accepted):
        others = ", ".join(one for one in accepted if alike(one) != alike(typed))
        tied = (Said("word_tied", {"others": others}),) if others else ()
        return StageVerdict("word", "right", points, points, tied)
    known = [said[name] for name, x in wrong.items() if name in said and alike(typed) == alike(str(x))]
    remarks = tuple(Said("says", {"text": text}) for text in known) or (
        Said("word_wrong", {"got": _short(typed)}),
    )
    return StageVerdict("word", "wrong", 0.0, points, remarks)


def alike(word: str) -> str:
    """A word without case, and with one kind of gap.

    >>> alike(" Softmax over-queries. ")
    'softmax_over_queries'
    """
    return re.sub(r"[\s_-]+", "_", word.strip().strip(".\"'`。").casefold())


def _short(typed: str) -> str:
    text = " ".join(typed.split())
    return text if len(text) <= 40 else f"{text[:39]}…"
