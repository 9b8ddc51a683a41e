"""Where in a program attention is computed: the modules that run, from the outermost to the innermost.

Hooks on all modules keep the stack. A call of the outermost module is a visit; a place is one attention within a
visit: which module, the how-manieth call of that module, the how-manieth attention in it.
"""

from __future__ import annotations

import itertools
import re
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from weakref import WeakKeyDictionary

import torch
from torch import nn
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from types import FrameType

    from ...records.attention import Kind


class Spot(NamedTuple):
    """What tells one attention of a visit from another."""

    module: int  # the number of the module, or of the line of code where no module runs
    nth_call: int  # of this module in this visit: a module may serve several layers
    nth_attention: int  # in this call of the module


@dataclass(eq=False)
class Frame:
    """A module that runs."""

    module: nn.Module
    inputs: tuple[Any, ...] = ()  # by position
    nth_call: int | None = None  # known once it has attended
    n_attentions: int = 0


@dataclass(eq=False)
class Visit:
    """One call of an outermost module, or one attention where no module runs."""

    root: int  # the number of that module, or of the line of code
    n_calls: dict[int, int] = field(default_factory=dict)


class Places:
    """The modules that run in a thread, and what all modules are called.

    >>> places = Places()
    >>> class Attends(nn.Module):
    ...     def forward(self, x):
    ...         spot = places.spot()
    ...         print(places.path(spot.module), "in", places.root(spot.module))
    >>> with places.followed():
    ...     nn.Sequential(Attends())(torch.zeros(1))
    0 in Sequential
    """

    def __init__(self, mode: AbstractContextManager[Any] | None = None) -> None:
        self.running: list[Frame] = []
        self.visit: Visit | None = None
        self._numbers: WeakKeyDictionary[nn.Module, int] = WeakKeyDictionary()
        self._lines: dict[str, int] = {}
        self._next = itertools.count()
        self._names: dict[int, tuple[int, str]] = {}  # of a module: its outermost module, its path in that
        self._roots: dict[int, str] = {}
        self._alike: dict[tuple[int, type], int] = {}
        self._home = self._thread = threading.get_ident()  # where it began, and whose modules run
        self._lock = threading.Lock()
        self._mode = mode  # to be on in other threads too, one after the other; None: they are not followed
        self.elsewhere = False  # whether modules have run in a thread that was not followed

    @contextmanager
    def followed(self) -> Iterator[None]:
        """While it lasts, modules that begin and end are noticed."""
        hooks = [
            register_module_forward_pre_hook(self._begins),
            register_module_forward_hook(self._ends, always_call=True),
        ]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    @property
    def module(self) -> nn.Module | None:
        """The innermost module that runs."""
        return self.running[-1].module if self.running else None

    @property
    def mine(self) -> bool:
        """Whether it is this thread whose modules run."""
        return threading.get_ident() == self._thread

    @property
    def inputs(self) -> tuple[Any, ...]:
        """What the innermost module that runs was called with, by position."""
        return self.running[-1].inputs if self.running else ()

    @property
    def compiled(self) -> bool:
        """Whether torch.compile has made one of the modules or functions that run."""
        return under_compiled() or any(
            type(frame.module).__name__ == "OptimizedModule" for frame in self.running
        )

    def spot(self) -> Spot:
        """Where the attention that is being computed stands; to be asked once for each."""
        if not self.running:
            line = self._line()
            self.visit = Visit(line)
            return Spot(line, 0, 0)
        assert self.visit is not None
        frame = self.running[-1]
        number = self._number(frame.module)
        if frame.nth_call is None:
            frame.nth_call = self.visit.n_calls.get(number, 0)
            self.visit.n_calls[number] = frame.nth_call + 1
        frame.n_attentions += 1
        return Spot(number, frame.nth_call, frame.n_attentions - 1)

    def path(self, number: int) -> str:
        """What a module is called within its outermost module; a line of code by function, file and line."""
        return self._names[number][1]

    def root(self, number: int) -> str:
        """What the outermost module around a module is called: its class, numbered where there are several."""
        return self._roots.get(self._names[number][0], "")

    @property
    def several_roots(self) -> bool:
        """Whether there is more than one outermost module."""
        return len({root for root, _ in self._names.values()}) > 1

    def n_alike(self) -> int:
        """How many modules there are like the innermost that runs: as many maps are to be expected."""
        if not self.running:
            return 1
        outer, inner = self.running[0].module, self.running[-1].module
        key = (self._number(outer), type(inner))
        if key not in self._alike:
            self._alike[key] = sum(type(module) is type(inner) for module in outer.modules())
        return self._alike[key]

    # ---- hooks ----

    def _begins(self, module: nn.Module, inputs: Any) -> None:
        with self._lock:
            if not (self.mine or self._takes_over()):
                self.elsewhere = True
                return
            if not self.running:
                self.visit = Visit(self._learn(module))
            self.running.append(Frame(module, inputs))

    def _takes_over(self) -> bool:
        """Follow this thread from here on, if no module runs in another."""
        if self._mode is None or self.running:
            return False
        self._thread = threading.get_ident()
        self._mode.__enter__()  # until the outermost module ends
        return True

    def _ends(self, module: nn.Module, inputs: Any, output: Any) -> None:
        if not self.mine or not self.running:
            return
        while self.running and self.running.pop().module is not module:
            pass  # of modules that an exception has left
        if not self.running and self._thread != self._home and self._mode is not None:
            self._mode.__exit__(None, None, None)
            self._thread = self._home

    # ---- names ----

    def _number(self, module: nn.Module) -> int:
        number = self._give(module)
        if number not in self._names:  # it was made after its outermost module had been called
            self._name_all(self.running[0].module)
            self._names.setdefault(number, (number, type(module).__name__))
        return number

    def _give(self, module: nn.Module) -> int:
        if module not in self._numbers:
            self._numbers[module] = next(self._next)
        return self._numbers[module]

    def _learn(self, outer: nn.Module) -> int:
        """Name all that is in a module, unless it is itself a part of one that is known."""
        root = self._give(outer)
        if root not in self._names:
            kind = type(outer).__name__
            n = sum(called.partition(" ")[0] == kind for called in self._roots.values())
            self._roots[root] = f"{kind} {n + 1}" if n else kind
            self._name_all(outer)
        return root

    def _name_all(self, outer: nn.Module) -> None:
        """Name the modules within one; a smaller one that was outermost before is then a part of it."""
        root, prefix = self._names.get(self._give(outer), (self._give(outer), ""))
        for name, module in outer.named_modules(prefix=prefix):
            self._names[self._give(module)] = (root, name)

    def _line(self) -> int:
        frame = program_frame()
        code = frame.f_code
        called = f"{code.co_name} ({Path(code.co_filename).name}:{frame.f_lineno})"
        number = (
            self._lines[called] if called in self._lines else self._lines.setdefault(called, next(self._next))
        )
        self._names.setdefault(number, (number, called))
        return number


def under_compiled() -> bool:
    """Whether a function that torch.compile has made is being called."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if (
            frame.f_code.co_name == "compile_wrapper"
            and frame.f_globals["__name__"] == "torch._dynamo.eval_frame"
        ):
            return True
        frame = frame.f_back
    return False


def program_frame() -> FrameType:
    """The innermost function of the program that runs."""
    frame = sys._getframe()
    while frame.f_back is not None and _is_torch_or_ours(frame.f_code.co_filename):
        frame = frame.f_back
    return frame


_OURS = (str(Path(__file__).parent), str(Path(torch.__file__).parent))


def _is_torch_or_ours(path: str) -> bool:
    return path.startswith(_OURS)


def kind_of(path: str, *, crosses: bool | None, causal: bool, square: bool) -> Kind:
    """Which kind of attention it is, by what its first call told, by its name, by its sizes.

    >>> kind_of("decoder.layers.0.encoder_attn", crosses=None, causal=False, square=True)
    'cross'
    >>> kind_of("h.0.attn", crosses=None, causal=True, square=True)
    'decoder'
    """
    if crosses or (crosses is None and _CROSS.search(path)):
        return "cross"
    if crosses is None and not (square or causal or _SELF.search(path)):
        return "cross"
    if "decoder" in path.lower() or causal:
        return "decoder"
    return "encoder" if "encoder" in path.lower() else "self"


_CROSS = re.compile(r"cross|encoder_attn|encdec|src_attn|enc_attn", re.IGNORECASE)
_SELF = re.compile(r"self", re.IGNORECASE)
