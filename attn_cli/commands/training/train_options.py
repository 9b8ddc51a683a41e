"""The options of `train-toy`, in groups as its help shows them."""

from __future__ import annotations

import dataclasses
from typing import Annotated, ClassVar

import typer

from ..io.choices import Registered, completion, explain

SCHEDULES = Registered(("toy.schedules:SCHEDULES",))


@dataclasses.dataclass(frozen=True)
class Directory:
    """The run directory, its data, its name and the format of its results."""

    TITLE: ClassVar = "The run"
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="DIR", help="Run directory (default: runs/TASK).")
    ] = None
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the run in the directory.")] = False
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue a training with the same options, or more --steps.")
    ] = False
    data: Annotated[
        str | None, typer.Option(metavar="FILE", help="Your own examples, for tasks that use them.")
    ] = None
    encoding: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Text encoding of --data (default: UTF-8, else guessed, with a note)."
        ),
    ] = None
    name: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Model name shown in pictures (default: train-toy TASK)."),
    ] = None
    half: Annotated[
        bool,
        typer.Option("--half", help="Save weights as float16: half the size, but training cannot continue."),
    ] = False
    format: Annotated[
        str | None,
        typer.Option(
            metavar="tsv|json",
            help="Print results as TSV (one row per head) or as full JSON (default: tsv in a pipe).",
        ),
    ] = None


@dataclasses.dataclass(frozen=True)
class Learner:
    """The model; the task sets what is not given."""

    TITLE: ClassVar = "The model (defaults: chosen per task)"
    layers: Annotated[int | None, typer.Option(metavar="N", min=1, help="Number of layers per stack.")] = None
    heads: Annotated[int | None, typer.Option(metavar="N", min=1, help="Number of heads per layer.")] = None
    dim: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Width d_model, a multiple of --heads.")
    ] = None
    dropout: Annotated[float | None, typer.Option(metavar="SHARE", help="Dropout rate.")] = None


@dataclasses.dataclass(frozen=True)
class Schooling:
    """The training."""

    TITLE: ClassVar = "The training (defaults: chosen per task)"
    steps: Annotated[int | None, typer.Option(metavar="N", min=1, help="Number of training steps.")] = None
    batch: Annotated[int | None, typer.Option(metavar="N", min=1, help="Batch size.")] = None
    lr: Annotated[
        float | None, typer.Option(metavar="X", help="Peak learning rate (default: chosen from --dim).")
    ] = None
    schedule: Annotated[
        str,
        typer.Option(
            metavar="SPEC",
            callback=explain(SCHEDULES),
            autocompletion=completion(SCHEDULES),
            help="Learning-rate schedule: cosine, noam or constant (default: cosine).",
        ),
    ] = "cosine"
    label_smoothing: Annotated[float, typer.Option(metavar="SHARE", help="Label smoothing (default: 0).")] = (
        0.0
    )
    accumulate: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            help="Gradient accumulation: split each batch into N parts to save memory (default: 1).",
        ),
    ] = 1
    average: Annotated[
        float,
        typer.Option(
            metavar="DECAY",
            help="Decay of an exponential moving average of the weights, e.g. 0.999 (default: off).",
        ),
    ] = 0.0
    patience: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=0,
            help="Early stopping: stop after N evaluations without a lower loss; 0: never.",
        ),
    ] = None
    film: Annotated[
        bool,
        typer.Option("--film", help="Save how attention forms as film.gif and, frame by frame, film.png."),
    ] = False
    evaluate_every: Annotated[
        int, typer.Option(metavar="N", min=1, help="Evaluate every N steps (default: 50).")
    ] = 50
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, max=2**32 - 1, help="Random seed (default: 0).")
    ] = 0


@dataclasses.dataclass(frozen=True)
class Computer:
    """The device."""

    TITLE: ClassVar = "The machine"
    device: Annotated[
        str, typer.Option(metavar="cpu|cuda|mps|auto", help="Device to train on (default: cpu).")
    ] = "cpu"
    dtype: Annotated[
        str, typer.Option(metavar="float32|bfloat16", help="Precision of matrix products (default: float32).")
    ] = "float32"
    compile: Annotated[
        bool, typer.Option("--compile", help="Compile the model with torch.compile; needs a C++ compiler.")
    ] = False
    threads: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="CPU threads (default: 1 for small models, else all)."),
    ] = None
