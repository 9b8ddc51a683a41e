"""Options that several commands share, each declared once: same name, default and meaning everywhere.

A group is a frozen dataclass. A command takes the group as one parameter, and `command` spreads its fields
over the command line.
"""

from __future__ import annotations

import dataclasses
import functools
import importlib
import inspect
import sys
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, get_type_hints

import typer

from ...errors import InputError
from .environment import environment

if TYPE_CHECKING:
    from collections.abc import Callable


class ReaderLeft(Exception):  # noqa: N818 (nothing went wrong)
    """Whoever read our standard output has seen enough (`attn … | head -1`)."""


def lists(module: str, registry: str, *, but: str | None = None) -> Callable[[Any], Any]:
    """An option callback: the value `help` prints what a registry knows, a line each, and ends the command.

    Of the entries that another registry, `but`, has too, nothing is said.
    """

    def show(value: Any) -> Any:
        if value == "help" or (isinstance(value, list) and "help" in value):
            found = importlib.import_module(f"attn_cli.{module}")
            others = getattr(found, but) if but else ()
            rows = [row for row in getattr(found, registry).lines() if row[0].partition(":")[0] not in others]
            width = max(len(spec) for spec, _ in rows)
            print("\n".join(f"{spec:{width}}  {line}" for spec, line in rows))
            raise typer.Exit
        return value

    return show


@dataclasses.dataclass(frozen=True)
class Common:
    """What every command understands."""

    TITLE: ClassVar = "Always"
    color: Annotated[
        str, typer.Option(metavar="auto|always|never", help="Colour on the terminal; NO_COLOR works too.")
    ] = "auto"
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing on stderr but errors.")] = False
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False


@dataclasses.dataclass(frozen=True)
class Text:
    """Where text comes from and how it becomes vectors."""

    TITLE: ClassVar = "Text to vectors"
    input: Annotated[str | None, typer.Argument(metavar="INPUT", help="A file, or - for standard input.")] = (
        None
    )
    text: Annotated[str | None, typer.Option(metavar="TEXT", help="The text itself, instead of a file.")] = (
        None
    )
    encoding: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Character encoding of text files (UTF-8, else guessed and said)."),
    ] = None
    tokenizer: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE",
            callback=lists("text.tokenizers", "TOKENIZERS"),
            help="word, char, whitespace, or a tokenizer.json.",
        ),
    ] = "word"
    embed: Annotated[
        str,
        typer.Option(
            metavar="NAME|FILE",
            callback=lists("variants.embeddings", "EMBEDDINGS"),
            help="hash, onehot, or a file of word vectors.",
        ),
    ] = "hash"
    dim: Annotated[
        int | None,
        typer.Option(
            metavar="N", min=1, max=2**20, help="Width of hash (64) or onehot (as needed) embeddings."
        ),
    ] = None
    posenc: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC|FILE",
            callback=lists("variants.posenc", "POSENCS", but="POSITIONS"),
            help="Positions to add: none, sinusoidal, or a file; 'help' lists them.",
        ),
    ] = None
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of everything random.")] = 0


@dataclasses.dataclass(frozen=True)
class Model(Text):
    """What attends to a text, and how it reads it."""

    TITLE: ClassVar = "Models"
    model: Annotated[
        str | None,
        typer.Option(metavar="mini|none|untrained|DIR", help="What attends to a text; see attn models."),
    ] = None
    pair: Annotated[
        str | None, typer.Option(metavar="TEXT", help="A second text, for models that read pairs.")
    ] = None
    kind: Annotated[
        str | None,
        typer.Option(
            metavar="encoder|decoder|cross", help="Which attention of an encoder–decoder (its encoder's)."
        ),
    ] = None
    target: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|TEXT", help="What an encoder–decoder is to write (what it writes by itself)."
        ),
    ] = None
    no_special: Annotated[
        bool, typer.Option("--no-special", help="Hide tokens that the model's tokenizer adds.")
    ] = False
    renormalise: Annotated[
        bool, typer.Option("--renormalise", help="After --no-special, make rows sum to 1 again.")
    ] = False
    truncate: Annotated[
        bool, typer.Option("--truncate", help="Of a text too long for the model, read the beginning.")
    ] = False
    chunk: Annotated[bool, typer.Option("--chunk", help="Read it in pieces that do not see each other.")] = (
        False
    )


@dataclasses.dataclass(frozen=True)
class Selection:
    """Which part of an attention is wanted."""

    TITLE: ClassVar = "Which attention"
    layer: Annotated[
        str | None,
        typer.Option(
            metavar="N,…|last|all|mean",
            help="Layers, counted from 0 (all; of an image the last); a model runs no further.",
        ),
    ] = None
    head: Annotated[
        str,
        typer.Option(metavar="N,…|all|mean|max", help="Heads, counted from 0, or what they have in common."),
    ] = "all"
    query_range: Annotated[
        str | None,
        typer.Option(metavar="FROM:TO", help="Only these queries, counted from 0, TO not included."),
    ] = None
    patch: Annotated[
        str | None,
        typer.Option(metavar="ROW,COLUMN", help="Of an image: what this patch attends to, not the whole."),
    ] = None
    key_range: Annotated[str | None, typer.Option(metavar="FROM:TO", help="Only these keys.")] = None
    words: Annotated[
        bool,
        typer.Option("--words", help="Merge pieces to words: sums over keys, means over queries."),
    ] = False


@dataclasses.dataclass(frozen=True)
class Source(Selection, Model):
    """Where attention comes from: text, vectors, weights or a model."""

    TITLE: ClassVar = "Vectors to attention"
    query: Annotated[str | None, typer.Option(metavar="FILE", help="Query vectors, a row each.")] = None
    key: Annotated[str | None, typer.Option(metavar="FILE", help="Key vectors (else the query's).")] = None
    value: Annotated[str | None, typer.Option(metavar="FILE", help="Value vectors (else the key's).")] = None
    context: Annotated[
        str | None, typer.Option(metavar="FILE", help="Cross-attention: keys and values from here.")
    ] = None
    weights: Annotated[
        str | None, typer.Option(metavar="FILE", help="A bare matrix of weights, rows are queries.")
    ] = None
    heads: Annotated[int | None, typer.Option(metavar="N", min=1, help="Number of heads (1).")] = None
    kv_heads: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Heads of key and value, which the heads share (--heads)."),
    ] = None
    project: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC|FILE",
            callback=lists("variants.projections", "PROJECTIONS"),
            help="Projections: identity (the default), random, or a file with W_q W_k W_v W_o.",
        ),
    ] = None
    score: Annotated[
        str,
        typer.Option(
            metavar="SPEC", callback=lists("variants.scores", "SCORES"), help="Score; 'help' lists them."
        ),
    ] = "scaled_dot"
    position: Annotated[
        str | None,
        typer.Option(
            metavar="SPEC",
            callback=lists("variants.posenc", "POSITIONS"),
            help="Positions inside the scores, as rope or alibi; 'help' lists them.",
        ),
    ] = None
    scale: Annotated[
        float | None,
        typer.Option(metavar="X", help="Factor of the scores, in the place of 1/√d_head."),
    ] = None
    temperature: Annotated[float, typer.Option(metavar="X", help="Divides the scores.")] = 1.0
    softcap: Annotated[
        float | None, typer.Option(metavar="X", help="Bend the scores into ±X: X·tanh(score / X).")
    ] = None
    mask: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPEC|FILE",
            callback=lists("variants.masks", "MASKS"),
            help="Mask; repeat to combine with AND, join with | for OR; 'help' lists them.",
        ),
    ] = None
    top_k: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Only the N highest scores of a query count.")
    ] = None
    normalise: Annotated[
        str,
        typer.Option(
            metavar="SPEC",
            callback=lists("variants.normalisation", "NORMALISATIONS"),
            help="From scores to weights; 'help' lists the ways.",
        ),
    ] = "softmax"
    memory: Annotated[
        str | None, typer.Option(metavar="FILE", help="Vectors of an earlier segment, before the keys.")
    ] = None
    dtype: Annotated[
        str | None,
        typer.Option(metavar="float64|float32|bfloat16|float16", help="Precision (the vectors' own)."),
    ] = None
    device: Annotated[str, typer.Option(metavar="cpu|cuda|mps|auto", help="Where to compute.")] = "cpu"
    threads: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=1024, help="Threads of the processor (all).")
    ] = None


@dataclasses.dataclass(frozen=True)
class Drawing:
    """What a figure looks like."""

    TITLE: ClassVar = "Look of the picture"
    view: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            callback=lists("render.figure.views", "VIEWS"),
            help="map, lines, tokens, grid or image (default: map); 'help' lists them.",
        ),
    ] = None
    query_token: Annotated[
        str | None,
        typer.Option(metavar="N|TOKEN", help="Shade the text, or the image, by the attention of this query."),
    ] = None
    title: Annotated[str, typer.Option(metavar="TEXT", help="Heading of the picture or page.")] = ""
    cmap: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            callback=lists("render.look", "CMAPS"),
            help="Colour map: paper, ember, viridis, … (default: paper, or night on dark); 'help' lists them.",
        ),
    ] = None
    color_scale: Annotated[
        str,
        typer.Option(
            metavar="shared|panel|log",
            callback=lists("render.look", "COLOUR_SCALES"),
            help="One colour scale for all panels, one each, or logarithmic (default: shared).",
        ),
    ] = "shared"
    size: Annotated[
        str | None,
        typer.Option(metavar="WxH", help="Width and height in inches (default: fit the content)."),
    ] = None
    font_size: Annotated[
        float | None,
        typer.Option(metavar="PT", help="Size of letters in points (default: 8; slides 16)."),
    ] = None
    columns: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Panels side by side (default: as fit the size)."),
    ] = None
    dpi: Annotated[
        int | None,
        typer.Option(metavar="N", min=36, max=1200, help="Pixels per inch (default: 216; slides 144)."),
    ] = None
    style: Annotated[
        str,
        typer.Option(
            metavar="paper|slide|dark",
            callback=lists("render.look", "STYLES"),
            help="For print, for 16:9 slides, or on a dark ground (default: paper).",
        ),
    ] = "paper"
    font: Annotated[
        str | None,
        typer.Option(
            metavar="NAME|FILE", help="Preferred font; missing characters fall back to other fonts."
        ),
    ] = None
    text_as: Annotated[
        str,
        typer.Option(
            metavar="text|outlines",
            callback=lists("render.look", "TEXTS"),
            help="Write the letters of an SVG as text or as outlines (default: text).",
        ),
    ] = "text"
    no: Annotated[
        str | None,
        typer.Option(
            metavar="PART,…",
            callback=lists("render.look", "PARTS"),
            help="Leave out title, provenance, colorbar or numbers; 'help' lists them.",
        ),
    ] = None


@dataclasses.dataclass(frozen=True)
class Output:
    """Where results go."""

    TITLE: ClassVar = "Output"
    output: Annotated[
        str | None,
        typer.Option("--output", "-o", metavar="PATH", help="Write to a file; its suffix names the format."),
    ] = None
    format: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="tsv csv tidy json npz safetensors npy md tex, or a picture: png svg pdf html.",
        ),
    ] = None


def command(function: Callable[..., None]) -> Callable[..., None]:
    """Spread a function's option groups over its signature, for Typer, and add the common options."""
    groups: dict[str, Any] = {}
    parameters = [inspect.Parameter("ctx", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
    for parameter in inspect.signature(function, eval_str=True).parameters.values():
        if dataclasses.is_dataclass(parameter.annotation):
            groups[parameter.name] = parameter.annotation
            parameters += _fields(parameter.annotation)
        else:
            parameters.append(parameter.replace(kind=parameter.KEYWORD_ONLY))

    @functools.wraps(function)
    def run(ctx: typer.Context, **given: Any) -> None:
        environment.help = ctx.get_help
        _refuse_nothing(ctx, given)
        _surround(**{f.name: given.pop(f.name) for f in dataclasses.fields(Common)})
        for name, group in groups.items():
            given[name] = group(**{f.name: given.pop(f.name) for f in dataclasses.fields(group)})
        try:
            function(**given)
            sys.stdout.flush()
        except BrokenPipeError:  # Typer would make this an error
            raise ReaderLeft from None

    run.__signature__ = inspect.Signature([*parameters, *_fields(Common)])  # type: ignore[attr-defined]
    run.__annotations__ = {}
    del run.__wrapped__
    return run


def _fields(group: Any) -> list[inspect.Parameter]:
    """A group's options as parameters, each told under which title of the help it belongs."""
    hints = get_type_hints(group, include_extras=True)
    parameters = []
    for f in dataclasses.fields(group):
        title = next(
            c.TITLE for c in reversed(group.__mro__) if f.name in getattr(c, "__dataclass_fields__", ())
        )
        annotation = hints[f.name]
        for option in annotation.__metadata__:
            option.rich_help_panel = title
        parameters.append(
            inspect.Parameter(
                f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=annotation
            )
        )
    return parameters


def _refuse_nothing(ctx: typer.Context, given: dict[str, Any]) -> None:
    """An empty text is seldom meant, as a shell makes one of a variable that is not set: say so."""
    for parameter in ctx.command.params:
        value = given.get(parameter.name or "")
        if (value == "" or (isinstance(value, list) and "" in value)) and parameter.name not in _MAY_BE_EMPTY:
            name = parameter.opts[0] if parameter.param_type_name == "option" else parameter.metavar
            raise InputError(f"{name} ''", hint="give a value, or leave it out")


_MAY_BE_EMPTY = ("text", "pair", "target", "title")


def _surround(color: str, quiet: bool, debug: bool) -> None:
    """Common options count wherever they stand: before the command, after it, or both."""
    if color not in ("auto", "always", "never"):
        raise typer.BadParameter(f"--color {color!r}; give auto, always or never")
    if color != "auto":
        environment.color = color
    environment.quiet |= quiet
    environment.debug |= debug
