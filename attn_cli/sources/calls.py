"""Calls from Python: arguments are looked at before anything runs, and messages name them as Python does."""

from __future__ import annotations

import inspect
import numbers
import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError, note
from ..registry import listed, nearest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_TEXTS = ("text", "data", "first", "second", "target", "pair")  # parameters that a command reads from a file
_LITERAL = re.compile(r"Literal\[(.*?)\]")


def _is_whole(value: Any) -> bool:
    return isinstance(value, numbers.Integral) and not isinstance(value, bool)


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


# What an annotation wants, and how that is called in a hint; an argument with any other annotation is not looked at.
_KINDS: dict[str, tuple[Callable[[Any], bool], str]] = {
    "int": (_is_whole, "a whole number"),
    "float": (_is_number, "a number"),
    "bool": (lambda value: isinstance(value, (bool, np.bool_)), "True or False"),
    "str": (lambda value: isinstance(value, str), "a text"),
    "Path": (lambda value: isinstance(value, (str, os.PathLike)), "a path"),
    "Sequence[str]": (lambda value: isinstance(value, (Sequence, np.ndarray)), "a list of texts"),
    "None": (lambda value: value is None, ""),
}


def arguments_of(
    function: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]
) -> dict[str, Any]:
    """What a call gives, by the names of the parameters; a name that there is not is answered with the known ones.

    >>> arguments_of(lambda text, size=3: ..., ["x"], {"sise": 2})
    Traceback (most recent call last):
    TypeError: <lambda>() has no argument 'sise'; known are text, size; did you mean 'size'?
    """
    signature, called = inspect.signature(function), f"{function.__name__}()"
    known = list(signature.parameters)
    for name in kwargs:
        if name not in known:
            alike = nearest(name, known, cutoff=0.6)
            raise TypeError(f"{called} has no argument {name!r}; known are {listed(name, known)}{alike}")
    try:
        return signature.bind(*args, **kwargs).arguments
    except TypeError as problem:
        raise TypeError(f"{called}: {problem}; see help(attn.{function.__name__})") from None


def note_of_files(function: Callable[..., Any], given: Mapping[str, Any]) -> None:
    """Say where what is given as a text, or as the first of several, is the name of a file: a command would read it."""
    parameters = inspect.signature(function).parameters
    for name, value in given.items():
        text = value[0] if isinstance(value, (list, tuple)) and value else value
        if name not in _TEXTS or "Path" in str(parameters[name].annotation):
            continue
        if isinstance(text, str) and os.path.isfile(text):
            note(
                f"{text!r} is the name of a file, and is taken as the text; attn.read({text!r}) reads the file"
            )


def check_arguments(function: Callable[..., Any], given: Mapping[str, Any]) -> None:
    """Refuse arguments of another kind than their annotations say.

    >>> def cut(text: str, size: int | None = None): ...
    >>> check_arguments(cut, {"text": "x", "size": "3"})
    Traceback (most recent call last):
    attn_cli.errors.InputError: size '3'; give a whole number
    """
    for name, value in given.items():
        parameter = inspect.signature(function).parameters[name]
        if value is None and parameter.default is inspect.Parameter.empty:
            called = function.__name__
            raise InputError(f"{called} got {name}=None", hint=f"see help(attn.{called})")
        annotation = parameter.annotation
        if not isinstance(annotation, str):
            continue
        literals = [part.strip().strip("\"'") for part in ",".join(_LITERAL.findall(annotation)).split(",")]
        kinds = [kind.strip() for kind in _LITERAL.sub("Literal", annotation).split("|")]
        _check(name, value, kinds, literals, function.__globals__)


def _check(name: str, value: Any, kinds: list[str], literals: list[str], known: Mapping[str, Any]) -> None:
    wanted = []
    for kind in kinds:
        if kind == "Literal":
            if isinstance(value, str) and value in literals:
                return
            wanted.append(" or ".join(literals))
        elif kind in _KINDS:
            fits, called = _KINDS[kind]
            if fits(value):
                return
            wanted.append(called)
        elif isinstance(known.get(kind), type) and known[kind] is not Any:  # Any is a class, too
            if isinstance(value, known[kind]):
                return
            wanted.append(f"an {kind}" if kind[0] in "AEIOU" else f"a {kind}")
        else:
            return
    close = nearest(value, literals) if isinstance(value, str) and "Literal" in kinds else ""
    raise InputError(f"{name} {_brief(value)}", hint=f"give {' or '.join(filter(None, wanted))}{close}")


def _brief(value: Any) -> str:
    said = repr(value)
    return said if len(said) <= 40 and "\n" not in said else f"of type {type(value).__name__}"
