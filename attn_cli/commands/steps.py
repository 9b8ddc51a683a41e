"""`attn steps`: every step of a small attention, with the arithmetic of one cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from .io.languages import Lang, language
from .io.options import Output
from .io.resolve import Source

if TYPE_CHECKING:
    from ..records.worked import Worked


def steps(
    source: Source,
    to: Output,
    cell: Annotated[
        str | None,
        typer.Option(
            metavar="[HEAD,]QUERY,KEY",
            help="Cell to work out by hand, up to 8 × 8 (default: 0,0).",
        ),
    ] = None,
    lang: Lang = None,
) -> None:
    """Show every step of a small attention: vectors, scores, weights, output, and one cell worked out by hand.

    \b
    attn steps --query samples/by-hand/Q.csv --key samples/by-hand/K.csv --value samples/by-hand/V.csv
    attn steps --text "to be or not" --embed onehot --cell 0,2 -o worksheet.md

    INPUT and options are those of attn attend. Without --output a terminal gets tables; -o writes a
    worksheet: .md, .tex or .html.
    """
    from .. import files
    from .io.environment import environment
    from .io.output import check, deliver, for_screen

    check(to, (*files.WORKED, "html"), ())
    worked = _worked(source, None if cell is None else _place(cell), language(lang))
    if for_screen(to):
        from ..render.terminal.steps import StepTables

        environment.stdout().print(StepTables(worked))
        return
    name = files.format_of(to.output, to.format, formats=(*files.WORKED, "html"))
    if name == "html":
        from ..render.page.steps import steps_page

        deliver([steps_page(worked)], name, to)
    else:
        deliver(files.WORKED[name](worked), name, to)


def _worked(source: Source, cell: tuple[int, ...] | None, lang: str) -> tuple[Worked, ...]:
    from ..lab.steps import work_out
    from ..records.attention import Attention
    from ..sources import groups, resolve, vectors
    from .io.resolve import read_source

    options = source.options
    found = read_source(source)
    if isinstance(found, Attention):
        return work_out(resolve.selected(found, options.select), cell=cell, language=lang)
    groups.refuse_others(options, resolve.MECHANISM[:-1], "steps that begin at vectors")
    rule = vectors.rule_of(options.scoring, options.positions.posenc, options.seed.seed)
    attention = resolve.warn_of_untrained(resolve.attend(found, options, show="scores"))
    return work_out(attention, found, rule, cell=cell, language=lang)


def _place(cell: str) -> tuple[int, ...]:
    try:
        return tuple(int(number) for number in cell.split(","))
    except ValueError:
        raise InputError(f"--cell {cell!r}", hint="give two numbers, QUERY,KEY, counted from 0") from None
