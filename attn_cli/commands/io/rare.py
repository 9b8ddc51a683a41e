"""Which options `--help-all` alone lists: everywhere, and in commands that are seldom used with them."""

from __future__ import annotations

from .source_options import OPTIONS

RARE = (
    "max_memory",
    "pool",
    "color_scale",
    "dpi",
    "font",
    "font_size",
    "columns",
    "digits",
    "text_as",
    "no",
    "debug",
    "color",
)
RARE_IN = {
    "heatmap": ("film", "query", "key", "value", "project", "score", "posenc", "tokenizer", "embed", "dim", "seed", "heads", "special", "live", "lang", "without_vectors"),
    "stats": (
        "query", "key", "value", "project", "score", "posenc", "tokenizer", "embed", "dim", "seed", "heads", "special", "mask",
        "weights", "query_token", "reduce", "clusters", "resume", "target", "cmap", "size", "style", "title", "lang",
    ),
    "diff": (
        "project", "score", "posenc", "tokenizer", "embed", "dim", "seed", "heads", "special", "mask", "weights", "query_token",
        "reduce", "target", "cmap", "size", "style", "title", "words", "lang",
    ),
    "train-toy": ("title", "cmap", "size", "style"),
    "mask": ("query", "key", "value", "project", "heads", "tokenizer", "embed", "dim", "seed"),
    "steps": ("model", "kind", "target", "special", "weights", "words", "query_token", "layer", "head"),
    "check": ("tokenizer", "embed", "dim", "score", "seed", "layer", "len_"),
    "explain": ("kind", "special", "size", "style", "title", "cmap", "columns", "lang"),
    "attend": ("kind", "target", "special", "weights", "words", "query_token", "layer", "head", "seed"),
}  # fmt: skip


# Rare elsewhere, and what these commands are about.
COMMON_IN = {"explain": ("toward", "without")}


def is_rare(name: str | None, command: str | None) -> bool:
    """Whether an option is listed by --help-all alone."""
    if name in COMMON_IN.get(command or "", ()):
        return False
    return name in (*RARE, *RARE_IN.get(command or "", ())) or (name in OPTIONS and OPTIONS[name].rare)
