"""`import attn_cli as attn`: what the command line does, as typed functions under the same words.

A function takes what its command takes: a text, arrays, records, what another function gave. Options have the
command line's names, defaults and meanings; scores, masks and positional encodings may be names, functions or
arrays. Whatever cannot be right raises `attn.InputError`.
"""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypedDict, TypeVar, Unpack

from . import files
from .errors import InputError, for_python
from .lab.verdict import Verdict
from .records.attention import Attention
from .records.encoding import Encoding, Image, PositionTable, Sound
from .records.explanation import Explanation
from .records.pooled import pooled_by
from .records.recording import Recording
from .records.series import Series
from .records.table import Table
from .sources import comparing, explaining, figures, masks, resolve
from .sources.calls import arguments_of, check_arguments, note_of_files
from .sources.groups import (
    Computing,
    Model,
    Options,
    Positions,
    Recorded,
    Scoring,
    Seed,
    Selection,
    Tensors,
    Text,
    Vectors,
    given,
)
from .sources.text import as_array
from .text.characters import beginning

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import numpy as np
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .attention.recording.seen_calls import Seen
    from .records.attention import Kind, Record
    from .records.worked import Worked
    from .toy.evaluation import Evaluation
    from .toy.settings import Step

    Array = np.ndarray[Any, Any]

Path = str | os.PathLike[str]
Numbers = Any  # an array, a torch tensor, nested lists, or a record
Variant = str | Callable[..., Any]  # the name of a variant with its options, or a function
Several = Variant | Numbers | Sequence[Variant | Numbers]
Choice = int | str | Sequence[int]

_P = ParamSpec("_P")
_R = TypeVar("_R")


def _in_notebook(
    attention: Attention, include: Collection[str] | None = None, exclude: object = None
) -> dict[str, str]:
    """What a record shows of itself in a notebook, by the name that IPython asks for."""
    from .render.notebook import mimebundle
    from .sources.sorting import sorting

    return mimebundle(attention, include, sorting(attention))


Attention._repr_mimebundle_ = _in_notebook  # type: ignore[attr-defined]  # records know nothing of pictures


def _public(function: Callable[_P, _R]) -> Callable[_P, _R]:
    """A function that looks at its arguments first, and speaks Python where something is wrong."""

    @functools.wraps(function)
    def called(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        given = arguments_of(function, args, kwargs)
        with for_python():
            check_arguments(function, given)
            note_of_files(function, given)
            return function(*args, **kwargs)

    return called


@_public
def encode(
    text: str,
    *,
    tokenizer: Variant = "word",
    embed: Variant = "hash",
    dim: int | None = None,
    posenc: Several | None = None,
    seed: int = 0,
) -> Encoding:
    """Turn text into tokens and vectors.

    >>> encode("The cat", embed="onehot").vectors.tolist()
    [[1.0, 0.0], [0.0, 1.0]]
    """
    options = Options(
        text=Text(tokenizer, embed, dim), positions=Positions(_several(posenc)), seed=Seed(seed)
    )
    return resolve.resolve_encoding(text, options)


@_public
def attend(
    data: Numbers,
    key: Numbers | None = None,
    value: Numbers | None = None,
    *,
    context: Numbers | None = None,
    model: Path | LoadedModel | None = None,
    kind: Kind | None = None,
    target: str | None = None,
    pair: str | None = None,
    special: Literal["keep", "drop", "renormalise"] = "keep",
    too_long: Literal["error", "truncate", "chunk"] = "error",
    generate: int | None = None,
    sample: Variant | None = None,
    without: str | Sequence[str] = (),
    tokenizer: Variant = "word",
    embed: Variant = "hash",
    dim: int | None = None,
    heads: int | None = None,
    kv_heads: int | None = None,
    project: str | Mapping[str, Array] | Any | None = None,
    memory: Numbers | None = None,
    posenc: Several | None = None,
    score: Variant = "scaled_dot",
    scale: float | None = None,
    temperature: float = 1.0,
    softcap: float | None = None,
    mask: Several | None = None,
    top_k: int | None = None,
    normalise: Variant = "softmax",
    seed: int = 0,
    dtype: str | None = None,
    device: str = "cpu",
    threads: int | None = None,
    step: int | None = None,
    module: str | None = None,
    layer: Choice | None = None,
    head: Choice = "all",
    query_range: str | None = None,
    key_range: str | None = None,
    query_token: int | str | None = None,
    words: bool = False,
    reduce: Variant | None = None,
    show: Literal["weights", "scores", "norms", "gradients", "zeroing", "alti"] | None = None,
    toward: int | str | None = None,
    pool: Literal["mean", "max"] | None = None,
) -> Attention:
    """Compute attention: weights = softmax(query · keyᵀ / √d_head), output = weights · value.

    `data` is a text, vectors that are query, key and value at once, or, beside `key`, the query; a text, an image
    or a sound may go through a `model`. Of a recording `step`, `kind` and `module` pick. Arrays are [seq_len, d_model]. A long input is streamed, as on the command
    line. Raises InputError for what does not fit together.

    Vaswani et al. 2017, arXiv:1706.03762, eq. 1.

    >>> import numpy as np
    >>> attend(np.eye(2)).weights.round(3).tolist()  # scores [1, 0] / √2
    [[[[0.67, 0.33], [0.33, 0.67]]]]
    >>> attend(np.eye(2), mask="causal").weights[0, 0, 0].tolist()
    [1.0, 0.0]
    """
    apart = key is not None or value is not None
    options = Options(
        Text(tokenizer, embed, dim),
        Vectors(data if apart else None, key, value, context, memory, heads, kv_heads, project),
        Positions(_several(posenc)),
        Seed(seed),
        Scoring(score, scale, temperature, softcap, _several(mask), top_k, normalise),
        Model(kind, target, pair, special, too_long, generate, sample, without, toward),
        Computing(dtype, device, threads),
        recorded=Recorded(step, module),
        select=Selection(layer, head, query_range, key_range, query_token, words, reduce),
    )
    through = model.model if isinstance(model, LoadedModel) else model
    found = resolve.resolve(None if apart else data, options, model=through, show=show)
    return resolve.shown(found, show, pool)


class Reading(TypedDict, total=False):
    """The options of `attend` for what a model reads."""

    kind: Kind | None
    target: str | None
    pair: str | None
    special: Literal["keep", "drop", "renormalise"]
    too_long: Literal["error", "truncate", "chunk"]
    generate: int | None
    sample: Variant | None
    without: str | Sequence[str]
    mask: Several | None
    dtype: str | None
    device: str
    layer: Choice | None
    head: Choice
    query_range: str | None
    key_range: str | None
    query_token: int | str | None
    words: bool
    reduce: Variant | None
    show: Literal["weights", "scores", "norms", "gradients", "zeroing", "alti"] | None
    toward: int | str | None
    pool: Literal["mean", "max"] | None


class LoadedModel:
    """A trained model, ready to attend: call it with a text, an image or a sound."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def __repr__(self) -> str:
        return f"LoadedModel({self.model.provenance})"

    def __call__(self, data: str | Image | Sound, **options: Unpack[Reading]) -> Attention:
        """What the model attends to; options are those of `attend`."""
        return attend(data, model=self, **options)


class Trained(LoadedModel):
    """A model that `train` has trained: what it reached, and its losses step by step."""

    def __init__(self, model: Any, reached: Evaluation, history: Sequence[Step]) -> None:
        super().__init__(model)
        self.reached, self.history = reached, tuple(history)


@_public
def load(model: Path) -> LoadedModel:
    """Load a trained model: `mini`, a run of train-toy, or a Hugging Face directory.

    Nothing in a directory is executed. Raises InputError when it is no model.

    >>> load("mini")("The cat sat.", layer=-1).layers
    (2,)
    """
    from . import models

    return LoadedModel(models.load(os.fspath(model)))


@_public
def train(
    task: str,
    *,
    data: Path | None = None,
    encoding: str | None = None,
    path: Path | None = None,
    name: str | None = None,
    layers: int | None = None,
    heads: int | None = None,
    dim: int | None = None,
    dropout: float | None = None,
    steps: int | None = None,
    batch: int | None = None,
    lr: float | None = None,
    schedule: str = "cosine",
    label_smoothing: float = 0.0,
    accumulate: int = 1,
    average: float = 0.0,
    patience: int | None = None,
    evaluate_every: int = 50,
    seed: int = 0,
    device: str = "cpu",
    dtype: Literal["float32", "bfloat16"] = "float32",
    compile: bool = False,  # noqa: A002 (the command line's word)
    threads: int | None = None,
    half: bool = False,
    on_step: Callable[[Step], None] | None = None,
) -> Trained:
    """Train a small Transformer on a toy task or your own data; what is not given, the task sets.

    `on_step` is called after each step with its number and loss, and what was measured. With `path` the model is
    saved into a new directory, from which `load` reads it, with `half` as float16. `.reached` says how much of the
    held-out examples is right and where each head looks, `.history` how the loss went.

    >>> model = train("reverse:longest=3", steps=2, dim=8, heads=2, layers=1)
    >>> len(model.history), model("1 2").query_tokens
    (2, ('1', '2'))
    """
    from .sources import training

    learner = training.Learner(layers, heads, dim, dropout)
    schooling = training.Schooling(
        steps,
        batch,
        lr,
        schedule,
        label_smoothing,
        accumulate,
        average,
        patience,
        False,
        evaluate_every,
        seed,
    )
    computer = training.Computer(device, dtype, compile, threads)
    own = None if data is None else os.fspath(data)
    trained = training.learn(
        task, own, encoding, learner, schooling, computer, name=name, path=path, half=half, on_step=on_step
    )
    return Trained(*trained)


@_public
def posenc(
    kind: Variant = "sinusoidal",
    *,
    len: int | None = None,  # noqa: A002 (the command line's word)
    dim: int | None = None,
    model: Path | None = None,
    view: str = "heatmap",
) -> PositionTable | Series:
    """Tabulate a positional encoding: PE(pos, 2i) = sin(pos / 10000^(2i/d)), PE(pos, 2i+1) = cos of the same.

    >>> posenc(len=2, dim=2).values.round(4).tolist()
    [[0.0, 1.0], [0.8415, 0.5403]]
    """
    from .sources.positions import tabulated

    return tabulated(kind, len, dim, None if model is None else os.fspath(model), view)


@_public
def mask(
    spec: Several,
    data: Numbers | None = None,
    *,
    len: int | None = None,  # noqa: A002 (the command line's word)
    seed: int = 0,
) -> Attention:
    """Draw a mask by itself: weight 1 where a query may attend, 0 elsewhere.

    >>> mask("causal", len=2).weights[0, 0].tolist()
    [[1.0, 0.0], [1.0, 1.0]]
    """
    return masks.drawn(data, Options(scoring=Scoring(mask=_several(spec)), seed=Seed(seed)), len)


@_public
def steps(
    attention: Attention, *, cell: tuple[int, ...] | None = None, lang: str = "en"
) -> tuple[Worked, ...]:
    """Show every step of a small attention: scores, weights, output, and one cell worked out by hand.

    >>> import numpy as np
    >>> [step.name for step in steps(attend(np.eye(2)))[0].steps][-2:]
    ['weights', 'output']
    """
    from .lab.steps import work_out

    return work_out(attention, cell=cell, language=lang)


@_public
def record(
    *,
    layers: int | Sequence[int] | None = None,
    heads: int | Sequence[int] | None = None,
    steps: int | range | slice | None = None,
    every: int = 1,
    keep: Literal["maps", "vectors", "rows", "figures"] = "maps",
    example: int = 0,
    most_bytes: int = 2**30,
    name: str = "",
) -> AbstractContextManager[Seen]:
    """Record the attention of whatever PyTorch computes meanwhile: `with attn.record() as seen: model(x)`.

    Seen are fused attention, nn.MultiheadAttention and what is made of it, FlexAttention, and attention written
    by hand, also under torch.compile, which runs uncompiled. Weights are those before dropout, of one `example` of
    each batch. A step is a call of the model, or a text that is written token by token; of many steps those are
    kept that `steps` and `every` choose, and ever fewer, spread evenly, when they take more than `most_bytes`.
    `keep` is "maps" (all weights, or pooled maps where they are many), "vectors" (scores, query, key and value
    too), "rows" (figures of rows and keys beside a coarse map) or "figures" (a few for each head). `seen` lists
    what was computed where, and `seen.attention(tokens)` is an `Attention`. The program computes the same numbers
    as without it.

    >>> import torch
    >>> mha, x = torch.nn.MultiheadAttention(8, num_heads=2), torch.zeros(3, 1, 8)
    >>> with record() as seen:
    ...     output, _ = mha(x, x, x)
    >>> seen.attention("abc")
    Attention([1 layer, 2 heads, 3 queries, 3 keys], self, 'recorded: MultiheadAttention, step 0')
    """
    from .attention.recorder import record as recorded

    return recorded(
        layers=layers,
        heads=heads,
        steps=steps,
        every=every,
        keep=keep,
        example=example,
        most_bytes=most_bytes,
        name=name,
    )


@_public
def label(tokens: Sequence[str]) -> None:
    """Say, from inside a program, what the tokens are that it attends to; without a recording nothing happens.

    Queries and keys are called so where there are as many of them.

    >>> label(["The", "cat"])
    """
    recorder = sys.modules.get(
        f"{__package__}.attention.recorder"
    )  # where nothing records, torch is not loaded
    if recorder is not None:
        recorder.label(tokens)


@_public
def check(
    answer: Numbers | Mapping[str, Numbers] | Path,
    against: Attention | Path | None = None,
    *,
    query: Numbers | None = None,
    key: Numbers | None = None,
    value: Numbers | None = None,
    text: str | None = None,
    tokenizer: Variant = "word",
    embed: Variant = "hash",
    dim: int | None = None,
    context: Numbers | None = None,
    memory: Numbers | None = None,
    heads: int | None = None,
    kv_heads: int | None = None,
    project: str | Mapping[str, Array] | Any | None = None,
    posenc: Several | None = None,
    score: Variant = "scaled_dot",
    scale: float | None = None,
    temperature: float = 1.0,
    softcap: float | None = None,
    mask: Several | None = None,
    top_k: int | None = None,
    normalise: Variant = "softmax",
    seed: int = 0,
    layer: int | None = None,
    len: int | None = None,  # noqa: A002 (the command line's word)
    what: str | None = None,
    tolerance: float | None = None,
    points: float | Mapping[str, float] = 1.0,
) -> Verdict:
    """Judge numbers that someone worked out, and name every mistake that explains them.

    `answer` is an array, several by the names of their stages, or a file. The truth is a saved attention or what
    `attend` computes from the same options; without vectors, of `mask` or `posenc` alone. `.right`, `.score`
    and `.mistakes` say what it is; `.require()` raises AssertionError with one line unless it is right.

    >>> verdict = check([[0.73, 0.27], [0.02, 0.98]], query=[[1.0, 0.0], [0.0, 2.0]])
    >>> verdict.right, verdict.mistakes
    (False, 'no_scale|scale_n_heads')
    """
    from .sources.checking import Judges

    options = Options(
        Text(tokenizer, embed, dim if text is not None else None),
        Vectors(query, key, value, context, memory, heads, kv_heads, project),
        Positions(_several(posenc)),
        Seed(seed),
        Scoring(score, scale, temperature, softcap, _several(mask), top_k, normalise),
        select=Selection(layer),
    )
    given = _answer(answer)
    judges = Judges(options, text, against, (len, dim if text is None else None))
    judges.check(what)
    return judges.of(given)(given, what=what, tolerance=tolerance, points=points)


def _answer(given: Any) -> Any:
    if isinstance(given, (str, os.PathLike)):
        return files.read_answer(os.fspath(given))
    if isinstance(given, (Attention, Encoding, PositionTable)):
        return files.numbers_of(given)
    if isinstance(given, Mapping):
        return {name: as_array(array) for name, array in given.items()}
    return as_array(given)


@_public
def stats(
    data: Any = None,
    *,
    model: Path | LoadedModel | None = None,
    kind: Kind | None = None,
    target: str | None = None,
    special: Literal["keep", "drop", "renormalise"] = "keep",
    too_long: Literal["error", "truncate", "chunk"] = "error",
    without: str | Sequence[str] = (),
    mask: Several | None = None,
    dtype: str | None = None,
    device: str = "cpu",
    layer: Choice | None = None,
    head: Choice = "all",
    words: bool = False,
    reduce: Variant | None = None,
    show: Literal["weights", "norms"] | None = None,
    by: Literal["layer", "head", "query", "key"] | None = None,
    column: str | Sequence[str] = (),
    roles: bool = False,
    similar: bool = False,
    clusters: int | None = None,
) -> Table:
    """Say what each head does, in figures: entropy, distance, previous token, induction, sink, and its role.

    `data` is an attention, a text, or a list of texts: then each figure is their mean, with its standard error in
    a second column. A text goes through the trained model mini unless told. `column` names the figures that are
    wanted. With `similar`, which heads do the same, in `clusters` groups; with `roles`, which needs no data, the
    thresholds of roles.

    >>> stats(attend([[1.0, 0.0], [0.0, 1.0]], mask="causal"), by="layer")["first"].round(3).tolist()
    [0.665]
    """
    options = Options(
        scoring=Scoring(mask=_several(mask)),
        model=Model(kind, target, None, special, too_long, without=without),
        computing=Computing(dtype, device),
        select=Selection(layer, head, words=words, reduce=reduce),
    )
    through = model.model if isinstance(model, LoadedModel) else model
    return figures.table(
        data, figures.Wanted(show, by, column, roles, similar, clusters), options, model=through
    )


@_public
def diff(
    first: Any,
    second: Any,
    *,
    model: Path | LoadedModel | None = None,
    match: bool = False,
    query: Numbers | None = None,
    key: Numbers | None = None,
    value: Numbers | None = None,
    heads: int | None = None,
) -> Table:
    """Compare two attentions: largest and mean difference of each head and where, divergence, correlation.

    Both are attentions, bare weights, or texts, which go through the trained model mini unless told. With `match`
    the heads of each layer may be permuted. With `query`, `key` and `value` both are outputs, and the row is the
    step at which they part; there is none where they agree.

    >>> diff([[1.0, 0.0]], [[0.75, 0.25]])["max"].tolist()
    [0.25]
    """
    if given(vectors := Vectors(query, key, value, heads=heads)):
        return comparing.part(vectors, first, second)
    through = model.model if isinstance(model, LoadedModel) else model
    both = (
        comparing.attention_of(one, Options(), model=through if isinstance(one, str) else None)
        for one in (first, second)
    )
    return comparing.compare(*both, match=match).table


@_public
def explain(
    text: str,
    *,
    model: Path | LoadedModel | None = None,
    toward: int | str | None = None,
    method: str | Sequence[str] | None = None,
    ablate: bool = False,
    target: str | None = None,
    pair: str | None = None,
    too_long: Literal["error", "truncate"] = "error",
    without: str | Sequence[str] = (),
    seed: int = 0,
    dtype: str | None = None,
    device: str = "cpu",
) -> Explanation | Table:
    """Say which tokens an output of a model rests on, by several methods, each tested beside chance.

    The output is the model's own answer, or what `toward` names: a token or a position. With `ablate`, how much it
    depends on each head: a table of layers and heads. Jain & Wallace 2019, arXiv:1902.10186; Wiegreffe & Pinter
    2019, arXiv:1908.04626: attention is not by itself an explanation.

    >>> explain("My father is free.", target="我父亲有空。", toward="父", method="rollout").methods["rollout"].shape
    (5,)
    """
    options = Options(
        seed=Seed(seed),
        model=Model(None, target, pair, "keep", too_long, without=without, toward=toward),
        computing=Computing(dtype, device),
    )
    through = model.model if isinstance(model, LoadedModel) else model
    if ablate:
        return explaining.ablate(text, options, model=through)
    methods = [method] if isinstance(method, str) else method
    return explaining.explain(text, options, model=through, methods=methods)


@_public
def read(path: Path, *, encoding: str | None = None) -> Any:
    """Read whatever a file holds: a record, a recording, an array, arrays by name, an image, a sound or a text.

    Raises InputError for what cannot be read; pickles are never run.
    """
    return files.read(os.fspath(path), encoding=encoding)


@_public
def save(
    record: Record | Table | Series | Explanation,
    path: Path,
    *,
    format: str | None = None,  # noqa: A002 (the command line's word)
    digits: int | None = None,
) -> None:
    """Write a record to a file, its suffix choosing the format: .tsv .csv .json .npz .safetensors .npy .md .tex.

    Numbers have all their digits, in .md and .tex four; `digits` sets it, 0 for all. Raises InputError for an unknown format, or when the file cannot be written.
    """
    writers = files.writers_of(record)
    name = files.format_of(os.fspath(path), format, formats=writers)
    files.write(os.fspath(path), files.with_digits(writers[name], digits, name)(record))


@_public
def heatmap(
    data: Any,
    path: Path | None = None,
    *,
    view: str | None = None,
    ax: Axes | None = None,
    tokens: Sequence[str] | None = None,
    key_tokens: Sequence[str] | None = None,
    axes: str | None = None,
    batch: int | None = None,
    query_token: int | str | None = None,
    title: str = "",
    cmap: str | None = None,
    color_scale: str = "shared",
    size: tuple[float, float] | str | None = None,
    dpi: int | None = None,
    style: str = "paper",
    font: Path | None = None,
    font_size: float | None = None,
    columns: int | None = None,
    text_as: Literal["text", "outlines"] = "text",
    no: Sequence[str] = (),
    pool: Literal["mean", "max"] | None = None,
) -> Figure:
    """Draw attention as a matplotlib figure with token labels, one panel per head.

    `data` is what `attend`, `posenc`, `stats`, `diff` or `explain` gave, bare weights [query, key], or a text, which
    goes through the trained model mini. `tokens` and `key_tokens` name the rows and columns of bare weights, `axes`
    and `batch` say which numbers are meant. With `path` the picture is written too; with `ax` it is drawn into your own axes. Where weights
    share a cell, `pool` shows their mean or the largest.

    >>> figure = heatmap([[1.0, 0.0], [0.5, 0.5]], tokens=("a", "b"))
    """
    from .render import FIGURES
    from .render.figure import figure
    from .render.look import Look, parse_no, size_of

    look = Look(
        title=title,
        cmap=cmap,
        color_scale=color_scale,
        size=None if size is None else size_of(size),
        dpi=dpi,
        style=style,
        view=view,
        query_token=None if query_token is None else str(query_token),
        font=None if font is None else os.fspath(font),
        font_size=font_size,
        columns=columns,
        text_as=text_as,
        no=parse_no(no) if isinstance(no, str) else tuple(no),
        pool=pool,
    )
    bare = Tensors(data, tokens, key_tokens, axes, batch)
    drawable = (PositionTable, Series, Table, Explanation)
    given = data if isinstance(data, drawable) else pooled_by(_attention(bare), pool)
    drawn = figure.draw(given, look, ax)
    if path is not None:
        name = files.format_of(os.fspath(path), formats=(), pictures=FIGURES)
        files.write(os.fspath(path), [figure.save(drawn, name)])
    return drawn


@_public
def page(
    data: Any,
    path: Path | None = None,
    *,
    title: str = "",
    live: bool = False,
    lang: str = "en",
    pool: Literal["mean", "max"] | None = None,
    vectors: bool = True,
    of: Attention | None = None,
) -> bytes:
    """Make one HTML page to explore all heads; it needs no network. With `path` it is written too.

    Tables and explanations, as `stats`, `diff` and `explain` give them, become tables that sort, and rows of `stats`
    open the maps of the attention that it is `of`. A list of texts or of attentions becomes one page, with a picker.
    With `live`, `data` is a model, loaded or by its name, which the page runs on whatever is typed into it. `lang` is
    the language of the page, en or zh. Where weights share a cell it has their mean and the largest, and shows `pool`
    of them first. A recording of several steps has a slider over them. Where a record holds queries
    and keys, the page shows how they give the weights, unless `vectors` is False.
    """
    from .render.page.explained import explained_page
    from .render.page.page import most_steps
    from .render.page.page import page as made
    from .render.page.several import pages
    from .render.page.table import opening_page, table_page
    from .sources.filming import filmed
    from .sources.live import live_page
    from .sources.sorting import sorting, sorting_over

    if of is not None and not isinstance(data, Table):
        raise InputError("of applies only to a table of stats", hint="leave it out")
    if isinstance(data, (list, tuple)) and data and all(isinstance(one, (str, Attention)) for one in data):
        if live:
            raise InputError("--live takes a model, not several texts", hint="give 'mini' or what load gave")
        document = pages(
            _named(data), len(data), title=title, lang=lang, pool=pool, figures_of=sorting, vectors=vectors
        )
    elif isinstance(data, (Table, Explanation)):
        if isinstance(data, Table) and of is not None:
            document = opening_page(data, of, title=title, lang=lang)
        elif isinstance(data, Table):
            document = table_page(data, title=title, lang=lang)
        else:
            document = explained_page(data, title=title, lang=lang)
    elif live:
        document = live_page(data.model if isinstance(data, LoadedModel) else data, title=title, lang=lang)
    elif isinstance(data, Recording) and len(data.steps) > 1:
        steps = filmed(data, Options(), most_steps)
        figures, (_, last) = sorting_over(steps), steps[-1]
        document = made(last, title=title, lang=lang, pool=pool, figures=figures, steps=steps)
    else:
        attention = _attention(Tensors(data))
        document = made(
            attention, title=title, lang=lang, pool=pool, figures=sorting(attention), vectors=vectors
        )
    if path is not None:
        files.write(os.fspath(path), [document])
    return document


def _named(several: Sequence[str | Attention]) -> Iterator[tuple[str, Attention]]:
    """Each with what a reader chooses it by: the text itself, or else its number."""
    mini = load("mini").model if any(isinstance(one, str) for one in several) else None
    for number, one in enumerate(several, 1):
        if isinstance(one, str):
            yield beginning(one), resolve.resolve(one, Options(), model=mini)
        else:
            yield f"{number}", one


def _attention(given: Tensors) -> Attention:
    """What is shown of anything: it is read as bare weights, by their options, where it is nothing better known."""
    data = given.weights
    if isinstance(data, Attention):
        return data
    if isinstance(data, Recording):
        return data.pick()
    if isinstance(data, (str, Encoding, Image, Sound)):
        return resolve.resolve(data, Options(), default_model="mini")
    return resolve.resolve(None, Options(tensors=given))


def _several(given: Any) -> Any:
    """One, several, or none, as a group holds them."""
    if given is None:
        return ()
    return tuple(given) if isinstance(given, (list, tuple)) else (given,)


__all__ = [
    "Attention", "Encoding", "Explanation", "Image", "InputError", "LoadedModel", "PositionTable", "Recording", "Series", "Sound", "Table",
    "Trained", "Verdict", "attend", "check", "diff", "encode", "explain", "heatmap", "label", "load", "mask", "page", "posenc", "read",
    "record", "save", "stats", "steps", "train",
]  # fmt: skip
