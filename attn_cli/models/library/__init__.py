"""Families that are not read natively, through the library `transformers`: the extra attn-cli[hf]."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import InputError
from ...text.escaping import escape
from . import opening, unread
from .silence import INSTALL, family, installed
from .sizes import sizes

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from .model import Library

# In the list of families: model_type, name, what is read.
OTHERS = ("others", f"what transformers knows, with the extra: {INSTALL}", "text, images, sounds")


def load(directory: Path, config: Mapping[str, Any], name: str, natively: str) -> Library:
    """The model of a directory with its tokenizer; `natively` names what is read without the library.

    Raises InputError when the library is not installed or does not know the family, or something is missing or
    damaged.
    """
    title = _title(directory, config, natively)
    from .listening import is_heard
    from .model import Library  # the library takes seconds to load

    try:
        unread.refuse(config, title)
        n_numbers = opening.check(directory, config)
        theirs = opening.open_config(directory)
        model, writes = opening.open_model(directory, theirs, n_numbers)
        reads = opening.takes(theirs) == "input_ids" or is_heard(theirs)
        tokenizer = opening.open_tokenizer(directory) if reads else None
        return Library(title, directory, name, model, tokenizer, writes)
    except InputError as problem:
        raise problem.at(str(directory)) from None


def gives_classes(config: Mapping[str, Any]) -> bool:
    """Whether a config.json is that of a classifier of texts.

    >>> gives_classes({"architectures": ["BertForSequenceClassification"]}), gives_classes({})
    (True, False)
    """
    named = config.get("architectures")
    return isinstance(named, list) and bool(named) and str(named[0]).endswith("ForSequenceClassification")


def describe(directory: Path, config: Mapping[str, Any], name: str) -> dict[str, str]:
    """What a directory is, by its config.json."""
    kind = config["model_type"]
    if not installed():
        return {"family": escape(kind), "read": f"not without the extra: {INSTALL}"}
    if (title := family(kind)) is None:
        return {"family": escape(kind), "read": "no"}
    if what := unread.instead(config):
        return {"family": title, "name": escape(name), "read": f"no, it {what}"}
    from .promising import promised

    theirs = opening.open_config(directory)
    told = {"family": title, "name": escape(name), **sizes(theirs)}
    try:
        opening.check(directory, config)
        return told | promised(opening.outline(theirs), theirs)
    except InputError as problem:
        return told | {"read": f"no: {problem.what}"}


def _title(directory: Path, config: Mapping[str, Any], natively: str) -> str:
    """What the library calls the family of a model."""
    kind, title = config["model_type"], None
    hint = f"attn reads {natively}"
    if installed():
        title = family(kind)
        hint = f"{hint}, and what transformers knows"
    else:
        hint = f"{hint}; for the rest: {INSTALL}"
    if title is None:
        raise InputError(f"a model of the family '{escape(kind)}'", hint=hint, where=str(directory))
    return title
