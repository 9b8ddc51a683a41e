"""`attn stats`: what each head does, in figures."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from ..errors import InputError
from ..sources.groups import one_of
from .io.choices import Listed, Registered, completion, explain
from .io.languages import PageLang, language
from .io.options import Appearance, Output, TableNumbersOutput
from .io.resolve import Source

if TYPE_CHECKING:
    from ..records.attention import Attention
    from ..records.table import Table
    from ..sources.figures import Wanted

SHOWN = Listed({"weights": "After the softmax.", "norms": "‖weight · value · W_o‖, rows scaled to sum to 1."})
BY = Listed(
    {
        "layer": "A row per layer: the mean of its heads.",
        "head": "A row per head: its mean over the layers.",
        "query": "A row per query: the mean over all layers and heads.",
        "key": "A row per key: what it receives, in the mean over all layers and heads.",
    }
)
COLUMNS = Registered(("interpret.statistics:STATISTICS",))


@dataclasses.dataclass(frozen=True)
class Asked:
    """Which figures are wanted."""

    TITLE: ClassVar = "Options"
    show: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            callback=explain(SHOWN),
            autocompletion=completion(SHOWN),
            help="weights or norms (default: weights).",
        ),
    ] = None
    by: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            callback=explain(BY),
            autocompletion=completion(BY),
            help="A row per layer, head, query or key (default: layer and head).",
        ),
    ] = None
    column: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            callback=explain(COLUMNS),
            autocompletion=completion(COLUMNS),
            help="Only this column; repeat for more; 'help' defines them.",
        ),
    ] = None
    roles: Annotated[
        bool, typer.Option("--roles", help="Print the thresholds of roles, and their sources.")
    ] = False
    similar: Annotated[
        bool, typer.Option("--similar", help="Which heads do the same: divergences, clusters.")
    ] = False
    clusters: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Clusters of --similar (default: √(heads / 2))."),
    ] = None
    resume: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Keep what many texts come to in FILE, and go on from there."),
    ] = None


def stats(
    asked: Asked, source: Source, drawing: Appearance, to: TableNumbersOutput, lang: PageLang = "en"
) -> None:
    """Say what each head does: entropy, distance, previous token, induction, sink, …, and its role in words.

    \b
    attn stats samples/sentence.txt
    attn stats --text "to be or not to be" --column role --column entropy
    attn stats samples/sentence.txt -o heads.png

    INPUT is what attn heatmap takes. Many INPUTs, --lines or FILE.jsonl:FIELD are many texts: then each figure
    is the mean over them, with its standard error in a second column. -o x.png draws a map of layers and heads
    for each column; -o x.html is a table that sorts, whose rows open maps.
    """
    from .. import files
    from ..interpret import report
    from .io.output import check, emit_table, page_of

    check(to, files.TABLES, drawing=drawing)
    spoken = language(lang)
    for option, value, known in (("show", asked.show, SHOWN.meanings), ("by", asked.by, BY.meanings)):
        if value is not None:
            one_of(option, value, tuple(known))
    wanted = _wanted(asked)
    if wanted.roles:
        emit_table(report.thresholds(), to, page=page_of(drawing, spoken))
        return
    if wanted.similar:
        _similar(source, drawing, to, wanted, spoken)
        return
    found = _table(source, wanted)
    if found is None:  # a process beside the first, which says it all
        return
    table, attention = found
    emit_table(
        report.chosen(table, wanted.columns),
        to,
        lambda chosen: _figure(chosen, wanted.columns, drawing),
        page_of(drawing, spoken, attention),
    )


def _wanted(asked: Asked) -> Wanted:
    from ..sources.figures import Wanted

    return Wanted(
        asked.show,  # type: ignore[arg-type]  # checked, as the next
        asked.by,  # type: ignore[arg-type]
        asked.column or (),
        asked.roles,
        asked.similar,
        asked.clusters,
        asked.resume,
    )


def _one(source: Source, show: Any, by: Any) -> tuple[Table, Attention]:
    from ..sources import measuring, resolve
    from .io.progress import watched

    (read,) = source.each()
    with watched("attention"):
        found = measuring.measure(
            read.data, source.options, model=source.through.model, show=show, where=read.where
        )
        return measuring.table_of(found, show=show, by=by), resolve.shown(found.attention, show)


def _table(source: Source, wanted: Wanted) -> tuple[Table, Attention | None] | None:
    """The table of one text, with its attention, or of many."""
    from .io.corpus import corpus_of, table_of
    from .io.environment import environment
    from .io.inputs import is_given
    from .io.processes import is_beside

    given = source.input
    if given.lines and not is_given(given):
        environment.help_a_person()
    corpus = corpus_of(given) if is_given(given) or given.lines else None
    if corpus is None:
        if wanted.resume is not None:
            raise InputError("--resume applies only to many texts", hint="give --lines or several files")
        return None if is_beside() else _one(source, wanted.show, wanted.by)
    wanted.check_many()
    table = table_of(source, corpus, wanted.show, wanted.by, wanted.resume)
    return None if table is None else (table, None)


def _similar(source: Source, drawing: Appearance, to: Output, wanted: Wanted, lang: str) -> None:
    from .io.output import emit_table, page_of
    from .io.resolve import resolve_each

    read = source.each()
    wanted.check_one(len(read))
    ((_, attention),) = resolve_each(source, "mini", wanted.show, read=read)
    table = wanted.alike(attention)

    emit_table(table, to, lambda table: _figure(table, [], drawing), page_of(drawing, lang, attention))


def _figure(table: Table, names: list[str], drawing: Appearance) -> Any:
    from ..render.figure.heads import table_figure
    from .io.output import look

    return table_figure(table, look(drawing), names)
