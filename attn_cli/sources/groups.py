"""The options of each source, in groups: the same names, defaults and meanings on the command line and in Python.

A group that belongs to another source must be left at its defaults: `refuse_others` says so before anything is
loaded.
"""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Sequence  # noqa: TC003 (fields of a dataclass)
from typing import TYPE_CHECKING, Any, Literal, get_args

from ..errors import InputError
from ..registry import nearest

if TYPE_CHECKING:
    from ..records.attention import Kind

Special = Literal["keep", "drop", "renormalise"]
TooLong = Literal["error", "truncate", "chunk"]
Show = Literal["weights", "scores", "norms", "gradients", "zeroing", "alti", "output"]


def one_of(option: str, value: str, known: Sequence[str]) -> None:
    """Raise InputError for a value that is none of the known ones, naming them and the nearest.

    >>> one_of("special", "dorp", ("keep", "drop"))
    Traceback (most recent call last):
    attn_cli.errors.InputError: unknown --special 'dorp'; give keep or drop; did you mean 'drop'?
    """
    if value not in known:
        listed = " or ".join(filter(None, [", ".join(known[:-1]), known[-1]]))
        raise InputError(f"unknown --{option} {value!r}", hint=f"give {listed}{nearest(value, list(known))}")


def whole(group: Any, *options: str, least: int | None = None) -> None:
    """Raise InputError for the first of these options that is given and no whole number, or too small a one.

    >>> whole(Vectors(heads=2), "heads", least=1)
    >>> Vectors(heads="2")
    Traceback (most recent call last):
    attn_cli.errors.InputError: --heads '2'; give a whole number
    """
    for option in options:
        value, name = getattr(group, option), option.replace("_", "-")
        if value is not None and not isinstance(value, numbers.Integral):
            raise InputError(f"--{name} {value!r}", hint="give a whole number")
        if value is not None and least is not None and value < least:
            raise InputError(f"--{name} {value}", hint=f"give at least {least}")


def real(group: Any, *options: str) -> None:
    """Raise InputError for the first of these options that is given and no number."""
    for option in options:
        value = getattr(group, option)
        if value is not None and not isinstance(value, numbers.Real):
            raise InputError(f"--{option.replace('_', '-')} {value!r}", hint="give a number")


@dataclasses.dataclass(frozen=True)
class Text:
    """How a text becomes tokens and vectors where no model reads it."""

    tokenizer: Any = "word"  # a name, a tokenizer.json, or a function from a text to tokens
    embed: Any = "hash"  # a name or a file of word vectors
    dim: int | None = None  # hash has 64, onehot as many as there are tokens

    def __post_init__(self) -> None:
        whole(self, "dim", least=1)


@dataclasses.dataclass(frozen=True)
class Vectors:
    """Vectors that attend to each other; in Python arrays or encodings, on the command line files."""

    query: Any = None
    key: Any = None  # the query's, unless given
    value: Any = None  # the key's, unless given
    context: Any = None  # keys and values of cross-attention
    memory: Any = None  # of an earlier segment, before the keys
    heads: int | None = None
    kv_heads: int | None = None
    project: Any = None  # a name, a file, or a Projection

    def __post_init__(self) -> None:
        whole(self, "heads", "kv_heads", least=1)


@dataclasses.dataclass(frozen=True)
class Positions:
    """Where tokens stand: each kind knows whether it is added to vectors or acts inside the scores."""

    posenc: Any = ()  # names, files, tables or functions


@dataclasses.dataclass(frozen=True)
class Seed:
    """What everything random is made from."""

    seed: int = 0

    def __post_init__(self) -> None:
        whole(self, "seed")


@dataclasses.dataclass(frozen=True)
class Scoring:
    """From vectors to weights: scores, masks, normalisation."""

    score: Any = "scaled_dot"
    scale: float | None = None
    temperature: float = 1.0
    softcap: float | None = None
    mask: Any = ()
    top_k: int | None = None
    normalise: Any = "softmax"

    def __post_init__(self) -> None:
        whole(self, "top_k")
        real(self, "scale", "temperature", "softcap")


@dataclasses.dataclass(frozen=True)
class Model:
    """How a trained model reads a text."""

    kind: str | None = None  # of an encoder–decoder: encoder, decoder or cross; of a recording also self
    target: str | None = None  # what an encoder–decoder writes; None: greedy
    pair: str | None = None
    special: str = "keep"
    too_long: str = "error"
    generate: int | None = None  # how many tokens to go on with
    sample: Any = None  # in which way: a spec or a function; None: the likeliest
    without: Any = ()  # heads whose output is 0: "L5H3", "L5" for a whole layer, or several
    toward: Any = None  # the output that gradients, zeroing and ALTI are of: a token or its position

    def __post_init__(self) -> None:
        kinds: tuple[Kind, ...] = ("encoder", "decoder", "cross", "self")
        if self.kind is not None:
            one_of("kind", self.kind, kinds)
        one_of("special", self.special, get_args(Special))
        one_of("too-long", self.too_long, get_args(TooLong))
        whole(self, "generate", least=1)
        if self.sample is not None and self.generate is None:
            raise InputError("--sample without --generate", hint="give --generate N too")
        if self.generate is not None and self.too_long == "chunk":
            raise InputError(
                "--generate cannot be combined with --too-long chunk", hint="give --too-long truncate"
            )


@dataclasses.dataclass(frozen=True)
class Computing:
    """Where and in which precision is computed."""

    dtype: str | None = None  # the vectors' own, or float32 of a model
    device: str = "cpu"
    threads: int | None = None


@dataclasses.dataclass(frozen=True)
class Tensors:
    """How bare numbers are to be read."""

    weights: Any = None
    tokens: Any = None  # the names of the rows and columns
    key_tokens: Any = None  # those of the columns, where they are others
    axes: str | None = None
    batch: int | None = None  # which example of a batch


@dataclasses.dataclass(frozen=True)
class Recorded:
    """Which attention of a recording is meant."""

    step: int | None = None  # the last
    module: str | None = None  # a path, or a pattern with stars


@dataclasses.dataclass(frozen=True)
class Selection:
    """Which part of an attention is wanted."""

    layer: Any = None
    head: Any = "all"
    query_range: Any = None
    key_range: Any = None
    query_token: Any = None
    words: bool = False
    reduce: Any = None  # all layers and heads made one: a name, or a function from maps to one map


@dataclasses.dataclass(frozen=True)
class Options:
    """All groups together: what a command was given."""

    text: Text = Text()
    vectors: Vectors = Vectors()
    positions: Positions = Positions()
    seed: Seed = Seed()
    scoring: Scoring = Scoring()
    model: Model = Model()
    computing: Computing = Computing()
    tensors: Tensors = Tensors()
    recorded: Recorded = Recorded()
    select: Selection = Selection()


def refuse_others(options: Options, used: Sequence[str], what: str, *, hint: str = "leave it out") -> None:
    """Raise InputError for the first option of a group that does not belong to a source.

    >>> refuse_others(Options(text=Text(dim=3)), ("select",), "saved attention")
    Traceback (most recent call last):
    attn_cli.errors.InputError: --dim does not apply to saved attention; leave it out
    """
    for group in dataclasses.fields(options):
        if group.name not in used:
            for name in given(getattr(options, group.name)):
                raise InputError(f"--{name.replace('_', '-')} does not apply to {what}", hint=hint)


def given(group: Any) -> list[str]:
    """The options of a group that are not at their defaults.

    >>> given(Text(dim=3))
    ['dim']
    """
    return [f.name for f in dataclasses.fields(group) if not _is_default(getattr(group, f.name), f.default)]


def _is_default(value: Any, default: Any) -> bool:
    if value is None or default is None or isinstance(value, bool):
        return value is default
    same_kind = isinstance(value, (str, int, float, tuple, list))
    return same_kind and (value == default or (not value and default in ((), None)))
