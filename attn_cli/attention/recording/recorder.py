"""Watches a program compute attention, and keeps what is wanted of it. The program is not changed by it.

Nothing is drawn at random here, nothing enters the graph of gradients, and what goes wrong here does not reach
the program.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch.overrides import TorchFunctionMode

from ...errors import note
from .call_inputs import Here
from .calls import Cache, Calls
from .followed_axes import FOLLOWED, SOFTMAX
from .kept_numbers import numbers
from .layer_numbers import join_loop, numbered
from .parts import recording_of
from .places import Places
from .softmaxes import Softmaxes
from .steps import Piece, Step
from .store import Memory, Wanted
from .uncompiled import UNCOMPILED, run_flex, uncompiled
from .ways import WAYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .call_inputs import Given
    from .places import Spot, Visit
    from .store import Store


_WAYS = dict(WAYS)
_PRODUCTS = frozenset({"matmul", "bmm", "mm", "einsum"})  # of interest where there is a softmax
_ELSEWHERE = "modules that ran in another thread were not recorded; run the model in the thread that records"
_AT_ONCE = "modules ran in several threads at once: only one of these was recorded"
_BEAMS = (
    "the texts of a batch changed places while they were written, as in beam search: each step is a part of a "
    "text; write with num_beams=1, or run the model once over the text"
)


@dataclass(eq=False)
class Root:
    """An outermost module: how many steps it has gone, and the one that it is in."""

    n_steps: int = 0
    step: Step | None = None


@dataclass(eq=False)
class Label:
    """What a program has said of its tokens."""

    tokens: tuple[str, ...]
    at: int  # how many attentions there had been


class Recorder(TorchFunctionMode):
    """Sees every attention that is computed in this thread while it is on, and keeps what is wanted.

    With `threads` modules are followed in other threads too, as long as they run one after the other.
    """

    def __init__(
        self, wanted: Wanted, store: Store | None = None, name: str = "", *, threads: bool = False
    ) -> None:
        self.wanted, self.name = wanted, name
        self.store: Store = store if store is not None else Memory(wanted)
        self.places = Places(self if threads else None)
        self._elsewhere = _AT_ONCE if threads else _ELSEWHERE
        self.here = Here(Softmaxes(), example=wanted.example)
        self.calls: dict[Spot, Calls] = {}
        self.roots: dict[int, Root] = {}
        self.labels: list[Label] = []
        self.n_attentions = 0
        self._visit: Visit | None = None
        self._step: Step | None = None
        self._goes_on = False

    @property
    def remarks(self) -> dict[str, None]:
        """What is to be said in the end."""
        return self.here.remarks

    @property
    def said(self) -> tuple[str, ...]:
        """These, and what the store has to say."""
        return (*self.remarks, *filter(None, [self.store.remark]))

    @contextmanager
    def on(self) -> Iterator[None]:
        """While it lasts, all attention is seen; in the end every step is kept, and remarks are made."""
        self.store.begin(lambda step: recording_of(self, [step]))
        try:
            with uncompiled(self.remarks), self.places.followed(), self:
                yield
        finally:
            for root in self.roots.values():
                try:
                    self._close(root)
                except Exception as problem:
                    self.remarks[f"the last step was not kept ({_reason(problem)})"] = None
            if self.places.elsewhere:
                self.remarks[self._elsewhere] = None
            for remark in self.said:
                note(remark)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call one of torch's functions, and look on where it is of interest."""
        name, named = getattr(func, "__name__", ""), kwargs or {}
        if name in FOLLOWED:
            if name not in SOFTMAX and not self.here.softmaxes:
                return func(*args, **named)
            return self.here.softmaxes.through(func, args, named)
        way = _WAYS.get(name)
        if way is None:
            return func(*args, **named)
        made = run_flex(func, args, named) if name == "flex_attention" else func(*args, **named)
        if name not in _PRODUCTS or self.here.softmaxes:
            self._look(name, way, args, named)
        return made

    # ---- one attention ----

    def _look(
        self, name: str, way: Callable[..., Given | None], args: tuple[Any, ...], kwargs: Mapping[str, Any]
    ) -> None:
        """Find out what one call attends to; whatever is wrong with that is noted, not raised."""
        if self.places.running and not self.places.mine:
            return
        if torch._C._current_graph_task_id() != -1:  # a checkpoint that computes the same again
            return
        try:
            self.here.module, self.here.learns = self.places.module, torch.is_grad_enabled()
            self.here.inputs, self.here.n_batch = self.places.inputs, None
            with torch.no_grad():
                given = way(self.here, *args, **kwargs)
                if given is not None:
                    self._saw(name, given)
        except Exception as problem:
            where = type(self.places.module).__name__
            self.remarks[f"a call of {name} in {where} was not recorded ({_reason(problem)})"] = None

    def _saw(self, name: str, given: Given) -> None:
        module = self.places.module
        learns = self.here.learns and (module is None or module.training)
        if not learns:
            given = given.without_room()
        spot = self.places.spot()
        calls = self._calls(spot, name, given)
        grown = not learns and calls.cache is not None and calls.cache.grown(given)
        if not (learns or grown) and calls.cache is not None and calls.cache.exchanged(given):
            self.remarks[_BEAMS] = None
        step = self._step_of(self.places.visit, goes_on=grown)
        first_query, first_key = self._begins_at(calls, given, grown=grown)
        calls.count_in(given)
        self.n_attentions += 1
        if not learns and given.value is not None:
            _, n_query, n_key = given.shape
            calls.cache = Cache(given.value.clone(), first_query + n_query, first_key + n_key)
        calls.causal |= grown
        if self._is_wanted(step, calls):
            self._keep(step, calls, given, first_query, first_key)

    def _calls(self, spot: Spot, name: str, given: Given) -> Calls:
        if spot not in self.calls:
            visit = self.places.visit
            assert visit is not None
            layer, head = numbered(spot, given, self.calls, self.places)
            if self.places.compiled:
                self.remarks[UNCOMPILED] = None
            _, n_query, n_key = given.shape
            causal = given.mask_words.startswith("causal")
            self.calls[spot] = Calls(
                spot, visit.root, layer, head, name, given.crosses, causal, n_query == n_key
            )
            join_loop(self.calls[spot], given, self.calls, self.places, self.here)
        return self.calls[spot]

    def _step_of(self, visit: Visit | None, *, goes_on: bool) -> Step:
        """The step that a visit belongs to: a new one, unless its first attention goes on with a text."""
        assert visit is not None
        if visit is not self._visit:
            root = self.roots.setdefault(visit.root, Root())
            self._goes_on = goes_on and root.step is not None
            if not self._goes_on:
                self._close(root)
                root.step = Step(root.n_steps, visit.root)
                root.n_steps += 1
            self._visit, self._step = visit, root.step
        assert self._step is not None
        return self._step

    def _begins_at(self, calls: Calls, given: Given, *, grown: bool) -> tuple[int, int]:
        """Where a call's first query and first key stand in the text of the step."""
        cache = calls.cache
        if not self._goes_on or cache is None:
            return 0, 0
        _, n_query, n_key = given.shape
        if grown:
            return cache.n_queries, cache.n_keys + n_query - n_key
        return (cache.n_queries, 0) if cache.same(given) else (0, 0)

    def _is_wanted(self, step: Step, calls: Calls) -> bool:
        layers = self.wanted.layers
        return (layers is None or calls.layer in layers) and self.store.takes(step)

    def _keep(self, step: Step, calls: Calls, given: Given, first_query: int, first_key: int) -> None:
        n_heads = given.shape[0]
        if self.wanted.heads is not None and n_heads > 1:
            given = given.only([head for head in self.wanted.heads if head < n_heads])
            if not given.shape[0]:
                return
        if not given.masked and not calls.masked:
            calls.masked[given.mask_words] = None
        n_maps = n_heads * self.places.n_alike()
        with torch.autocast(given.tensor.device.type, enabled=False):
            kept = numbers(given, self.wanted.keep, n_maps=n_maps)
        if kept.weights is not None and not np.isfinite(kept.weights).all():
            raise ValueError("its weights are not finite")
        pieces = step.pieces.setdefault(calls.spot, [])
        if first_query == 0:
            pieces.clear()
        pieces.append(Piece(kept, first_query, first_key))
        step.n_kept[calls.spot] = step.n_kept.get(calls.spot, 0) + 1
        step.at = self.n_attentions
        self.store.grown(step, kept.n_bytes)

    def _close(self, root: Root) -> None:
        if root.step is not None and root.step.pieces:
            self.store.add(root.step)
        root.step = None


def _reason(problem: Exception) -> str:
    """What went wrong, in a few words."""
    return " ".join(str(problem).split())[:80] or type(problem).__name__
