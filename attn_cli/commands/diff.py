"""`attn diff`: two attentions compared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import InputError, note
from ..sources.groups import one_of
from .io.choices import Listed, completion, explain
from .io.languages import PageLang, language
from .io.options import Appearance, Output, TableNumbersOutput
from .io.resolve import Source

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..records.attention import Attention
    from ..records.table import Table
    from ..sources.comparing import Compared

SHOWN = Listed(
    {
        "weights": "After the softmax.",
        "scores": "Before the mask and the softmax.",
        "norms": "‖weight · value · W_o‖: how much each key contributes (Kobayashi et al. 2020).",
        "gradients": "max(0, ∂y/∂weight · weight), y the logit of --toward (Chefer et al. 2021).",
        "zeroing": "1 − cos of a layer's output without a key's value (Mohebbi et al. 2023).",
        "alti": "Share of each key in what attention makes of a query (Ferrando et al. 2022).",
    }
)
MOST_DRAWN = 12  # heads on a terminal


def diff(
    source: Source,
    drawing: Appearance,
    to: TableNumbersOutput,
    against: Annotated[
        list[str] | None,
        typer.Option(metavar="MODEL|KEY=VALUE", help="What is different about the second; may be repeated."),
    ] = None,
    match: Annotated[bool, typer.Option("--match", help="Heads may be permuted: match them first.")] = False,
    fail_over: Annotated[
        float | None, typer.Option(metavar="X", help="Exit with 1 if any difference is larger.")
    ] = None,
    show: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            callback=explain(SHOWN),
            autocompletion=completion(SHOWN),
            help="weights, scores, norms or gradients; 'help' lists all (default: weights).",
        ),
    ] = None,
    lang: PageLang = "en",
) -> None:
    """Compare two attentions: largest and mean difference of each head and where, divergence, correlation.

    \b
    attn diff --text "My father is free." --against layer=1 --layer 0
    attn diff --text "a b c" --model none --embed onehot --against mask=causal
    attn diff --text "My father is free." --model mini --against dtype=bfloat16 --fail-over 0.05

    INPUT and a second one are records, recordings, tensors of weights, or texts. Or one INPUT is compared with
    itself under other options: --against MODEL, --against KEY=VALUE. With --query, --key and --value two INPUTs
    are outputs, and the step at which they part is printed. -o x.html is a table that sorts, whose rows open both
    maps and their difference.
    """
    from .. import files
    from .io.environment import environment
    from .io.output import check, emit_table, for_screen, look, page_of

    check(to, files.TABLES, drawing=drawing)
    look(drawing)
    spoken = language(lang)
    if show is not None:
        one_of("show", show, tuple(SHOWN.meanings))
    if source.vectors.query is not None:
        _part(source, to, fail_over, page_of(drawing, spoken))
        return
    found = _compared(source, list(against or ()), show, match=match)
    paged = page_of(drawing, spoken, (found.ours, found.theirs))
    emit_table(found.table, to, lambda table: _figure(found, drawing), paged)
    if for_screen(to) and environment.pictures and len(found.table) <= MOST_DRAWN:
        from ..render.terminal.pictures import difference_picture

        environment.stdout().print(difference_picture(found.ours, found.theirs, look(drawing)))
    if fail_over is not None:
        _fail_over(fail_over, found.table)


def _fail_over(limit: float, table: Table) -> None:
    """Exit with 1 if the largest difference is over the limit, saying where it is."""
    at = int(table["max"].argmax())
    layer, head, apart = (table[name][at] for name in ("layer", "head", "max"))
    if apart > limit:
        note(f"layer {layer}, head {head} differs by {apart:.6g}, more than {limit:g}")
        raise typer.Exit(1)


def _compared(source: Source, against: list[str], show: str | None, *, match: bool) -> Compared:
    from ..sources.comparing import compare
    from .io.against import changed

    read = source.each()
    if len(read) > 2 or (len(read) == 1 and not against):
        hint = "give two INPUTs, or one and --against MODEL or KEY=VALUE"
        raise InputError(f"attn diff compares two inputs, got {len(read)}", hint=hint)
    ours = _attention(source, read[0], show)
    try:
        theirs = _attention(changed(source, against), read[-1], show)
    except InputError as problem:
        if len(read) == 2 or isinstance(read[0].data, str):
            raise
        raise _of_record(problem, against) from None
    return compare(ours, theirs, match=match, against=", ".join(against))


def _of_record(problem: InputError, against: list[str]) -> InputError:
    """What is wrong with a change to what is computed already, under the name of the option that asks for it."""
    what = f"--against {', '.join(against)} does not apply to this INPUT: {problem.what}"
    return InputError(what, hint="give a second INPUT, or a text", where=problem.where)


def _attention(source: Source, read: Any, show: str | None) -> Attention:
    from ..sources.comparing import attention_of
    from .io.progress import watched

    with watched("attention"):
        return attention_of(
            read.data,
            source.options,
            model=source.through.model,
            show=show,  # type: ignore[arg-type]  # checked above
            where=read.where,
        )


def _part(source: Source, to: Output, fail_over: float | None, paged: Callable[[Table], bytes]) -> None:
    from ..interpret.parting import TOLERANCE
    from ..sources.comparing import part
    from .io.output import emit_table

    read = source.each()
    if len(read) != 2:
        raise InputError(
            f"{len(read)} outputs for --query, --key and --value, expected two", hint="give two INPUTs"
        )
    tolerance = TOLERANCE if fail_over is None else fail_over
    table = part(source.vectors, read[0].data, read[1].data, tolerance=tolerance)
    emit_table(table, to, page=paged)
    if not len(table):
        note(f"the two outputs agree: they differ by {tolerance:g} at most")
    if fail_over is not None and len(table):
        raise typer.Exit(1)


def _figure(found: Compared, drawing: Appearance) -> Any:
    from ..render.figure.heads import difference_figure
    from .io.output import look

    names = (found.ours.provenance or "the first", found.theirs.provenance or "the second")
    return difference_figure(found.ours, found.theirs, names, look(drawing))
