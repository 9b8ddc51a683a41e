"""What `attn check` writes: lines for a person, a table in a pipe, the reports of graders, a picture."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Any

from ...errors import InputError
from .environment import environment
from .output import check, deliver, for_screen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...lab.verdict import StageVerdict, Verdict
    from ...records.table import Table
    from ...render.figure.answers import Compared
    from ...render.page.maps import Opened
    from .options import Output

_COLOURS = {"right": "green", "wrong": "red", "unreadable": "yellow"}


def formats() -> list[str]:
    """All that verdicts are written as, beside pictures."""
    from ...files import TABLES
    from ...lab.reports import REPORTS

    return list(dict.fromkeys([*TABLES, *REPORTS]))


def check_output(to: Output) -> None:
    """Refuse an unknown format and a folder that is not there, before anything is judged."""
    from ...render import PICTURES

    check(_named(to), formats(), PICTURES)


def write(verdicts: Sequence[Verdict], to: Output, hint: int | None, lang: str) -> None:
    """Write verdicts where the options say: lines to a terminal, TSV into a pipe."""
    from ...files import TABLES, format_of
    from ...lab.reports import REPORTS, table
    from ...render import PICTURES

    to = _named(to)
    if for_screen(to):
        _show(verdicts, 3 if hint is None else hint, lang)
        return
    name = format_of(to.output, to.format, formats=formats(), pictures=PICTURES)
    if name == "html" and len(verdicts) > 1:
        deliver([_page(verdicts, 3 if hint is None else hint, lang)], name, to)
    elif name in PICTURES:
        deliver([_picture(verdicts, name, 3 if hint is None else hint, lang)], name, to)
    elif name in REPORTS:
        given = {"lang": lang} | ({} if hint is None else {"hint": hint})
        deliver([REPORTS.parse(name, given=given)(verdicts)], name, to)
    else:
        deliver(TABLES[name](table(verdicts, hint=3 if hint is None else hint, lang=lang)), name, to)


def exit_code(verdicts: Sequence[Verdict]) -> int:
    """0 where all is right, 1 where something is wrong, else 2: what cannot be read loses nobody an attempt."""
    words = {verdict.verdict for verdict in verdicts}
    return 1 if "wrong" in words else 2 if "unreadable" in words else 0


def _named(to: Output) -> Output:
    """A file called .xml is JUnit's."""
    from dataclasses import replace

    xml = to.format is None and (to.output or "").lower().endswith(".xml")
    return replace(to, format="junit") if xml else to


def _show(verdicts: Sequence[Verdict], hint: int, lang: str) -> None:
    from rich.text import Text

    from ...text.escaping import escape

    console = environment.stdout()
    for verdict in verdicts:
        if len(verdicts) > 1 or verdict.verdict == "unreadable":
            heading = Text(f"{escape(verdict.file)}  ", "bold")
            heading.append(verdict.verdict, _COLOURS[verdict.verdict])
            heading.append(f"  {verdict.score:g}/{verdict.max:g}  {verdict.mistakes if hint > 1 else ''}")
            console.print(heading)
        if len(verdicts) > 1:
            for line in verdict.not_judged(lang):
                console.print(Text(f"  {escape(line)}"))
            continue
        for stage in verdict.stages:
            first, *rest = stage.lines(hint, lang)
            console.print(Text(first, _COLOURS[stage.verdict]))
            more = _more(stage, lang) if hint >= 3 else []
            for line in [*rest, *more]:
                console.print(Text(f"  {line}"))


def _more(stage: StageVerdict, lang: str) -> list[str]:
    """What to type for all that there is to say of the one mistake that explains the numbers."""
    from ...lab.wording import say

    if len(stage.alternatives) != 1:
        return []
    commands = [f"attn check --mistake {name} --lang {lang}" for name in stage.alternatives[0]]
    return [say(lang, "more", {"command": command.removesuffix(" --lang en")}) for command in commands]


def _picture(verdicts: Sequence[Verdict], name: str, hint: int, lang: str) -> bytes:
    from ...render.figure.answers import answer_figure
    from ...render.figure.figure import save

    if len(verdicts) != 1:
        raise InputError(
            f"a picture shows one answer, got {len(verdicts)}", hint="give one, or write a page: -o x.html"
        )
    (verdict,) = verdicts
    compared = _compared(verdict.decisive, verdict.file, lang)
    if name == "html":
        return _answer(verdict, hint, lang, phone=True)
    return save(answer_figure(compared, verdict.decisive.lines(min(hint, 2), lang)), name)


def _page(verdicts: Sequence[Verdict], hint: int, lang: str) -> bytes:
    """A row per answer, which opens the page of that answer alone."""
    from ...lab.reports import table
    from ...render.page.maps import opened_pages
    from ...render.page.table import table_page

    def opens(max_bytes: int) -> Opened:
        return opened_pages((_answer(verdict, hint, lang) for verdict in verdicts), len(verdicts), max_bytes)

    return table_page(_said(table(verdicts, hint=hint, lang=lang), lang), lang=lang, opens=opens)


def _said(judged: Table, lang: str) -> Table:
    """The same table with verdicts and stages in words of the language, as people read it."""
    from ...lab.wording import sentences
    from ...records.table import Table
    from ...render.page.document import wording

    words = wording(lang)

    def stages(names: str) -> str:
        return "+".join(sentences(lang).get(name, name) for name in names.split("+"))

    said: dict[str, Any] = {
        "verdict": [words[f"check_{verdict}"] for verdict in judged["verdict"].tolist()],
        "what": [stages(names) for names in judged["what"].tolist()],
        "stage": [stages(names) for names in judged["stage"].tolist()],
    }
    return Table({**judged.columns, **said}, judged.about, judged.provenance, judged.units)


def _answer(verdict: Verdict, hint: int, lang: str, *, phone: bool = False) -> bytes:
    """The page of one answer, with its picture where it has numbers; a `phone` shows another, of one column."""
    from ...render.figure.answers import answer_figure
    from ...render.figure.figure import save
    from ...render.look import Look
    from ...render.page.answers import answer_page

    svg = narrow = None
    if verdict.decisive.numbers is not None:
        compared = _compared(verdict.decisive, "", lang)
        svg = save(answer_figure(compared), "svg")
        narrow = save(answer_figure(compared, look=Look(columns=1)), "svg") if phone else None
    return answer_page(svg, verdict.lines(hint, lang), PurePath(verdict.file).name, lang, narrow=narrow)


def _compared(stage: StageVerdict, file: str, lang: str) -> Compared:
    from ...lab.verdict import axes_of
    from ...lab.wording import say
    from ...render.figure.answers import Compared
    from ...text.escaping import escape

    if stage.numbers is None:
        raise InputError(
            "this answer could not be judged, so there is nothing to draw", hint="see its message"
        )
    given, expected, slack = stage.numbers.given, stage.numbers.expected, stage.numbers.slack
    heads = tuple(say(lang, "axis_head", {"i": i}) for i in range(len(given))) if given.ndim == 3 else ()
    words = {key: say(lang, f"picture_{key}") for key in ("given", "expected", "difference", "hidden")}
    axes = axes_of(stage.stage, lang)
    return Compared(given, expected, slack, say(lang, stage.stage), axes, heads, words, escape(file))
