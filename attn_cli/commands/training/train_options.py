"""The options of `train-toy`, in groups as its help shows them."""

from __future__ import annotations

import dataclasses
from typing import Annotated, ClassVar

import typer

from ...sources.training import Computer, Learner, Schooling
from ..io.choices import Registered
from ..io.source_options import Said, describe, number, real

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


describe(
    Learner,
    "The model (defaults: chosen per task)",
    {
        "layers": Said(number, "N", "Number of layers per stack.", min=1),
        "heads": Said(number, "N", "Number of heads per layer.", min=1),
        "dim": Said(number, "N", "Width d_model, a multiple of --heads.", min=1),
        "dropout": Said(real, "SHARE", "Dropout rate."),
    },
)
describe(
    Schooling,
    "The training (defaults: chosen per task)",
    {
        "steps": Said(number, "N", "Number of training steps.", min=1),
        "batch": Said(number, "N", "Batch size.", min=1),
        "lr": Said(real, "X", "Peak learning rate (default: chosen from --dim)."),
        "schedule": Said(
            str, "SPEC", "Learning-rate schedule: cosine, noam or constant (default: cosine).", SCHEDULES
        ),
        "label_smoothing": Said(float, "SHARE", "Label smoothing (default: 0)."),
        "accumulate": Said(
            int,
            "N",
            "Gradient accumulation: split each batch into N parts to save memory (default: 1).",
            min=1,
        ),
        "average": Said(
            float,
            "DECAY",
            "Decay of an exponential moving average of the weights, e.g. 0.999 (default: off).",
        ),
        "patience": Said(
            number,
            "N",
            "Early stopping: stop after N evaluations without a lower loss; 0: never.",
            min=0,
        ),
        "film": Said(bool, "", "Save how attention forms: film.gif, film.html, and frame by frame film.png."),
        "evaluate_every": Said(int, "N", "Evaluate every N steps (default: 50).", min=1),
        "seed": Said(int, "N", "Random seed (default: 0).", min=0, max=2**32 - 1),
    },
)
describe(
    Computer,
    "The machine",
    {
        "device": Said(str, "cpu|cuda|mps|auto", "Device to train on (default: cpu)."),
        "dtype": Said(str, "float32|bfloat16", "Precision of matrix products (default: float32)."),
        "compile": Said(bool, "", "Compile the model with torch.compile; needs a C++ compiler."),
        "threads": Said(number, "N", "CPU threads (default: 1 for small models, else all).", min=1),
    },
)
