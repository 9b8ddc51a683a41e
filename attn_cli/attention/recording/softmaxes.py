"""The softmax results that a program holds, followed until they are multiplied with values.

On the way they may be dropped out (the weights are those before), cast, reshaped or turned.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from .followed_axes import CUTTING, DROPOUT, SOFTMAX, axes_of_parts, axis_after

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


@dataclass(frozen=True, eq=False)
class Softmax:
    """A tensor that comes of a softmax."""

    key_axis: int  # counted from the end: −1 is the last
    lead: tuple[int, ...]  # batch and heads, as far as the program ever held them apart
    weights: Tensor | None = None  # those before dropout; None where the tensor itself is that


class Softmaxes:
    """The softmax results that a program still holds.

    >>> softmaxes, x = Softmaxes(), torch.zeros(1, 2, 2)
    >>> made = softmaxes.through(torch.softmax, (x, -1), {})
    >>> softmaxes.of(made).key_axis, softmaxes.of(x)
    (-1, None)
    """

    def __init__(self) -> None:
        self._held: dict[int, tuple[weakref.ref[Tensor], Softmax]] = {}

    def __bool__(self) -> bool:
        return bool(self._held)

    def of(self, tensor: Any) -> Softmax | None:
        """What is known of a tensor, if it comes of a softmax."""
        held = self._held.get(id(tensor))
        return held[1] if held is not None and held[0]() is tensor else None

    def forget(self, tensor: Tensor) -> None:
        """Follow a tensor no further."""
        self._held.pop(id(tensor), None)

    def hold(self, tensor: Tensor, softmax: Softmax) -> None:
        """Follow a tensor as long as the program holds it."""
        number = id(tensor)
        self._held[number] = (weakref.ref(tensor, lambda _: self._held.pop(number, None)), softmax)

    def through(self, func: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """Call one of torch's functions, and follow what it makes of a softmax."""
        name = func.__name__
        if name in SOFTMAX:
            made = func(*args, **kwargs)
            self._begin(made, args, kwargs)
            return made
        if not self._held or (source := self._source(args, kwargs)) is None:
            return func(*args, **kwargs)
        softmax = self.of(source)
        assert softmax is not None
        weights = softmax.weights
        if name in DROPOUT and (name.endswith("_") or kwargs.get("inplace") or True in args[3:]):
            with torch.no_grad():
                weights = source.detach().clone() if weights is None else weights
        was = source.shape
        made = func(*args, **kwargs)
        if name in CUTTING:
            self._cut(replace(softmax, weights=weights), was, made, func, args, kwargs)
        elif isinstance(made, Tensor):
            self._go_on(source, was, replace(softmax, weights=weights), made, func, args, kwargs)
        return made

    def _source(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Tensor | None:
        """The operand that comes of a softmax, the first of three."""
        operands = (*args[:3], kwargs.get("input"), kwargs.get("other"))
        return next((x for x in operands if isinstance(x, Tensor) and self.of(x) is not None), None)

    def _begin(self, made: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
        axis = kwargs.get("dim", args[1] if len(args) > 1 else None)
        if isinstance(made, Tensor) and isinstance(axis, int) and made.ndim >= 2:
            axis = axis if axis < 0 else axis - made.ndim
            self.hold(made, Softmax(axis, tuple(made.shape[:-2])))

    def _cut(
        self,
        softmax: Softmax,
        was: torch.Size,
        made: Any,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> None:
        """Follow the parts of a tensor, or the one part."""
        axes = axes_of_parts(softmax.key_axis, was, func, args, kwargs)
        with torch.no_grad():
            before = func(softmax.weights, *args[1:], **kwargs) if softmax.weights is not None else None
        parts = (made,) if isinstance(made, Tensor) else made
        befores = (before,) * len(parts) if before is None or isinstance(before, Tensor) else before
        for part, axis, weights in zip(parts, axes, befores, strict=False):
            if axis is not None and part.ndim >= 2:
                self.hold(part, Softmax(axis, tuple(part.shape[:-2]), weights))

    def _go_on(
        self,
        source: Tensor,
        was: torch.Size,
        softmax: Softmax,
        made: Tensor,
        func: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
    ) -> None:
        name = func.__name__ if func.__name__ != "__get__" else func.__self__.__name__  # type: ignore[attr-defined]
        if made is source:
            self.hold(made, softmax)
            return
        axis = axis_after(name, softmax.key_axis, was, made, args, kwargs)
        if axis is None:
            return
        weights = softmax.weights
        if name in DROPOUT:
            weights = source.detach() if weights is None else weights
        elif weights is not None:
            with torch.no_grad():
                same = tuple(weights if arg is source else arg for arg in args)
                weights = func(*same, **kwargs)
        lead = tuple(made.shape[:-2]) if made.ndim >= len(was) else softmax.lead
        self.hold(made, Softmax(axis, lead, weights))
