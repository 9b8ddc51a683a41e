"""`attn attend`: vectors to attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from .io.options import Output, Source  # noqa: TC001 (Typer reads the annotations)

if TYPE_CHECKING:
    from ..records.attention import Attention, Record


def attend(
    source: Source,
    to: Output,
    show: Annotated[
        str | None,
        typer.Option(
            metavar="weights|scores|norms|output|steps",
            help="What a table shows; json and npz hold all. norms: ‖weight · value · W_o‖, what of a key arrives. "
            "steps: every step, and a cell by hand.",
        ),
    ] = None,
    cell: Annotated[
        str | None,
        typer.Option(
            metavar="[HEAD,]QUERY,KEY",
            help="The cell that --show steps works out by hand (0,0), up to 8 × 8.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only draw the mask, of INPUT's size or --len.")
    ] = False,
    len_: Annotated[
        int | None,
        typer.Option("--len", metavar="N", min=1, help="Positions of a --dry-run without INPUT (16)."),
    ] = None,
) -> None:
    """Compute attention: weights = softmax(query · keyᵀ / √d_head), output = weights · value.

    INPUT is text, an encoding or a matrix of vectors, which is query, key and value at once; or give
    --query, --key and --value. Without --output a terminal gets tables and a pipe gets TSV: layer, head,
    query_pos, query, and a column for each key.
    """
    if len_ is not None and not dry_run:
        raise InputError("--len without --dry-run", hint="leave it out, INPUT says how long it is")
    if cell is not None and show != "steps":
        raise InputError("--cell without --show steps", hint="give both")
    if dry_run:
        from .dry_run import draw_mask

        draw_mask(source, to, len_)
    elif show == "steps":
        _show_steps(source, to, cell)
    else:
        from ..records.attention import Attention
        from ..records.fields import changed, maps
        from .io.output import emit
        from .io.resolve import resolve

        if show not in (None, "output", *maps(Attention)):
            raise InputError(f"--show {show!r}", hint="give weights, scores, norms, output or steps")
        if source.words and show not in (None, "weights"):
            raise InputError(f"--words does not apply to --show {show}", hint="leave it out")
        every_step, norms = show == "scores", show == "norms"
        attention = resolve(source, default_model="none", every_step=every_step, norms=norms)
        if show == "output":
            emit(attention, to, shown=_output(attention))
        else:
            emit(attention if show is None else changed(attention, show=show), to)


def _output(attention: Attention) -> Record:
    """What the last layer gives, as a table shows it."""
    from ..records.encoding import Encoding

    if attention.output is None:
        hint = "recompute it from vectors or with a natively supported model"
        raise InputError("this attention has no output", hint=hint)
    return Encoding(attention.query_tokens, attention.output[-1], attention.provenance)


def _show_steps(source: Source, to: Output, cell: str | None) -> None:
    from .. import files
    from ..lab.steps import work_out
    from ..records.attention import Attention
    from .io.environment import environment
    from .io.output import deliver, for_screen
    from .io.resolve import attend, refuse_selection, resolve_heads, rule, select

    place = None if cell is None else _place(cell)
    found = resolve_heads(source, default_model="none")
    if isinstance(found, Attention):
        worked = work_out(select(found, source), cell=place)
    else:
        refuse_selection(source, "steps that begin at vectors")
        by = rule(source)
        worked = work_out(attend(found, by, every_step=True), found, by, cell=place)
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


def _place(cell: str) -> tuple[int, ...]:
    try:
        return tuple(int(number) for number in cell.split(","))
    except ValueError:
        raise InputError(f"--cell {cell!r}", hint="give two numbers, QUERY,KEY, counted from 0") from None
