"""The options of `train-toy`, in groups as its help shows them."""

from __future__ import annotations

import dataclasses
from typing import Annotated, ClassVar

import typer

from ..io.choices import Registered, completion, explain

SCHEDULES = Registered(("toy.schedules:SCHEDULES",))


@dataclasses.dataclass(frozen=True)
class Directory:
    """Where the run goes, what it learns from and is called, and in what form its results are printed."""

    TITLE: ClassVar = "The run"
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="DIR", help="Run directory (runs/TASK).")
    ] = None
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the run that is in the directory.")
    ] = False
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where a training with the same options stopped.")
    ] = False
    data: Annotated[
        str | None, typer.Option(metavar="FILE", help="Your own examples, for tasks that read them.")
    ] = None
    encoding: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Character encoding of --data (UTF-8, else guessed and said)."),
    ] = None
    name: Annotated[
        str | None, typer.Option(metavar="NAME", help="What pictures call the model (train-toy TASK).")
    ] = None
    half: Annotated[
        bool, typer.Option("--half", help="Save the weights in 16 bits: half the size, not to train on.")
    ] = False
    format: Annotated[
        str | None,
        typer.Option(metavar="tsv|json", help="Print what was reached as a table of heads, or all of it."),
    ] = None


@dataclasses.dataclass(frozen=True)
class Learner:
    """The model; what is left out is as the task needs it."""

    TITLE: ClassVar = "The model (as the task needs it)"
    layers: Annotated[int | None, typer.Option(metavar="N", min=1, help="Layers of each stack.")] = None
    heads: Annotated[int | None, typer.Option(metavar="N", min=1, help="Heads of each layer.")] = None
    dim: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Width d_model; the heads divide it.")
    ] = None
    dropout: Annotated[
        float | None, typer.Option(metavar="SHARE", help="Share that training leaves out, at random.")
    ] = None


@dataclasses.dataclass(frozen=True)
class Schooling:
    """How it is trained."""

    TITLE: ClassVar = "The training (as the task needs it)"
    steps: Annotated[int | None, typer.Option(metavar="N", min=1, help="Training steps.")] = None
    batch: Annotated[int | None, typer.Option(metavar="N", min=1, help="Examples in a step.")] = None
    lr: Annotated[
        float | None, typer.Option(metavar="X", help="Highest learning rate (what suits the width).")
    ] = None
    schedule: Annotated[
        str,
        typer.Option(
            metavar="SPEC",
            callback=explain(SCHEDULES),
            autocompletion=completion(SCHEDULES),
            help="How the learning rate goes: cosine, noam, constant.",
        ),
    ] = "cosine"
    label_smoothing: Annotated[
        float, typer.Option(metavar="SHARE", help="Share of the target spread over all tokens.")
    ] = 0.0
    accumulate: Annotated[
        int, typer.Option(metavar="N", min=1, help="Pieces that a batch is computed in, for less memory.")
    ] = 1
    average: Annotated[
        float, typer.Option(metavar="DECAY", help="Keep a running mean of the weights, as with 0.999.")
    ] = 0.0
    patience: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="Stop after N measurements without a better loss; 0: never."),
    ] = None
    film: Annotated[
        bool, typer.Option("--film", help="Film how attention forms: film.gif, and film.png side by side.")
    ] = False
    evaluate_every: Annotated[
        int, typer.Option(metavar="N", min=1, help="Steps from one measurement to the next.")
    ] = 50
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, max=2**32 - 1, help="Seed of everything random.")
    ] = 0


@dataclasses.dataclass(frozen=True)
class Computer:
    """What it is trained on."""

    TITLE: ClassVar = "The machine"
    device: Annotated[str, typer.Option(metavar="cpu|cuda|mps|auto", help="Where to compute.")] = "cpu"
    dtype: Annotated[
        str, typer.Option(metavar="float32|bfloat16", help="Precision in which matrices are multiplied.")
    ] = "float32"
    compile: Annotated[
        bool, typer.Option("--compile", help="Let torch compile the model first; needs a C++ compiler.")
    ] = False
    threads: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Threads of the processor (1 for small models).")
    ] = None
