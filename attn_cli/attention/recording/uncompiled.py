"""Compiled code cannot be looked into: while it is recorded, it runs as it was written."""

from __future__ import annotations

import functools
import sys
import warnings
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

UNCOMPILED = (
    "code under torch.compile runs uncompiled while it is recorded: slower, and the last bits may differ"
)


@contextmanager
def uncompiled(remarks: dict[str, None]) -> Iterator[None]:
    """While it lasts, what torch.compile has made, or makes, runs uncompiled; that it does so is remarked.

    The compiler takes seconds to load, so that it is told of it only where the program loads it.

    >>> remarks = {}
    >>> with uncompiled(remarks):
    ...     torch.compile(lambda x: x + 1, backend="eager")(1), len(remarks)
    (2, 1)
    """
    original, stack = torch.compile, ExitStack()
    told: list[None] = []

    def tell() -> None:
        if not told:
            told.append(stack.enter_context(torch.compiler.set_stance("force_eager")))
            stack.enter_context(_hooks_unremarked())

    @functools.wraps(original)
    def compile_(model: Any = None, **options: Any) -> Any:
        tell()
        if getattr(model, "__name__", "") != _FLEX:
            remarks[UNCOMPILED] = None
        return original(model, **options)

    with stack:
        if "torch._dynamo" in sys.modules:
            tell()
        torch.compile = compile_
        try:
            yield
        finally:
            torch.compile = original


@contextmanager
def _hooks_unremarked() -> Iterator[None]:
    """While it lasts, torch does not warn of hooks on all modules when it calls a compiled one: they are ours."""
    warnings.filterwarnings("ignore", message="Using `torch.compile.* when there are global hooks")
    ours = warnings.filters[0]
    try:
        yield
    finally:
        with suppress(ValueError):  # unless the program has put its own in place of all
            warnings.filters.remove(ours)  # type: ignore[attr-defined]


_FLEX = "_flex_attention_hop_wrapper"  # FlexAttention compiles this where a program does not


def run_flex(func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
    """FlexAttention as it runs where nothing watches: captured by the compiler, which is not to see who watches."""

    def _flex_attention_hop_wrapper(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **kwargs)

    with torch.compiler.set_stance("default"):
        return torch.compile(_flex_attention_hop_wrapper, backend="eager", fullgraph=True)(
            *args[:7], **kwargs
        )
