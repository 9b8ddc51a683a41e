"""`attn record`: the attention of any PyTorch program."""

from __future__ import annotations

import dataclasses
import os
import re
import shlex
from contextlib import ExitStack
from itertools import takewhile
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import typer

from ..errors import InputError, note, warn
from ..sources.groups import one_of
from .io.choices import Listed, completion, explain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..attention.recording.seen_calls import Seen
    from ..attention.recording.store import Wanted

KEPT = Listed(
    {
        "maps": "All weights; where they are many, pooled maps and figures of rows and keys.",
        "vectors": "The same, and where all weights are kept, scores, query, key and value of each head.",
        "rows": "Figures of rows and keys, and a coarse map.",
        "figures": "A few figures for each head and step, as a table.",
    }
)
PARTS = ".parts"  # after the name of the file: the folder of what is not yet in it


@dataclasses.dataclass(frozen=True)
class Kept:
    """What is kept of all that a program attends to."""

    TITLE: ClassVar = "What is kept"
    layer: Annotated[str | None, typer.Option(metavar="N,…", help="Layers: 0,2 or 0-2 (default: all).")] = (
        None
    )
    head: Annotated[str | None, typer.Option(metavar="N,…", help="Heads: 0,2 or 0-2 (default: all).")] = None
    calls: Annotated[
        str | None,
        typer.Option(metavar="FROM:TO", help="Calls of the model, from 0, TO not included (default: all)."),
    ] = None
    every: Annotated[int, typer.Option(metavar="N", min=1, help="Record every Nth call (default: 1).")] = 1
    keep: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            callback=explain(KEPT),
            autocompletion=completion(KEPT),
            help="maps, vectors, rows or figures (default: maps).",
        ),
    ] = "maps"
    example: Annotated[
        int, typer.Option(metavar="N", min=0, help="Example of each batch, from 0 (default: 0).")
    ] = 0
    most: Annotated[
        str,
        typer.Option(metavar="SIZE", help="Keep fewer calls when the file would be larger (default: 1G)."),
    ] = "1G"

    def wanted(self) -> Wanted:
        """The same as the recorder takes it; raises InputError for what cannot be."""
        from ..attention.recording.store import Wanted

        one_of("keep", self.keep, tuple(KEPT.meanings))
        layers, heads = _numbers("layer", self.layer), _numbers("head", self.head)
        return Wanted(layers, heads, _range(self.calls), self.every, self.keep, self.example)  # type: ignore[arg-type]

    def most_bytes(self) -> int:
        """How large the file may become."""
        from ..files.memory import parse_size

        return parse_size(self.most)


def record(
    program: Annotated[
        list[str] | None, typer.Argument(metavar="SCRIPT", help="The program, and its own arguments.")
    ] = None,
    module: Annotated[
        bool, typer.Option("-m", help="SCRIPT is the name of a module, as for python -m.")
    ] = False,
    output: Annotated[
        str | None,
        typer.Option(
            "--output", "-o", metavar="PATH", help="Where to write it, as .npz (default: attention.npz)."
        ),
    ] = None,
    tokens: Annotated[
        str | None, typer.Option(metavar="FILE", help="Names of the tokens, one per line.")
    ] = None,
    *,
    kept: Kept,
) -> None:
    """Record the attention of any PyTorch program: run it as python would.

    \b
    attn record train.py --epochs 1
    attn record -o run.npz --every 100 -m mypackage.train
    attn heatmap run.npz --step 3

    Seen are SDPA, nn.MultiheadAttention, FlexAttention and softmax(scores) @ value.
    The program keeps its arguments, streams and exit code, and computes the same numbers. Put attn's own options
    before SCRIPT. When the program ends, fails or is interrupted, the recording is written, and stderr gets a table
    of what was recorded. Until then it lies in the folder PATH.parts, which attn heatmap reads as well.
    """
    from .io.environment import environment
    from .io.processes import is_beside
    from .io.program import run

    if not program:
        environment.help_a_person()
        raise InputError("no SCRIPT", hint="give a Python file, or -m MODULE")
    name, *arguments = program
    if not module and not os.path.exists(name):
        raise InputError("no such file", hint="put attn's own options before SCRIPT", where=name)
    if is_beside():  # torchrun has started several: the first records, all run the program
        raise typer.Exit(run(name, arguments, module=module))
    recorded = _Recorded(_path(output, kept.keep), kept.wanted(), kept.most_bytes(), name, _names(tokens))
    recorded.wait()
    code = run(name, arguments, module=module)
    recorded.finish()
    if theirs := _after_script(arguments, kept, output, tokens):
        note(f"{', '.join(theirs)} after SCRIPT went to the program; options of attn stand before it")
    raise typer.Exit(code)


# Options of the program are its own: ours end where it begins.
record.CONTEXT = {"allow_interspersed_args": False}  # type: ignore[attr-defined]


def _after_script(arguments: Sequence[str], kept: Kept, output: str | None, tokens: str | None) -> list[str]:
    """Options of this command among the program's arguments, but those that attn was given as well.

    A program may have options of the same names, so nothing tells for whom one was meant.
    """
    free = {
        f"--{field.name}": getattr(kept, field.name) == field.default for field in dataclasses.fields(Kept)
    }
    free |= {"-o": output is None, "--output": output is None, "--tokens": tokens is None}
    typed = (word.partition("=")[0] for word in takewhile(lambda word: word != "--", arguments))
    return [option for option in dict.fromkeys(typed) if free.get(option)]


class _Recorded:
    """A recording that begins when the program imports torch, so that all it sets before counts."""

    def __init__(
        self, path: str, wanted: Wanted, most_bytes: int, name: str, tokens: tuple[str, ...] | None
    ) -> None:
        self.path, self.wanted, self.most_bytes = path, wanted, most_bytes
        self.file = os.path.abspath(path)  # wherever the program goes
        self.process = os.getpid()
        self.name, self.tokens = name, tokens
        self.open = ExitStack()
        self.seen: Seen | None = None

    def wait(self) -> None:
        """Begin as soon as there is torch."""
        from .io.program import when_imported

        when_imported("torch", self._begin)

    def _begin(self) -> None:
        from ..attention.recorder import label, recording
        from ..attention.recording.store import Memory
        from ..files.recording_store import Disk

        wanted, most = self.wanted, self.most_bytes
        self.store = (
            Memory(wanted, most)
            if wanted.keep == "figures"
            else Disk(self.file, f"{self.file}{PARTS}", wanted, most)
        )
        self.seen = self.open.enter_context(recording(self.store, os.path.basename(self.name), threads=True))
        if self.tokens is not None:
            label(self.tokens)

    def finish(self) -> None:
        """Write what was seen, and say what it was."""
        from .. import files
        from ..files.recording_store import Disk

        if os.getpid() != self.process:  # a process that the program has forked: the recording is not its own
            return
        if self.seen is None:
            warn(f"{self.name} did not import torch: nothing was recorded")
            return
        self.open.close()
        if isinstance(self.store, Disk):
            self.store.finish(repr(self.seen), self.seen.remarks)
        elif self.seen.steps:
            name = files.format_of(self.path, None, formats=files.TABLES)
            files.write(self.file, files.TABLES[name](self.seen.figures()))
        self._say(self.seen)

    def _say(self, seen: Seen) -> None:
        from ..records.recording import UNSEEN
        from .io.environment import environment
        from .io.processes import several

        if not seen:
            warn(f"no attention was recorded; {UNSEEN}")
            return
        if not environment.quiet:
            print(seen, file=environment.stderr().file)
        if several():
            note(f"recorded in the first of {os.environ['WORLD_SIZE']} processes")
        if n := len(seen.steps):
            note(f"wrote {self.path}: {n} step{'s' * (n > 1)}")
        else:
            warn("no step was kept")


def _path(output: str | None, keep: str) -> str:
    """Where the recording goes; a name that is chosen here is that of no file."""
    suffix = ".tsv" if keep == "figures" else ".npz"
    if output is None:
        names = (f"attention{number}{suffix}" for number in ("", *(f"-{i}" for i in range(2, 10**6))))
        return next(name for name in names if not any(map(os.path.exists, (name, f"{name}{PARTS}"))))
    folder = os.path.dirname(output)
    if folder and not os.path.isdir(folder):
        raise InputError("no such folder", hint=f"make it: mkdir -p {shlex.quote(folder)}", where=output)
    if keep != "figures" and not output.endswith(".npz"):
        raise InputError("a recording is written as .npz", hint="write -o NAME.npz", where=output)
    if os.path.isdir(f"{output}{PARTS}"):
        hint = "look at it with attn heatmap, then remove it, or choose another -o"
        raise InputError("holds a recording that was stopped", hint=hint, where=f"{output}{PARTS}")
    return output


def _numbers(axis: Literal["layer", "head"], text: str | None) -> tuple[int, ...] | None:
    from ..records.selection import parse_choice

    if text is None:
        return None
    chosen = parse_choice(axis, text)
    if not isinstance(chosen, tuple) or min(chosen) < 0:
        raise InputError(f"--{axis} {text!r} is not a list of numbers", hint="give numbers, as 0,2 or 0-2")
    return chosen


def _range(text: str | None) -> range | None:
    if text is None:
        return None
    if not (ends := re.fullmatch(r"(\d*):(\d*)", text)):
        raise InputError(f"--calls {text!r}", hint="give FROM:TO, as 0:100 or 10:")
    return range(int(ends[1] or 0), int(ends[2]) if ends[2] else 2**62)


def _names(path: str | None) -> tuple[str, ...] | None:
    from .. import files

    return None if path is None else files.read_tokens(path)
