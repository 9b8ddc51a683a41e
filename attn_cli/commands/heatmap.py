"""`attn heatmap`: attention to a picture."""

from __future__ import annotations

import dataclasses
import os
from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError
from ..sources.groups import one_of
from .io.choices import Listed, completion, explain
from .io.languages import PageLang, language
from .io.options import Drawing, NumbersOutput, Output
from .io.resolve import Source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..records.attention import Attention
    from ..render.look import Look
    from .io.inputs import Read
    from .io.output import AsPage

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


def heatmap(
    source: Source,
    drawing: Drawing,
    to: NumbersOutput,
    show: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            callback=explain(SHOWN),
            autocompletion=completion(SHOWN),
            help="weights, scores or norms (default: weights).",
        ),
    ] = None,
    film: Annotated[
        bool,
        typer.Option("--film", help="Film a recording over its steps: .gif, .html, or .png side by side."),
    ] = False,
    live: Annotated[
        bool, typer.Option("--live", help="Write a page that runs the model on what is typed into it (HTML).")
    ] = False,
    without_vectors: Annotated[
        bool,
        typer.Option(
            "--without-vectors", help="Leave queries, keys and the q · k view out of a page (HTML)."
        ),
    ] = False,
    lang: PageLang = "en",
) -> None:
    """Draw attention as a picture with token labels, one panel per head.

    \b
    attn heatmap samples/sentence.txt
    attn heatmap --text "My father is free." --kind cross --layer last --head mean -o alignment.png
    attn attend --text "to be or not" --heads 2 | attn heatmap -o pipe.svg

    INPUT is text, an encoding, vectors, an image, a sound, or what another command wrote. Text goes through the
    small trained model mini unless --model says otherwise. Without --output the picture goes to INPUT's name with
    .png in the current folder, its path is printed, and a terminal shows it too.
    """
    spoken = language(lang)
    if without_vectors:
        _refuse_without_vectors(to, film=film, live=live)
    if film:
        _film(source, drawing, to, show, spoken)
    elif live:
        from .io.live import write_live

        write_live(source, drawing, to, spoken)
    else:
        from .io.output import AsPage

        _draw(source, drawing, to, show, AsPage(spoken, not without_vectors))


def _refuse_without_vectors(to: Output, *, film: bool, live: bool) -> None:
    """Only a page of a record has vectors that can be left out."""
    from .. import files
    from ..render import PICTURES

    if film or live:
        raise InputError(
            f"--without-vectors does not apply to {'--film' if film else '--live'}", hint="leave it out"
        )
    chosen = to.output not in (None, "-") or to.format is not None
    name = files.format_of(to.output, to.format, pictures=PICTURES) if chosen else "png"
    if name != "html":
        raise InputError(f"--without-vectors does not apply to {name}", hint="write html")


def _draw(source: Source, drawing: Drawing, to: NumbersOutput, show: str | None, page: AsPage) -> None:
    """The pictures of all that is given, each where the options say."""
    from .. import files
    from ..records.encoding import Image
    from ..render import PICTURES
    from ..sources.resolve import shown
    from .io.environment import environment
    from .io.film import emit_steps
    from .io.output import check, emit, emit_page, head_of, look, numbered
    from .io.resolve import resolve_each

    check(to, files.FORMATS, drawing=drawing)
    if show is not None:
        one_of("show", show, tuple(SHOWN.meanings))
    given, (source, query) = source, _query(source, drawing)
    chosen = look(drawing, query)
    read = source.each()
    if query is not None and all(
        isinstance(one.data, Image) for one in read
    ):  # no other query is drawn over it
        source, chosen = given, dataclasses.replace(chosen, query_token=None)
    found = (
        (one, shown(each, show, drawing.pool))  # type: ignore[arg-type]  # checked above
        for one, each in resolve_each(source, "mini", show, read=read)  # type: ignore[arg-type]
    )
    chooses_name = to.output is None and (
        to.format is None or (to.format in PICTURES and environment.to_terminal)
    )
    html = (to.output or to.format) and files.format_of(to.output, to.format, pictures=PICTURES) == "html"
    if html and (len(read) > 1 or _has_steps(source, read, show)):
        where = _named(source, to) if chooses_name else to
        if len(read) > 1:
            emit_page(((one.name, each) for one, each in found), len(read), where, drawing, page)
        else:
            emit_steps(source, read[0].data, where, drawing, page.lang)
        if chooses_name:
            _say(where.output)
        return
    stems = iter(_stems(source, read))
    made: list[str] = []
    for one, attention in found:
        if not chooses_name:
            emit(attention, numbered(to, one.number), drawing=drawing, look=chosen, page=page)
            continue
        named = _named(source, to, next(stems), made=made)
        made.append(named.output or "")
        emit(attention, named, drawing=drawing, look=chosen, page=page)
        if environment.pictures:
            head_of(one, to)
            _print_picture(attention, chosen)
        _say(named.output)


def _has_steps(source: Source, read: Sequence[Read], show: str | None) -> bool:
    """Whether what is read is one recording, of which no step is chosen among several."""
    from ..records.recording import Recording

    data = read[0].data
    asked = source.recorded.step is not None or show not in (None, "weights")
    return not asked and isinstance(data, Recording) and len(data.steps) > 1


def _film(source: Source, drawing: Drawing, to: Output, show: str | None, lang: str) -> None:
    """The steps of a recording, one after the other."""
    from .io.film import FORMATS, emit_film
    from .io.output import check, look

    if show not in (None, "weights"):
        raise InputError(f"--film cannot be combined with --show {show}", hint="leave --show out")
    if source.recorded.step is not None:
        raise InputError("--film cannot be combined with --step", hint="give one of them")
    if drawing.view not in (None, "map"):
        raise InputError(f"--film cannot be combined with --view {drawing.view}", hint="leave --view out")
    check(to, (), FORMATS)
    named = _named(source, to, usual="gif") if to.output is None else to
    emit_film(source, source.each(), named, look(drawing), drawing, lang)
    if to.output is None:
        _say(named.output)


def _named(
    source: Source, to: Output, stem: str | None = None, usual: str = "png", made: Sequence[str] = ()
) -> Output:
    """Where a picture goes whose name nobody said; never where one was `made` just now."""
    from .. import files

    taken = [*_inputs(source), *made]
    name = files.own_name(stem or _stem(source), f".{to.format or usual}", taken)
    return dataclasses.replace(to, output=name)


def _say(path: str | None) -> None:
    from ..text.escaping import escape
    from .io.environment import environment

    print(escape(path or "") if environment.to_terminal else path)


def _inputs(source: Source) -> list[str]:
    """The files that are read, none of which may be written over."""
    named = (*source.input.input, source.tensors.weights, *vars(source.vectors).values())
    return [path for path in named if isinstance(path, str)]


def _query(source: Source, drawing: Drawing) -> tuple[Source, str | None]:
    """Where a view marks the query that was asked for, it needs the others too: then the view selects it."""
    from ..render.views import marks_query

    query = source.select.query_token
    if query is None or not marks_query(drawing.view):
        return source, None
    if source.select.query_range is not None:
        raise InputError("--query-token cannot be combined with --query-range", hint="give one of them")
    return dataclasses.replace(source, select=dataclasses.replace(source.select, query_token=None)), query


def _stem(source: Source) -> str:
    return _stem_of(next(iter(source.input.input), None) or source.tensors.weights or source.vectors.query)


def _stem_of(path: str | None) -> str:
    stem = "" if path in (None, "-") else os.path.splitext(os.path.basename(path))[0]
    return stem or "attention"


def _stems(source: Source, read: Sequence[Read]) -> list[str]:
    """What the picture of each input is called: as its file, numbered where several would be called the same."""
    if len(read) == 1:
        return [_stem(source)]
    lines = source.input.lines
    places = [one.where.rpartition(":")[0] if lines else one.where for one in read]
    stems = [_stem_of(None if place == "--text" else place) for place in places]
    keys = [stem.casefold() for stem in stems]  # some disks do not tell A from a
    return [
        f"{stem}-{keys[: i + 1].count(key)}" if keys.count(key) > 1 else stem
        for i, (stem, key) in enumerate(zip(stems, keys, strict=True))
    ]


def _print_picture(attention: Attention, chosen: Look) -> None:
    from ..render.terminal.terminal import attention_picture
    from .io.environment import environment

    environment.stdout().print(attention_picture(attention, chosen))
