"""The attention of a PyTorch program that runs: `with record() as seen: model(x)`."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from ..errors import InputError
from .recording.recorder import Label, Recorder
from .recording.seen_calls import Seen
from .recording.store import MOST_BYTES, Memory, Wanted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .recording.kept_numbers import Keep
    from .recording.store import Store

_RECORDER: ContextVar[Recorder | None] = ContextVar("recorder", default=None)


@contextmanager
def record(
    *,
    layers: int | Sequence[int] | None = None,
    heads: int | Sequence[int] | None = None,
    steps: int | range | slice | None = None,
    every: int = 1,
    keep: Keep = "maps",
    example: int = 0,
    most_bytes: int = MOST_BYTES,
    name: str = "",
) -> Iterator[Seen]:
    """Record the attention of whatever PyTorch computes meanwhile, be it fused, compiled or written by hand.

    Weights are those before dropout, of one `example` of each batch. A step is a call of the outermost module,
    or a text that is written token by token; of many steps those are kept that `steps` and `every` choose, and
    ever fewer, spread evenly, when they take more than `most_bytes`. `keep` is "maps" (all weights, or pooled
    maps where they are many), "vectors" (scores, query, key and value too), "rows" (figures of rows and keys beside a coarse map) or "figures" (a few for each
    head). The program computes the same numbers as without it.

    >>> import torch
    >>> from torch.nn.functional import scaled_dot_product_attention
    >>> x = torch.eye(2)[None, None]  # [batch, head, seq, d_head]
    >>> with record() as seen:
    ...     _ = scaled_dot_product_attention(x, x, x, scale=0.0)
    >>> seen.attention(tokens=["a", "b"]).weights.tolist()
    [[[[0.5, 0.5], [0.5, 0.5]]]]
    """
    wanted = Wanted(_several(layers), _several(heads), _range(steps), every, keep, example)
    with recording(Memory(wanted, most_bytes), name) as seen:
        yield seen


@contextmanager
def recording(store: Store, name: str = "", *, threads: bool = False) -> Iterator[Seen]:
    """The same into a store, which knows what is wanted; with `threads` of a whole program, not of this thread alone."""
    recorder = Recorder(store.wanted, store, name, threads=threads)
    token = _RECORDER.set(recorder)
    try:
        with recorder.on():
            yield Seen(recorder)
    finally:
        _RECORDER.reset(token)


def label(tokens: Sequence[str]) -> None:
    """Say what the tokens are that the program attends to; without a recording nothing happens.

    Queries and keys are called so where there are as many of them, in the steps from here on, and in those before
    that no other label fits.

    >>> label(["nobody", "listens"])
    """
    if (recorder := _RECORDER.get()) is not None:
        recorder.labels.append(Label(tuple(map(str, tokens)), recorder.n_attentions))


def _several(given: int | Sequence[int] | None) -> Sequence[int] | None:
    return [given] if isinstance(given, int) else given


def _range(steps: int | range | slice | None) -> range | None:
    """The steps that are meant.

    >>> _range(slice(2, None)).start, _range(3)
    (2, range(3, 4))
    """
    if isinstance(steps, slice):
        if steps.step not in (None, 1):
            raise InputError(f"steps {steps.start}:{steps.stop}:{steps.step}", hint="give every in its place")
        return range(steps.start or 0, 2**62 if steps.stop is None else steps.stop)
    return range(steps, steps + 1) if isinstance(steps, int) else steps
