"""What the command line says of the options of `sources/groups.py`: metavar, help, what a value may be.

Names, defaults and meanings are the groups'; here each option is described once, for all commands.
"""

from __future__ import annotations

import dataclasses
import inspect
from typing import Annotated, Any

import typer

from ...sources import groups
from .choices import Choices, Listed, Registered, completion, explain


@dataclasses.dataclass(frozen=True)
class Said:
    """How an option is typed and what its help says; `rare` ones are listed by --help-all alone."""

    kind: Any
    metavar: str
    help: str
    choices: Choices | None = None
    rare: bool = False
    min: int | None = None
    max: int | None = None


@dataclasses.dataclass(frozen=True)
class Input:
    """What is read: a file, standard input, or a text that is typed."""

    input: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    encoding: str | None = None
    lines: bool = False


@dataclasses.dataclass(frozen=True)
class Through:
    """Which model reads a text."""

    model: str | None = None


TITLES: dict[type, str] = {
    Input: "Input",
    Through: "Models",
    groups.Text: "Text to vectors, without a model",
    groups.Vectors: "Vectors",
    groups.Positions: "From vectors to weights",
    groups.Seed: "Computing",
    groups.Scoring: "From vectors to weights",
    groups.Model: "Models",
    groups.Computing: "Computing",
    groups.Tensors: "Bare arrays",
    groups.Recorded: "Selection",
    groups.Selection: "Selection",
}

DESCRIBED: dict[type, dict[str, Said]] = {}  # groups whose options mean other things than in `OPTIONS`


def describe(group: type, title: str, options: dict[str, Said]) -> None:
    """Say what the options of one command's own group are."""
    TITLES[group], DESCRIBED[group] = title, options


MODELS = Listed(
    {
        "mini": "The bundled trained model; it translates between English and Chinese.",
        "none": "No model: vectors from the text (--tokenizer, --embed, --dim), used as they are.",
        "untrained": "No model: hash embeddings, sinusoidal positions, 4 heads of random projections.",
        "DIR": "A run of train-toy, or a Hugging Face directory; `attn models` lists the families.",
    }
)
TOO_LONG = Listed(
    {
        "error": "Refuse a text that is too long for the model.",
        "truncate": "Use only its beginning.",
        "chunk": "Process it in independent chunks.",
    }
)
SPECIAL = Listed(
    {
        "keep": "Show the special tokens that the tokenizer adds, such as [CLS].",
        "drop": "Drop them; rows then sum to less than 1.",
        "renormalise": "Drop them and renormalise the rows to 1.",
    }
)
KINDS = Listed(
    {
        "encoder": "Self-attention of the encoder.",
        "decoder": "Self-attention of the decoder over its own output.",
        "cross": "Attention of the decoder to the encoder's input.",
        "self": "Self-attention of unknown kind, in a recording.",
    }
)
DTYPES = Listed(
    {
        "float64": "Exact to 1e-12.",
        "float32": "Single precision.",
        "bfloat16": "Half the memory; about 3 digits.",
        "float16": "Half the memory; about 3 digits, to 65504.",
    }
)
DEVICES = Listed(
    {
        "cpu": "The CPU.",
        "cuda": "An NVIDIA or AMD GPU.",
        "mps": "The GPU of a Mac.",
        "auto": "The first available of cuda, mps and cpu.",
    }
)

text, number, real = str | None, int | None, float | None
OPTIONS: dict[str, Said] = {
    # Input
    "input": Said(list[str] | None, "INPUT", "Files, or - for standard input."),
    "text": Said(list[str] | None, "TEXT", "The text itself, instead of a file."),
    "lines": Said(bool, "", "Read each line of a text by itself.", rare=True),
    "encoding": Said(text, "NAME", "Text encoding (default: UTF-8, else guessed, with a note).", rare=True),
    # Models
    "model": Said(text, "NAME|DIR", "Model for text: mini, none, untrained or a directory.", MODELS),
    "kind": Said(
        text,
        "NAME",
        "Attention: encoder, decoder or cross (default: encoder).",
        KINDS,
    ),
    "target": Said(text, "FILE|TEXT", "Output of an encoder–decoder (default: generated)."),
    "pair": Said(text, "TEXT", "Second text of a pair, or the text beside an image.", rare=True),
    "special": Said(
        str, "NAME", "Special tokens such as [CLS]: keep, drop or renormalise (default: keep).", SPECIAL
    ),
    "too_long": Said(
        str,
        "NAME",
        "Text too long for the model: error, truncate or chunk (default: error).",
        TOO_LONG,
        rare=True,
    ),
    "generate": Said(number, "N", "Let the model continue the text by N tokens.", min=1, rare=True),
    "sample": Said(
        text,
        "KEY=VALUE,…",
        "Sample the tokens of --generate (default: greedy).",
        Registered(("variants.sampling:SAMPLINGS",)),
        rare=True,
    ),
    "without": Said(
        list[str] | None,
        "L5H3,…",
        "Zero these heads (of the kind shown); L5: a layer.",
        rare=True,
    ),
    "toward": Said(
        text, "TOKEN|N", "Output to explain: a token, or a position (default: the model's answer).", rare=True
    ),
    # Text to vectors
    "tokenizer": Said(
        str,
        "NAME|FILE",
        "word, char, whitespace or a tokenizer.json (default: word).",
        Registered(("text.tokenizers:TOKENIZERS",)),
    ),
    "embed": Said(
        str,
        "NAME|FILE",
        "hash, onehot or a file of word vectors (default: hash).",
        Registered(("variants.embeddings:EMBEDDINGS",)),
    ),
    "dim": Said(number, "N", "Embedding width (default: 64 for hash).", min=1, max=2**20),
    "seed": Said(int, "N", "Random seed (default: 0).", min=0),
    # Vectors
    "query": Said(text, "FILE", "Query vectors, one per row."),
    "key": Said(text, "FILE", "Key vectors (default: the query's)."),
    "value": Said(text, "FILE", "Value vectors (default: the key's)."),
    "context": Said(text, "FILE", "Vectors for keys and values: cross-attention.", rare=True),
    "memory": Said(
        text,
        "FILE",
        "Vectors of an earlier segment, prepended to keys and values (Transformer-XL memory).",
        rare=True,
    ),
    "heads": Said(number, "N", "Number of heads (default: 1).", min=1),
    "kv_heads": Said(
        number, "N", "Number of key/value heads, for grouped queries (default: --heads).", min=1, rare=True
    ),
    "project": Said(
        text,
        "SPEC|FILE",
        "W_q W_k W_v W_o: identity, random or a file (default: identity).",
        Registered(("variants.projections:PROJECTIONS",)),
    ),
    # From vectors to weights
    "posenc": Said(
        list[str] | None,
        "SPEC|FILE",
        "Positional encoding, added to vectors or inside scores.",
        Registered(("variants.posenc:POSITIONS", "variants.posenc:POSENCS")),
    ),
    "score": Said(
        str, "SPEC", "Score function (default: scaled_dot).", Registered(("variants.scores:SCORES",))
    ),
    "scale": Said(real, "X", "Multiply scores by X (default: 1/√d_head).", rare=True),
    "temperature": Said(float, "X", "Divide scores by X (default: 1).", rare=True),
    "softcap": Said(real, "X", "Soft-cap scores at ±X: X·tanh(score / X).", rare=True),
    "mask": Said(
        list[str] | None,
        "SPEC|FILE",
        "Mask; repeat to combine with AND, join by | for OR.",
        Registered(("variants.masks:MASKS",)),
    ),
    "top_k": Said(number, "N", "Keep only the N highest scores per query.", min=1, rare=True),
    "normalise": Said(
        str,
        "SPEC",
        "Normalisation of scores into weights (default: softmax).",
        Registered(("variants.normalisation:NORMALISATIONS",)),
        rare=True,
    ),
    # Computing
    "dtype": Said(
        text, "NAME", "Precision (default: that of the vectors; models: float32).", DTYPES, rare=True
    ),
    "device": Said(str, "NAME", "Device to compute on (default: cpu).", DEVICES, rare=True),
    "threads": Said(number, "N", "CPU threads (default: all).", min=1, max=1024, rare=True),
    # Bare numbers
    "weights": Said(text, "FILE", "Attention weights; rows are queries."),
    "tokens": Said(text, "FILE", "Row and column labels for a bare array, one per line.", rare=True),
    "key_tokens": Said(text, "FILE", "Column labels, where they differ from --tokens.", rare=True),
    "batch": Said(number, "N", "Example of a batch in a bare array, from 0.", min=0, rare=True),
    "axes": Said(text, "NAMES", "Axis order of a bare array, e.g. layer,head,query,key.", rare=True),
    # Which attention
    "step": Said(number, "N", "Step of a recording (default: last).", min=0, rare=True),
    "module": Said(text, "PATH", "Modules of a recording, e.g. encoder.*", rare=True),
    "layer": Said(text, "N,…", "Layers: 0,2 or 0-2 or -1, last, mean (default: all)."),
    "head": Said(str, "N,…", "Heads: 0,2 or 0-2 or -1, mean, max (default: all)."),
    "query_range": Said(text, "FROM:TO", "Queries to show, from 0, TO excluded (default: all).", rare=True),
    "key_range": Said(text, "FROM:TO", "Keys to show (default: all).", rare=True),
    "query_token": Said(text, "N|TOKEN", "Only this query; in an image a patch, e.g. 4,3."),
    "words": Said(bool, "", "Merge subwords to words (sum keys, average queries)."),
    "reduce": Said(
        text,
        "SPEC",
        "One map of all heads: mean, max, rollout or flow.",
        Registered(("interpret.reductions:REDUCTIONS",)),
    ),
}


def parameters_of(group: type) -> list[inspect.Parameter]:
    """The options of a group that is described here, as Typer takes them."""
    described = DESCRIBED.get(group, OPTIONS)
    return [_parameter(f, TITLES[group], described[f.name]) for f in dataclasses.fields(group)]


def _parameter(f: dataclasses.Field[Any], title: str, said: Said) -> inspect.Parameter:
    """An option of `sources/` as Typer takes it: its default is the group's, all else what the table says."""
    how: dict[str, Any] = {
        "metavar": said.metavar or None,
        "help": said.help,
        "rich_help_panel": title,
        "show_default": False,
    }
    if said.min is not None:
        how |= {"min": said.min, "max": said.max}
    if said.choices is not None:
        how |= {"callback": explain(said.choices), "autocompletion": completion(said.choices)}
    option = typer.Argument(**how) if f.name == "input" else typer.Option(*_spelling(f.name, said), **how)
    default = None if f.default == () else f.default
    return inspect.Parameter(
        f.name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[said.kind, option]
    )


def _spelling(name: str, said: Said) -> tuple[str, ...]:
    return (f"--{name.replace('_', '-')}",) if said.kind is bool else ()
