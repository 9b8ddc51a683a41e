"""The exercise that options describe: vectors, a text or a saved attention; else a mask or a position table alone."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Literal, cast

from ..errors import InputError
from ..lab.exercise import AnyExercise, MaskExercise, TableExercise
from ..records.attention import Attention
from ..records.encoding import PositionTable
from ..records.selection import choose, parse_choice
from .groups import Computing, given
from .resolve import read_source
from .text import file_or_data, posencs
from .vectors import rule_of

if TYPE_CHECKING:
    from .groups import Options


def exercise(
    data: Any, options: Options, *, against: Any = None, shape: tuple[int, int] | None = None, where: str = ""
) -> AnyExercise:
    """What students were asked for.

    `data` is a text, vectors or None, `against` a saved attention or the file of one. Without vectors, --mask
    asks for a mask and --posenc for a table; they have the size of `shape`, an answer's. Raises InputError where
    nothing says what the truth is.
    """
    if against is not None:
        return _of_record(against, options)
    if data is not None or given(options.vectors):
        return _of_vectors(data, options, where)
    if options.scoring.mask:
        return _mask(options, shape)
    if tables := posencs(options.positions.posenc):
        return _table(tables, shape)
    raise InputError(
        "there is no right answer to compare with",
        hint="give --against RECORD, --query FILE, --text, --mask or --posenc",
    )


def _of_record(against: Any, options: Options) -> AnyExercise:
    from ..lab.truth import exercise_of

    held = file_or_data(against)
    if not isinstance(held, Attention):
        hint = "save one: attn attend … -o key.npz"
        raise InputError("is no saved attention", hint=hint, where=str(against)[:80])
    layer = options.select.layer
    held = choose(held, "layer", parse_choice("layer", "all" if layer is None else layer))
    held = choose(held, "head", parse_choice("head", options.select.head))
    if len(held.layers) > 1:
        raise InputError(
            f"this attention has {len(held.layers)} layers, expected one", hint="choose one: --layer 0"
        )
    return exercise_of(held)


def _of_vectors(data: Any, options: Options, where: str) -> AnyExercise:
    from ..lab.truth import exercise_of, exercise_of_heads

    exact = dataclasses.replace(options, computing=Computing(dtype="float64"))
    found = read_source(data, exact, where=where)
    if isinstance(found, Attention):
        return exercise_of(found)
    rule = rule_of(options.scoring, options.positions.posenc, options.seed.seed)
    rule.check(len(found.query_tokens), len(found.key_tokens))
    return exercise_of_heads(found, rule)


def _mask(options: Options, shape: tuple[int, int] | None) -> MaskExercise:
    from .masks import drawn

    if shape is None:
        raise InputError("the size of the mask is unknown", hint="give an answer, or --len")
    specs = options.scoring.mask
    if all(isinstance(spec, str) and "|" not in spec and _is_of_positions(spec) for spec in specs):
        return MaskExercise(*shape, tuple(specs))
    allowed = drawn(None, options, shape[0]).weights[0, 0] > 0
    return MaskExercise(len(allowed), allowed.shape[1], (allowed,))


def _is_of_positions(spec: str) -> bool:
    from ..variants.masks import MASKS, is_of_vectors

    name = spec.partition(":")[0]
    return name in MASKS and not is_of_vectors(MASKS[name])


def _table(tables: tuple[Any, ...], shape: tuple[int, int] | None) -> TableExercise:
    from .positions import tabulated

    if len(tables) > 1:
        raise InputError(f"--posenc names {len(tables)} tables, expected one", hint="give one --posenc")
    if shape is None:
        raise InputError("the size of the table is unknown", hint="give an answer, or --len and --dim")
    kind, _, options = str(tables[0]).partition(":")
    given_options = dict(item.partition("=")[::2] for item in options.split(",") if item)
    table = tabulated(tables[0], *shape)
    assert isinstance(table, PositionTable)
    if not set(given_options) <= {"base", "layout"} or kind not in ("sinusoidal", "rope", "alibi"):
        return TableExercise("sinusoidal", *shape, known={"table": table.values})
    base, layout = float(given_options.get("base", 10000.0)), given_options.get("layout", "")
    known = cast("Literal['sinusoidal', 'rope', 'alibi']", kind)
    return TableExercise(known, *shape, base, layout == "concatenated")
