"""What the command line says of the options of `sources/groups.py`: metavar, help, what a value may be.

Names, defaults and meanings are the groups'; here each option is described once, for all commands.
"""

from __future__ import annotations

import dataclasses
from typing import Any, ClassVar

from ...sources import groups
from .choices import Choices, Listed, Registered


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

    TITLE: ClassVar = "Input"
    input: tuple[str, ...] = ()
    text: tuple[str, ...] = ()
    encoding: str | None = None
    lines: bool = False


@dataclasses.dataclass(frozen=True)
class Through:
    """Which model reads a text."""

    TITLE: ClassVar = "Models"
    model: str | None = None


TITLES = {
    groups.Text: "Text to vectors, without a model",
    groups.Vectors: "Vectors",
    groups.Positions: "From vectors to weights",
    groups.Seed: "Computing",
    groups.Scoring: "From vectors to weights",
    groups.Model: "Models",
    groups.Computing: "Computing",
    groups.Tensors: "Bare numbers",
    groups.Recorded: "Which attention",
    groups.Selection: "Which attention",
}

MODELS = Listed(
    {
        "mini": "The trained model that comes with attn; it translates English and Chinese.",
        "none": "No model: vectors made from the text (--tokenizer, --embed, --dim), as they are.",
        "untrained": "No model: hash embeddings, sinusoidal positions, 4 heads of random projections.",
        "DIR": "A run of train-toy, or a Hugging Face directory; `attn models` lists the families.",
    }
)
TOO_LONG = Listed(
    {
        "error": "Refuse a text that is too long for the model.",
        "truncate": "Read its beginning.",
        "chunk": "Read it in pieces that do not see each other.",
    }
)
SPECIAL = Listed(
    {
        "keep": "Show the tokens that the model's tokenizer adds, as [CLS].",
        "drop": "Leave them out; rows then sum to less than 1.",
        "renormalise": "Leave them out and make the rows sum to 1 again.",
    }
)
KINDS = Listed(
    {
        "encoder": "Of an encoder–decoder: the encoder's self-attention.",
        "decoder": "The decoder's self-attention, to what it has written.",
        "cross": "The decoder's attention to what the encoder has read.",
        "self": "Of a recording: self-attention of which no more is known.",
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
        "cpu": "The processor.",
        "cuda": "An NVIDIA or AMD GPU.",
        "mps": "The GPU of a Mac.",
        "auto": "The first of cuda, mps and cpu that is there.",
    }
)

text, number, real = str | None, int | None, float | None
OPTIONS: dict[str, Said] = {
    # Input
    "input": Said(list[str] | None, "[INPUT]...", "Files, or - for standard input."),
    "text": Said(list[str] | None, "TEXT", "The text itself, in the place of a file."),
    "lines": Said(bool, "", "Read each line of a text by itself.", rare=True),
    "encoding": Said(
        text, "NAME", "Character encoding of text files (default: UTF-8, else guessed and said).", rare=True
    ),
    # Models
    "model": Said(text, "NAME|DIR", "What reads a text: mini, none, untrained or a directory.", MODELS),
    "kind": Said(text, "NAME", "encoder, decoder or cross-attention (default: encoder).", KINDS),
    "target": Said(text, "FILE|TEXT", "What an encoder–decoder writes (default: greedy)."),
    "pair": Said(text, "TEXT", "A second text, for models that read pairs.", rare=True),
    "special": Said(str, "NAME", "Tokens as [CLS]: keep, drop or renormalise (default: keep).", SPECIAL),
    "too_long": Said(
        str, "NAME", "A text too long: error, truncate or chunk (default: error).", TOO_LONG, rare=True
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
    "dim": Said(number, "N", "Width of the embeddings (default: 64 for hash).", min=1, max=2**20),
    "seed": Said(int, "N", "Seed of everything random (default: 0).", min=0),
    # Vectors
    "query": Said(text, "FILE", "Query vectors, one per row."),
    "key": Said(text, "FILE", "Key vectors (default: the query's)."),
    "value": Said(text, "FILE", "Value vectors (default: the key's)."),
    "context": Said(text, "FILE", "Keys and values of cross-attention.", rare=True),
    "memory": Said(text, "FILE", "Vectors of an earlier segment, before the keys.", rare=True),
    "heads": Said(number, "N", "Number of heads (default: 1).", min=1),
    "kv_heads": Said(number, "N", "Number of key/value heads (default: --heads).", min=1, rare=True),
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
        "Positional encoding, added to vectors or inside the scores.",
        Registered(("variants.posenc:POSITIONS", "variants.posenc:POSENCS")),
    ),
    "score": Said(
        str, "SPEC", "Score function (default: scaled_dot).", Registered(("variants.scores:SCORES",))
    ),
    "scale": Said(real, "X", "Factor of the scores (default: 1/√d_head).", rare=True),
    "temperature": Said(float, "X", "Divide the scores by X (default: 1).", rare=True),
    "softcap": Said(real, "X", "Bend the scores into ±X: X·tanh(score / X).", rare=True),
    "mask": Said(
        list[str] | None,
        "SPEC|FILE",
        "Mask; repeat to combine with AND, join with | for OR.",
        Registered(("variants.masks:MASKS",)),
    ),
    "top_k": Said(number, "N", "Keep only the N highest scores of each query.", min=1, rare=True),
    "normalise": Said(
        str,
        "SPEC",
        "From scores to weights (default: softmax).",
        Registered(("variants.normalisation:NORMALISATIONS",)),
        rare=True,
    ),
    # Computing
    "dtype": Said(text, "NAME", "Precision (default: the vectors' own; models: float32).", DTYPES, rare=True),
    "device": Said(str, "NAME", "Where to compute (default: cpu).", DEVICES, rare=True),
    "threads": Said(number, "N", "Threads of the processor (default: all).", min=1, max=1024, rare=True),
    # Bare numbers
    "weights": Said(text, "FILE", "Attention weights; rows are queries."),
    "tokens": Said(text, "FILE", "Names of the rows and columns of bare numbers, one per line.", rare=True),
    "axes": Said(text, "NAMES", "Order of the axes of bare numbers, as layer,head,query,key.", rare=True),
    # Which attention
    "step": Said(number, "N", "Of a recording: this step (default: the last).", min=0, rare=True),
    "module": Said(text, "PATH", "Of a recording: these modules, as encoder.*", rare=True),
    "layer": Said(text, "N,…", "Layers: 0,2 or 0-2 or -1, last, mean (default: all)."),
    "head": Said(str, "N,…", "Heads: 0,2 or 0-2 or -1, mean, max (default: all)."),
    "query_range": Said(text, "FROM:TO", "Only these queries, from 0, TO not included.", rare=True),
    "key_range": Said(text, "FROM:TO", "Only these keys.", rare=True),
    "query_token": Said(text, "N|TOKEN", "Only this query; of an image a patch, as 4,3."),
    "words": Said(bool, "", "Merge subword tokens into words."),
    "reduce": Said(
        text,
        "SPEC",
        "All heads as one map: mean, max, rollout or flow.",
        Registered(("interpret.reductions:REDUCTIONS",)),
    ),
}
