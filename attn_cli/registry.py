"""Names for variants: a score, a mask, a tokenizer is one function under a name, chosen by a spec.

A spec is `name` or `name:key=value,key=value`. The keys are the function's keyword-only parameters,
their types its annotations, their defaults its defaults: the signature is the documentation.
"""

from __future__ import annotations

import ast
import difflib
import functools
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

from .errors import InputError

F = TypeVar("F", bound=Callable[..., Any])

_LONGEST_LIST = 180  # characters, so that an error that lists names stays within its line


class Registry(Mapping[str, F]):
    """A table from name to function; `noun` names the kind in messages and `--NOUN help`.

    >>> shapes: Registry = Registry("shape")
    >>> @shapes.register
    ... def square(x, *, side: float = 1.0):
    ...     "x inside a square of this side."
    ...     return abs(x) <= side / 2
    >>> shapes.parse("square:side=4")(1.5)
    True
    """

    def __init__(self, noun: str) -> None:
        self.noun = noun
        self._functions: dict[str, F] = {}

    def register(self, function: F) -> F:
        """Add a function under its own name; a trailing underscore is dropped."""
        self._functions[function.__name__.rstrip("_")] = function
        return function

    def __iter__(self) -> Iterator[str]:
        return iter(self._functions)

    def __len__(self) -> int:
        return len(self._functions)

    def __contains__(self, name: object) -> bool:
        return name in self._functions

    def __getitem__(self, name: str) -> F:
        try:
            return self._functions[name]
        except KeyError:
            raise InputError(
                f"unknown {self.noun} {name!r}",
                hint=f"known are {listed(name, list(self))}{nearest(name, list(self))}",
            ) from None

    def parse(
        self,
        spec: str,
        *,
        given: Mapping[str, Any] | None = None,
        read_arrays: Callable[[str], Mapping[str, Any]] | None = None,
    ) -> F:
        """The function that a spec names, with all its options bound.

        `given` holds values for options that the spec leaves out, such as a seed common to many specs; what
        a function does not ask for is not used. `read_arrays` opens the file that an option of type Arrays
        names. Raises InputError for an unknown name or key, or a value of the wrong type.
        """
        name, _, tail = spec.partition(":")
        function = self[name]
        known = options(function)
        if not known:
            self._refuse_options(name, tail)
            return function
        bound = {key: p.default for key, p in known.items() if p.default is not p.empty}
        bound |= {key: value for key, value in (given or {}).items() if key in known}
        for item in filter(None, tail.split(",")):
            key, equals, text = item.partition("=")
            if key not in known:
                raise InputError(
                    f"{self.noun} {name!r} has no option {key!r}",
                    hint=f"its options are {', '.join(known)}{nearest(key, list(known))}",
                )
            if not equals:
                raise InputError(f"{self.noun} option {item!r} has no value", hint=f"write {key}=VALUE")
            bound[key] = _convert(text, known[key].annotation, f"{self.noun} option {item!r}", read_arrays)
        if missing := [key for key in known if key not in bound]:
            raise InputError(
                f"{self.noun} {name!r} needs {', '.join(missing)}",
                hint=f"write {name}:{','.join(f'{key}=VALUE' for key in missing)}",
            )
        return functools.wraps(function)(functools.partial(function, **bound))  # type: ignore[return-value]

    def _refuse_options(self, name: str, tail: str) -> None:
        if tail:
            raise InputError(
                f"{self.noun} {name!r} has no option {tail.partition('=')[0]!r}", hint="it has none"
            )

    def lines(self) -> list[tuple[str, str]]:
        """A row for each entry: its spec with defaults, and the first line of its docstring."""
        return [(usage(name, f), summary(f)) for name, f in self._functions.items()]


def options(function: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """The keyword-only parameters of a function: what a spec may set."""
    parameters = inspect.signature(function).parameters.values()
    return {p.name: p for p in parameters if p.kind is p.KEYWORD_ONLY}


def usage(name: str, function: Callable[..., Any]) -> str:
    """The spec that spells out every default: `window:size=4`; … where there is none."""
    given = [f"{k}={_spelt(p.default)}" for k, p in options(function).items()]
    return f"{name}:{','.join(given)}" if given else name


def _spelt(default: Any) -> str:
    if default is inspect.Parameter.empty or default is None:
        return "…"
    if isinstance(default, tuple):
        return "+".join(map(_spelt, default))
    return f"{default:g}" if isinstance(default, float) else str(default).lower()


def summary(function: Callable[..., Any]) -> str:
    """The first line of a docstring, which is also the help text."""
    return (inspect.getdoc(function) or "").partition("\n")[0]


def listed(name: str, known: list[str]) -> str:
    """All known names; of more than a line of an error holds, the first few that are like this one.

    >>> listed("c", ["a", "b"])
    'a, b'
    """
    if len(whole := ", ".join(known)) <= _LONGEST_LIST:
        return whole
    alike = difflib.get_close_matches(name, known, n=3, cutoff=0.0)
    return f"{', '.join(alike)} … ({len(known)} in all)"


def nearest(name: str, known: list[str]) -> str:
    """'; did you mean …?' when one of the known names is close, else nothing."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    return f"; did you mean {close[0]!r}?" if close else ""


def _yes_or_no(text: str) -> bool:
    return {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}[text.lower()]


def _several(read: Callable[[str], Any]) -> Callable[[str], tuple[Any, ...]]:
    # A comma ends an option, so + stands between numbers; but 1e+3 is one number.
    return lambda text: tuple(read(part) for part in re.split(r"(?<![eE])\+", text))


def _whole(text: str) -> int:
    if abs(number := int(text)) >= 2**62:  # positions and their differences must fit into 64 bits
        raise OverflowError
    return number


# An option's annotation, as written, says how its text is read. Texts, not types: annotations are not
# evaluated, so that a module may name a type which is only imported for the type checker.
_READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    "int": (_whole, "a whole number"),
    "float": (float, "a number"),
    "bool": (_yes_or_no, "true or false"),
    "str": (str, "a text"),
    "tuple[int, ...]": (_several(_whole), "whole numbers with + between them"),
    "tuple[float, ...]": (_several(float), "numbers with + between them"),
}


def _reader(annotation: str) -> tuple[Callable[[str], Any], str]:
    if annotation.startswith("Literal["):
        choices = ast.literal_eval(annotation.removeprefix("Literal"))
        return {choice: choice for choice in choices}.__getitem__, " or ".join(choices)
    return _READERS[annotation]


def _convert(
    text: str, annotation: str, where: str, read_arrays: Callable[[str], Mapping[str, Any]] | None
) -> Any:
    annotation = str(annotation).removesuffix(" | None")
    if annotation == "Arrays":
        if read_arrays is None:
            raise InputError(f"{where} names a file", hint="pass the function that reads it as read_arrays")
        return read_arrays(text)
    read, wanted = _reader(annotation)
    try:
        return read(text)
    except OverflowError:
        raise InputError(f"{where}: {text} is too large", hint="give a smaller number") from None
    except (ValueError, KeyError):
        raise InputError(f"{where}: {text!r} is not {wanted}", hint=f"give {wanted}") from None


def complete(registry: Registry[Any], incomplete: str) -> list[tuple[str, str]]:
    """What a shell may offer for the beginning of a spec: names, then `name:key=`, then the values of a key.

    >>> shapes: Registry = Registry("shape")
    >>> @shapes.register
    ... def square(x, *, side: "float" = 1.0, filled: "bool" = True):
    ...     "x inside a square."
    >>> [offer for offer, _ in complete(shapes, "sq")], [offer for offer, _ in complete(shapes, "square:side=2,f")]
    (['square'], ['square:side=2,filled='])
    """
    name, colon, tail = incomplete.partition(":")
    if not colon:
        return [(known, summary(function)) for known, function in registry.items() if known.startswith(name)]
    if name not in registry:
        return []
    done, comma, last = tail.rpartition(",")
    begun = f"{name}:{done}{comma}"
    known = options(registry[name])
    key, equals, value = last.partition("=")
    if not equals:
        left = [one for one in known if one.startswith(key) and f"{one}=" not in done]
        return [(f"{begun}{one}=", f"(default: {_spelt(known[one].default)})") for one in left]
    values = _values(str(known[key].annotation)) if key in known else ()
    return [(f"{begun}{key}={one}", "") for one in values if one.startswith(value)]


def _values(annotation: str) -> tuple[str, ...]:
    annotation = annotation.removesuffix(" | None")
    if annotation.startswith("Literal["):
        return tuple(map(str, ast.literal_eval(annotation.removeprefix("Literal"))))
    return ("true", "false") if annotation == "bool" else ()
