"""`attn explain`: which tokens an output rests on, and whether that holds."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

import typer

from ..errors import InputError, note
from ..sources.groups import Computing, Model, Options, Seed, one_of
from .io.choices import Listed, Registered, completion
from .io.choices import explain as explained
from .io.languages import lang_option, language
from .io.options import Appearance, Output, TableOutput
from .io.source_options import Input, Through

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ..records.explanation import Explanation
    from ..records.table import Table

VIEWS = Listed(
    {
        "map": "A row per method, a column per token; on a terminal as a table.",
        "tokens": "The text itself, shaded once by each method.",
    }
)
METHODS = Registered(("interpret.explaining:METHODS",))


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What is asked of an output."""

    TITLE: ClassVar = "Options"
    method: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            callback=explained(METHODS),
            autocompletion=completion(METHODS),
            help="Only this method; repeat for more; 'help' lists them (default: all).",
        ),
    ] = None
    view: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            callback=explained(VIEWS),
            autocompletion=completion(VIEWS),
            help="map or tokens: the text shaded by each method (default: map).",
        ),
    ] = None
    ablate: Annotated[
        bool, typer.Option("--ablate", help="How much the output depends on each head, not token.")
    ] = False


def explain(
    wanted: Wanted,
    input: Input,  # noqa: A002 (as all commands call it)
    through: Through,
    model: Model,
    seed: Seed,
    computing: Computing,
    drawing: Appearance,
    to: TableOutput,
    lang: Annotated[str, lang_option("Language of what people read (default: en).")] = "en",
) -> None:
    """Say which tokens an output of a model rests on, by several methods, each tested beside chance.

    \b
    attn explain --text "The cat sat on the mat."
    attn explain --text "The cat sat on the mat." --toward 1 --method rollout --method gradients
    attn explain --text "The cat sat on the mat." --ablate --format json

    A row per token, a column per method; below them comprehensiveness (higher is better), sufficiency and the
    area under deletion (lower is better), beside uniform and random orders. The output is a token or a position
    by --toward: after the last token of GPT-2 and Llama, at [MASK] of BERT, all of what mini writes (default:
    the model's own answer). --ablate: a row per layer and head. -o x.html is a page with the text shaded by each
    method.
    """
    from .. import files
    from ..interpret.explaining import METHODS as KNOWN
    from ..sources import explaining
    from .io.inputs import read_input
    from .io.output import check, emit_table, look, page_of
    from .io.progress import watched

    check(to, files.TABLES, drawing=drawing)
    look(drawing)
    _check_view(wanted, to)
    spoken = language(lang)
    methods = [name for part in wanted.method or KNOWN for name in part.split(",")]
    for name in methods:
        KNOWN[name]
    if wanted.ablate and wanted.method:
        raise InputError("--method cannot be combined with --ablate", hint="leave one out")
    options = Options(model=model, seed=seed, computing=computing)
    text = read_input(input)
    with watched("explanation"):
        if wanted.ablate:
            table, attentions = explaining.ablation(text, options, model=through.model)
        else:
            found = explaining.explain(text, options, model=through.model, methods=methods)
    if wanted.ablate:
        emit_table(table, to, lambda table: _heads(table, drawing), page_of(drawing, spoken, attentions))
        return
    _emit(found, to, drawing, spoken, wanted.view or "map")


def _check_view(wanted: Wanted, to: Output) -> None:
    """Refuse an unknown view, and one of what is not drawn: a table, and heads. A page has both views."""
    from .. import files
    from ..render import PICTURES
    from .io.output import for_screen

    if wanted.view is None:
        return
    one_of("view", wanted.view, tuple(VIEWS.meanings))
    if wanted.ablate:
        raise InputError("--view cannot be combined with --ablate", hint="leave one out")
    if for_screen(to):
        return
    name = files.format_of(to.output, to.format, formats=files.TABLES, pictures=PICTURES)
    if name not in PICTURES:
        hint = f"write {', '.join(PICTURES)}, or to a terminal"
        raise InputError(f"--view does not apply to {name}", hint=hint)


def _emit(found: Explanation, to: Output, drawing: Appearance, lang: str, view: str) -> None:
    from .. import files
    from ..files import explained as written
    from ..render import PICTURES
    from ..render.page.document import wording
    from .io.output import deliver, emit_table, for_screen

    if for_screen(to):
        _show(found, drawing, wording(lang), view)
    elif files.format_of(to.output, to.format, formats=files.TABLES, pictures=PICTURES) == "json":
        deliver(written.json_(found), "json", to)
    else:
        emit_table(
            found.table(),
            to,
            lambda _: _figure(found, drawing, lang, view),
            lambda _: _page(found, drawing, lang),
        )
    note(wording(lang)["explain_warning"])


def _show(found: Explanation, drawing: Appearance, words: Mapping[str, str], view: str) -> None:
    """Tokens on a terminal, and below them the tests."""
    from ..records.table import Table
    from ..render import explained as says
    from ..render.terminal.pictures import explained_text
    from ..render.terminal.tabular import Tabular
    from .io.environment import environment
    from .io.output import look

    console = environment.stdout()
    origin = "; ".join(filter(None, [found.provenance, *says.said(found, words)]))
    if view == "tokens":
        console.print(explained_text(found, look(drawing), words))
    else:
        console.print(Tabular(Table(found.by_token().columns, "explain", origin)))
    # Methods are rows of this one, so that chance stands beside them however narrow the screen is.
    console.print(Tabular(Table(found.by_method().columns, "faithfulness", says.chance(found, words))))


def _page(found: Explanation, drawing: Appearance, lang: str) -> bytes:
    from ..render.page.explained import explained_page

    return explained_page(found, title=drawing.title, lang=lang)


def _figure(found: Explanation, drawing: Appearance, lang: str, view: str) -> Any:
    from ..render.figure.explained import explanation_figure
    from .io.output import look

    return explanation_figure(found, look(drawing), view=view, lang=lang)


def _heads(table: Table, drawing: Appearance) -> Any:
    from ..render.figure.heads import table_figure
    from .io.output import look

    return table_figure(table, look(drawing))
