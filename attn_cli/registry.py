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
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from .errors import InputError

F = TypeVar("F", bound=Callable[..., Any])

_LONGEST_LIST = 180  # characters, so that an error that lists names stays within its line


@dataclass(frozen=True, eq=False)
class Variant:
    """A function with its options bound, as a spec or a user chose it; it is called as the function is.

    It equals another that gives the same, and the bare function where no option has been changed. What is said of
    the function by an attribute, such as `of_heads`, is said of the variant.

    >>> def power(x, *, exponent: int = 2):
    ...     return x**exponent
    >>> cube = Variant("power", power, {"exponent": 3}, "power:exponent=3")
    >>> cube(2), cube(2, exponent=2), cube == power, cube.but(exponent=2) == power
    (8, 4, False, True)
    """

    name: str
    function: Callable[..., Any]
    options: Mapping[str, Any] = field(default_factory=dict)
    spec: str = ""  # as it was written; of a function its name

    def __call__(self, *given: Any, **options: Any) -> Any:
        """The function of these; an option that is given here goes before the one that is bound."""
        return self.function(*given, **{**self.options, **options})

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or "function" not in self.__dict__:  # as copying asks, before there is any
            raise AttributeError(name)
        return getattr(self.function, name)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, Variant):
            return self.function == other.function and _plain(self.options) == _plain(other.options)
        return callable(other) and self.function == other and _plain(self.options) == defaults(self.function)

    def __hash__(self) -> int:
        return hash(self.function)

    def but(self, **options: Any) -> Variant:
        """The same with other options."""
        return replace(self, options={**self.options, **options})


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
    ) -> Variant:
        """The function that a spec names, with all its options bound.

        `given` holds values for options that the spec leaves out, such as a seed common to many specs; what
        a function does not ask for is not used. `read_arrays` opens the file that an option of type Arrays
        names. Raises InputError for an unknown name or key, or a value of the wrong type.
        """
        name, _, tail = (spec if "file" in spec else half_width(spec)).partition(":")
        function = self[name]
        if not (known := options(function)):
            self._refuse_options(name, tail)
        bound: dict[str, Any] = {}
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
        return self._bound(name, function, {**(given or {}), **bound}, spec)

    def of(
        self,
        value: Any,
        *,
        given: Mapping[str, Any] | None = None,
        read_arrays: Callable[[str], Mapping[str, Any]] | None = None,
    ) -> Variant:
        """What is chosen by a spec, by a function itself, registered or not, or by a variant that is made already.

        `given` and `read_arrays` are those of `parse`. Raises InputError for anything else.

        >>> shapes: Registry = Registry("shape")
        >>> shapes.of(lambda x, *, side=2.0: abs(x) <= side / 2, given={"side": 4.0})(1.5)
        True
        """
        if isinstance(value, str):
            return self.parse(value, given=given, read_arrays=read_arrays)
        if isinstance(value, Variant):
            return value
        if not callable(value):
            hint = f"give a name or a function; known are {', '.join(self)}"
            raise InputError(f"a {self.noun} of type {type(value).__name__}", hint=hint)
        if isinstance(value, functools.partial) and not value.args:
            return self.of(value.func, given={**(given or {}), **value.keywords})
        names = (name for name, function in self._functions.items() if function is value)
        name = next(names, getattr(value, "__name__", type(value).__name__).strip("_<>"))
        return self._bound(name, value, given or {}, name)

    def _bound(self, name: str, function: Callable[..., Any], given: Mapping[str, Any], spec: str) -> Variant:
        """The function with its defaults, and of what is given all that it asks for."""
        known = options(function)
        bound = defaults(function) | {key: value for key, value in given.items() if key in known}
        if missing := [key for key in known if key not in bound]:
            raise InputError(
                f"{self.noun} {name!r} needs {', '.join(missing)}",
                hint=f"write {name}:{','.join(f'{key}=VALUE' for key in missing)}",
            )
        return Variant(name, function, bound, spec)

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
    if isinstance(function, Variant):
        return options(function.function)
    try:
        parameters = inspect.signature(function).parameters.values()
    except ValueError:  # of some functions that are written in C nothing is known
        return {}
    return {p.name: p for p in parameters if p.kind is p.KEYWORD_ONLY}


def defaults(function: Callable[..., Any]) -> dict[str, Any]:
    """The options of a function that have a default."""
    return {key: p.default for key, p in options(function).items() if p.default is not p.empty}


def bound(function: Callable[..., Any]) -> Mapping[str, Any]:
    """The options that are bound to a variant; of a bare function none."""
    return function.options if isinstance(function, Variant) else {}


def function_of(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function itself, whatever options are bound to it."""
    return function.function if isinstance(function, Variant) else function


def _plain(value: Any) -> Any:
    """A value that can be compared: an array by its shape and bytes."""
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    return (value.shape, value.dtype, value.tobytes()) if hasattr(value, "tobytes") else value


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
    """The first line of a docstring, which is also the help text; nothing where there is none."""
    if isinstance(function, Variant):
        return summary(function.function)
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


_HALF_WIDTH = str.maketrans("：，＝＋－．", ":,=+-.")


def half_width(text: str) -> str:
    """The marks that a Chinese keyboard types, as the plain ones of specs, lists and ranges.

    >>> half_width("window：size=2，ahead=1"), half_width("0，－1")
    ('window:size=2,ahead=1', '0,-1')
    """
    return text.translate(_HALF_WIDTH)


def nearest(name: str, known: list[str], *, cutoff: float = 0.5) -> str:
    """'; did you mean …?' when one of the known names is close, else nothing."""
    close = difflib.get_close_matches(name, known, n=1, cutoff=cutoff)
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
