"""`attn check`: a student's numbers judged, and the mistake named."""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar

import typer

from ..errors import InputError
from ..sources.groups import Options, Positions, Scoring, Seed, Selection, Text, Vectors
from .io.choices import Listed, Registered, completion, explain
from .io.environment import environment
from .io.languages import Lang, language
from .io.options import Output

if TYPE_CHECKING:
    from ..lab.judging import Points
    from ..lab.verdict import Verdict

STAGES = Listed(
    {
        "scores": "query · keyᵀ / √d_head, before the softmax; masked or not.",
        "weights": "After the softmax: [query, key], or heads one below the other, or [head, query, key].",
        "output": "weights · value, of all heads, through W_o.",
        "query, key, value": "Of every head, after the projection.",
        "dots": "query · keyᵀ, not scaled.",
        "masked": "Scores with −∞ where a query may not attend.",
        "head_output": "weights · value of each head.",
        "mask": "1 where a query may attend; or 0 and −∞.",
        "table": "A table of positions (--posenc).",
    }
)
MISTAKES = Registered(("lab.mistakes:MISTAKES",))


@dataclass(frozen=True)
class Judging:
    """How answers are judged, and what is said of them."""

    TITLE: ClassVar = "Judging"
    what: Annotated[
        str | None,
        typer.Option(
            metavar="STAGE",
            callback=explain(STAGES),
            autocompletion=completion(STAGES),
            help="scores, weights, output, … (default: what fits by shape and numbers).",
        ),
    ] = None
    tolerance: Annotated[
        float | None,
        typer.Option(metavar="X", min=0, help="Largest difference (default: half a unit of the last digit)."),
    ] = None
    points: Annotated[
        str | None,
        typer.Option(metavar="N|STAGE=N,…", help="Points in all, or of each stage (default: 1)."),
    ] = None
    hint: Annotated[
        int | None,
        typer.Option(
            metavar="0|1|2|3",
            min=0,
            max=3,
            help="Say that it is wrong, where, what, or how (default: 3; graders 1).",
        ),
    ] = None
    lang: Lang = None


@dataclass(frozen=True)
class Truth:
    """What an answer is judged against, beside vectors."""

    TITLE: ClassVar = "What is right"
    against: Annotated[
        str | None, typer.Option(metavar="RECORD", help="A saved attention: attn attend … -o key.npz.")
    ] = None
    text: Annotated[str | None, typer.Option(metavar="TEXT", help="The attention of this text.")] = None
    layer: Annotated[str | None, typer.Option(metavar="N", help="Layer of RECORD, from 0.")] = None
    len_: Annotated[
        int | None,
        typer.Option(
            "--len", metavar="N", min=1, help="Positions of a mask or table (default: the answer's)."
        ),
    ] = None


@dataclass(frozen=True)
class Report(Output):
    """Where verdicts go."""

    format: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="tsv csv json jsonl md tex gradescope prairielearn junit, or a picture: png svg pdf html.",
        ),
    ] = None


def check(
    truth: Truth,  # before `text`, of which it has an option of the same name
    to: Report,
    judging: Judging,
    text: Text,
    vectors: Vectors,
    positions: Positions,
    scoring: Scoring,
    seed: Seed,
    answer: Annotated[
        list[str] | None, typer.Argument(metavar="ANSWER", help="Files of numbers, one for each student.")
    ] = None,
    exercise: Annotated[
        bool, typer.Option("--exercise", help="List the mistakes that this exercise cannot tell apart.")
    ] = False,
    mistake: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            callback=explain(MISTAKES),
            autocompletion=completion(MISTAKES),
            help="Explain a mistake; 'help' lists them.",
        ),
    ] = None,
) -> None:
    """Judge numbers that someone worked out, and name every mistake that explains them.

    \b
    attn check samples/check/answer.csv --against key.npz
    attn check samples/check/answer.csv --query samples/check/Q.csv --key samples/check/K.csv --heads 2
    attn check --against key.npz submissions/*.csv --format gradescope

    The right answer is a saved attention, or what attn attend computes with the same options; without vectors,
    --mask and --posenc give a mask or a table alone. No student's code is run. Exit code: 0 right, 1 wrong,
    2 unreadable.
    """
    from .io.verdicts import check_output, exit_code, write

    options = Options(text, vectors, positions, seed, scoring, select=Selection(layer=truth.layer))
    lang = language(judging.lang)
    if mistake is not None:
        print(_explained(mistake, lang))
        return
    check_output(to)
    if exercise:
        _tell(options, truth, lang, to)
        return
    if not answer:
        environment.help_a_person()
        raise InputError("no ANSWER", hint="give one or more files of numbers")
    verdicts = _judged(answer, options, truth, judging)
    write(verdicts, to, judging.hint, lang)
    raise typer.Exit(exit_code(verdicts))


def _judged(answer: list[str], options: Options, truth: Truth, judging: Judging) -> list[Verdict]:
    from ..sources.checking import judge_files

    data = _data(truth)
    return judge_files(
        answer,
        _without_dim(options, data),
        data=data,
        against=truth.against,
        size=(truth.len_, options.text.dim if data is None else None),
        what=judging.what,
        tolerance=judging.tolerance,
        points=_points(judging.points),
    )


def _data(truth: Truth) -> str | None:
    from .io.inputs import typed

    return None if truth.text is None else typed(truth.text)


def _without_dim(options: Options, data: str | None) -> Options:
    """Without a text --dim is the width of a table, and of nothing else."""
    return (
        options
        if data is not None
        else dataclasses.replace(options, text=dataclasses.replace(options.text, dim=None))
    )


def _points(typed: str | None) -> Points:
    """Points in all, or of each stage: 10, or scores=2,weights=3."""
    if typed is None:
        return 1.0
    pairs = [item.partition("=") for item in typed.split(",")]
    try:
        if len(pairs) == 1 and not pairs[0][1]:
            return _not_negative(pairs[0][0])
        return {_stage(stage.strip()): _not_negative(n) for stage, _, n in pairs}
    except ValueError as problem:
        if isinstance(problem, InputError):
            raise
        raise InputError(f"--points {typed!r}", hint="give a number, or scores=2,weights=3") from None


def _stage(name: str) -> str:
    from ..lab.answer import STAGES, stage_named

    return stage_named(name, STAGES)


def _not_negative(text: str) -> float:
    number = float(text)
    if not 0 <= number < math.inf:
        raise ValueError(text)
    return number


def _explained(name: str, lang: str) -> str:
    """All that there is to say of a mistake."""
    from ..lab.exercise import proposed
    from ..lab.mistakes import MISTAKES
    from ..lab.wording.about import about

    MISTAKES[name]  # or the error names the nearest
    return about(name, lang, proposed())


def _tell(options: Options, truth: Truth, lang: str, to: Output) -> None:
    """What this exercise cannot tell: lines for a person, a table of all mistakes in a pipe."""
    from ..files import TABLES, format_of
    from ..lab.telling import as_lines, as_table, cannot_tell
    from ..sources.exercises import exercise
    from .io.output import deliver, for_screen

    data, n = _data(truth), truth.len_
    columns = n if options.scoring.mask else options.text.dim
    shape = None if n is None or columns is None else (n, columns)
    asked = exercise(data, _without_dim(options, data), against=truth.against, shape=shape)
    blindness = cannot_tell(asked)
    if for_screen(to):
        print("\n".join(as_lines(blindness, lang)))
        return
    name = format_of(to.output, to.format, formats=TABLES)
    deliver(TABLES[name](as_table(blindness)), name, to)
