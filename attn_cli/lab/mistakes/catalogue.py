"""What a mistake is: one function that stands in place of one step, registered under its id."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from dataclasses import fields, replace
from typing import Any, TypeVar

from ...registry import Registry
from ..pipeline import Step, Steps

F = TypeVar("F", bound=Callable[..., Any])

MISTAKES: Registry[Callable[..., Any]] = Registry("mistake")

_STEPS = {field.name for field in fields(Steps)}


def in_place_of(
    step: str, *, name: str = "", tried: tuple[str, ...] = ("",), **also: Step
) -> Callable[[F], F]:
    """Say which step a mistake replaces, and which others it replaces with what.

    `name` is its id where that is no name in Python; `tried` are the options that `check` tries.
    """
    assert {step, *also} <= _STEPS

    def say(mistake: F) -> F:
        mistake.__name__ = name or mistake.__name__
        mistake.step, mistake.also, mistake.tried = step, also, tried  # type: ignore[attr-defined]
        return mistake

    return say


def made(*specs: str, steps: Steps | None = None) -> Steps:
    """The steps of someone who makes these mistakes, and no other.

    >>> from attn_cli.lab.exercise import proposed
    >>> from attn_cli.lab.pipeline import Work
    >>> Work(proposed(), made("no_scale"))["scores"].shape
    (2, 5, 7)
    """
    steps = Steps() if steps is None else steps
    for spec in specs:
        mistake = _parsed(spec)
        steps = replace(steps, **{mistake.step: mistake}, **mistake.also)
    return steps


@functools.cache
def _parsed(spec: str) -> Any:
    return MISTAKES.parse(spec)


@functools.cache
def replaced(spec: str) -> frozenset[str]:
    """The steps that a mistake replaces: two mistakes can be made at once if they share none.

    >>> sorted(replaced("scale_after_softmax"))
    ['finish', 'scale']
    """
    mistake: Any = MISTAKES[mistake_id(spec)]
    return frozenset({mistake.step, *mistake.also})


def mistake_id(spec: str) -> str:
    """The id in a spec.

    >>> mistake_id("pe_base:base=100")
    'pe_base'
    """
    return spec.partition(":")[0]


def specs() -> list[str]:
    """Every mistake with every option that is tried.

    >>> [spec for spec in specs() if spec.startswith("pe_base")][:2]
    ['pe_base:base=1000', 'pe_base:base=100']
    """
    each = ([f"{name}:{options}" if options else name for options in tried(name)] for name in MISTAKES)
    return list(itertools.chain.from_iterable(each))


def tried(name: str) -> tuple[str, ...]:
    """The options of a mistake that are tried.

    >>> tried("no_scale")
    ('',)
    """
    mistake: Any = MISTAKES[name]
    return tuple(mistake.tried)
