"""The attention of a program that ran: what was kept of each of its steps, one `Attention` of which is picked."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from ..errors import InputError, for_python, note
from .selection import choose

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .attention import Attention, Kind


UNSEEN = (
    "seen are SDPA, nn.MultiheadAttention, FlexAttention and softmax(scores) @ value; "
    "other weights show as attn.Attention.of(weights, tokens)"
)  # what to do where nothing was seen, on the command line and in Python


@dataclass(frozen=True)
class Part:
    """Attentions of one step that are of a kind and a size: the layers of one record."""

    step: int
    root: str  # the outermost module
    kind: Kind
    modules: tuple[str, ...]  # a path for each layer
    layers: tuple[int, ...]
    n_heads: int
    n_query: int
    n_key: int
    name: str = ""  # where it is kept

    @property
    def size(self) -> str:
        """Layers, heads, queries and keys, in words."""
        n, m = len(self.layers), self.n_heads
        layers = f"{n} layer{'' if n == 1 else 's'} of {m} head{'' if m == 1 else 's'}"
        return f"{layers}, {self.n_query} × {self.n_key}"


@dataclass(frozen=True, eq=False)
class Recording:
    """All that was kept; `read` gives the attention of a part, which may still be on the disk.

    >>> from .attention import Attention
    >>> part = Part(3, "GPT", "decoder", ("h.0", "h.1"), (0, 1), 1, 1, 1)
    >>> recording = Recording((part,), lambda part: Attention("a", "a", [[[[1.0]]], [[[1.0]]]], layers=(0, 1)))
    >>> recording.steps, recording.pick(module="h.1").layers
    ([3], (1,))
    """

    parts: tuple[Part, ...]
    read: Callable[[Part], Attention]
    table: str = ""  # what was seen, a line for each attention
    remarks: tuple[str, ...] = ()

    @property
    def steps(self) -> list[int]:
        """The numbers of the steps of which something was kept."""
        return sorted({part.step for part in self.parts})

    @for_python()
    def pick(self, step: int | None = None, kind: str | None = None, module: str | None = None) -> Attention:
        """The attention of all layers of a kind and size, in a step or in the last.

        `module` picks by path, as "encoder.*". Without `kind` the first that the program computes is taken, and
        where there are several sizes, that of most layers; what else there is, is said. Raises InputError when there
        is none.
        """
        return picked_part(self, step, kind, module)

    def ranked(
        self, step: int | None = None, kind: str | None = None, module: str | None = None
    ) -> list[Part]:
        """The parts that may be meant, the likeliest first.

        Raises InputError when there is none.
        """
        parts = self.of_step(step)
        if module is not None:
            there = [path for part in parts for path in part.modules]
            parts = [part for part in parts if any(matches(path, module) for path in part.modules)]
            if not parts:
                raise InputError(f"no module {module!r} attends", hint=f"give one of {listed(there)}")
        kinds = list(dict.fromkeys(part.kind for part in parts))
        if kind is not None and kind not in kinds:
            raise InputError(f"no attention of kind {kind!r}", hint=f"give {' or '.join(kinds)}")
        parts = [part for part in parts if part.kind == (kinds[0] if kind is None else kind)]
        return sorted(parts, key=lambda part: -len(part.layers))

    def of_step(self, step: int | None) -> list[Part]:
        """The parts of a step, or of the last of each program; raises InputError where there is none."""
        if not self.parts:
            hint = "see what was seen in its table" if self.table.strip() else UNSEEN
            raise InputError("no attention was recorded", hint=hint)
        if step is not None and step not in self.steps:
            raise InputError(f"no step {step} was kept", hint=f"kept are {listed(self.steps)}")
        last = {part.root: part.step for part in sorted(self.parts, key=lambda part: part.step)}
        return [part for part in self.parts if part.step == (last[part.root] if step is None else step)]


def picked_part(
    recording: Recording, step: int | None = None, kind: str | None = None, module: str | None = None
) -> Attention:
    """What `Recording.pick` gives; what else there is, is said in the words of the command line."""
    part, *others = recording.ranked(step, kind, module)
    if others:
        sizes = listed([f"{other.size} ({other.modules[0]})" for other in others])
        note(f"showing {part.size}; the recording also has {sizes}; choose with --module NAME")
    kinds = {other.kind: None for other in recording.of_step(step) if other.kind != part.kind}
    if kind is None and module is None and kinds:
        note(f"showing {part.kind}; the recording also has {listed(list(kinds))}; choose with --kind")
    attention = recording.read(part)
    if module is None:
        return attention
    places = zip(part.modules, part.layers, strict=True)
    return choose(attention, "layer", tuple(layer for path, layer in places if matches(path, module)))


def matches(path: str, pattern: str) -> bool:
    """Whether a path is meant: by itself, as a part of what is named, or by a pattern with stars.

    >>> matches("h.0.attn", "h.0"), matches("h.0.attn", "h.*.attn"), matches("h.10", "h.1")
    (True, True, False)
    """
    return fnmatchcase(path, pattern) or path.startswith(f"{pattern}.")


def renamed(
    attention: Attention, tokens: Sequence[str] | None, key_tokens: Sequence[str] | None, spare: int = 1
) -> Attention:
    """The same attention with other tokens; those of the keys are the same where there are as many of them.

    Of a text that a program has written the last token is not attended to, so that one more may be given: as
    many as are `spare`. Raises InputError when they do not fit.
    """
    if tokens is None and key_tokens is None:
        return attention
    n_query, n_key = len(attention.query_tokens), len(attention.key_tokens)
    names: dict[str, Any] = {}
    if tokens is not None:
        alone = attention.kind != "cross" and key_tokens is None
        if alone and n_query < n_key and len(tokens) == n_key:
            tokens, key_tokens = tokens[n_key - n_query :], tokens
        names["query_tokens"] = _fitting(tokens, n_query, spare)
        if alone and n_query == n_key:
            names["key_tokens"] = names["query_tokens"]
    if key_tokens is not None:
        names["key_tokens"] = _fitting(key_tokens, n_key, spare)
    return dataclasses.replace(attention, **names, query_words=None, key_words=None)


def _fitting(tokens: Sequence[str], n: int, spare: int) -> tuple[str, ...]:
    if not n <= len(tokens) <= n + spare:
        raise InputError(f"{len(tokens)} tokens for {n} positions", hint="give one for each")
    return tuple(map(str, tokens[:n]))


def listed(things: Sequence[Any]) -> str:
    """The first few, and the last."""
    shown = ", ".join(map(str, things[:6]))
    return f"{shown}, … {things[-1]}" if len(things) > 6 else shown
