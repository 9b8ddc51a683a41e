"""Runs a person's program in this process as `python` would: its arguments, streams and exit code are its own."""

from __future__ import annotations

import contextlib
import gc
import importlib.abc
import importlib.util
import io
import os
import runpy
import sys
import warnings
import zipfile
from types import ModuleType
from typing import TYPE_CHECKING, Any

from .environment import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from importlib.machinery import ModuleSpec
    from types import TracebackType

INTERRUPTED = 130


def run(name: str, arguments: Sequence[str], *, module: bool = False) -> int:
    """Run a script, or a module as `python -m` does; gives its exit code.

    What it raises is printed as Python does, without what is ours.
    """
    with _surroundings(name, arguments, module=module):
        try:
            if module:
                runpy.run_module(name, run_name="__main__", alter_sys=True)
            else:
                _run_script(os.path.abspath(name))
        except SystemExit as left:
            return _code(left.code)
        except BaseException as problem:
            problem.__traceback__ = _own(problem.__traceback__)
            sys.excepthook(type(problem), problem, problem.__traceback__)
            return INTERRUPTED if isinstance(problem, KeyboardInterrupt) else 1
    return 0


def _run_script(path: str) -> None:
    """Run a file as the module `__main__`; a folder or an archive by what is called so in it."""
    if os.path.isdir(path) or zipfile.is_zipfile(path):
        runpy.run_path(path, run_name="__main__")
        return
    with io.open_code(path) as file:
        code = compile(file.read(), path, "exec")
    before, main = sys.modules["__main__"], ModuleType("__main__")
    main.__dict__.update(__file__=path, __builtins__=__builtins__, __cached__=None)
    sys.modules["__main__"] = main
    try:
        exec(code, main.__dict__)
    finally:
        sys.modules["__main__"] = before


def _code(code: Any) -> int:
    """What the shell sees of what sys.exit was told.

    >>> _code(None), _code(3)
    (0, 3)
    """
    if code is None or isinstance(code, int):
        return int(code or 0)
    print(code, file=sys.stderr)
    return 1


def _own(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from where the program begins; nothing where it does not even begin."""
    while trace is not None and trace.tb_frame.f_code.co_filename in _OURS:
        trace = trace.tb_next
    return trace


_OURS = (__file__, runpy.__file__, "<frozen runpy>")


@contextlib.contextmanager
def _surroundings(name: str, arguments: Sequence[str], *, module: bool) -> Iterator[None]:
    """While it lasts, arguments, path, warnings, output and garbage are as a program finds them."""
    argv, path = sys.argv, list(sys.path)
    sys.argv = [name, *arguments]
    gc.set_threshold(*environment.collecting or gc.get_threshold())
    if not sys.flags.safe_path:
        sys.path[0] = os.getcwd() if module else os.path.dirname(os.path.realpath(name))
    try:
        with warnings.catch_warnings(), _strict(sys.stdout):
            _warn_as_python_does()
            yield
    finally:
        sys.argv, sys.path[:] = argv, path


def _warn_as_python_does() -> None:
    """Take back what the command line has told warnings to be; within `catch_warnings`."""
    silent = ("ignore", None, Warning, None, 0)
    if silent in warnings.filters:
        del warnings.filters[: warnings.filters.index(silent) + 1]  # type: ignore[attr-defined]
    warnings.showwarning = warnings._showwarning_orig  # type: ignore[attr-defined]


@contextlib.contextmanager
def _strict(stream: Any) -> Iterator[None]:
    """While it lasts, a stream refuses what it cannot encode, as Python's own does."""
    errors = getattr(stream, "errors", None)
    if errors is None or not hasattr(stream, "reconfigure"):
        yield
        return
    stream.reconfigure(errors="strict")
    try:
        yield
    finally:
        stream.reconfigure(errors=errors)


def when_imported(name: str, then: Callable[[], None]) -> None:
    """Call `then` as soon as a module has been imported, by whomever; at once where it is there already.

    Until then nothing of it is loaded: what a program sets in its environment before it imports it, counts.
    """
    if name in sys.modules:
        then()
    else:
        sys.meta_path.insert(0, _Watch(name, then))


class _Watch(importlib.abc.MetaPathFinder):
    def __init__(self, name: str, then: Callable[[], None]) -> None:
        self.name, self.then = name, then

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        """Find the module as others would, and have it say when it is there."""
        if name != self.name:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None and spec.loader is not None:
            run_module, then = spec.loader.exec_module, self.then

            def exec_module(module: ModuleType) -> None:
                run_module(module)
                then()

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec
