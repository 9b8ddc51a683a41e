"""`attn train-toy`: train a small Transformer and see what it attends to."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .environment import environment
from .options import lists

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from rich.table import Table

    from ..models.run import Run
    from ..toy.tasks import Dataset
    from ..toy.training import Evaluation, Step

# What a run directory holds, in the order of writing: config.json says that all the others are there.
_FILES = ("model.safetensors", "metrics.csv", "loss.png", "attention.png", "config.json")


def _list_tasks(wanted: bool) -> None:
    if wanted:
        lists("toy.tasks", "TASKS")("help")


def train_toy(
    task: Annotated[
        str,
        typer.Argument(
            metavar="TASK", callback=lists("toy.tasks", "TASKS"), help="What to learn; 'help' lists them."
        ),
    ],
    output: Annotated[
        str | None, typer.Option("--output", "-o", metavar="DIR", help="Run directory (runs/TASK).")
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace the run that is in the directory.")
    ] = False,
    steps: Annotated[int, typer.Option(metavar="N", min=1, help="Training steps.")] = 500,
    layers: Annotated[int, typer.Option(metavar="N", min=1, help="Layers of the encoder.")] = 2,
    heads: Annotated[int, typer.Option(metavar="N", min=1, help="Heads of each layer.")] = 4,
    dim: Annotated[int, typer.Option(metavar="N", min=1, help="Width d_model; the heads divide it.")] = 64,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Seed of everything random.")] = 0,
    list_: Annotated[
        bool,
        typer.Option("--list", is_eager=True, callback=_list_tasks, help="List the tasks, one line each."),
    ] = False,
) -> None:
    """Train a small Transformer on a toy task, and measure where it attends.

    The run directory gets config.json, metrics.csv, model.safetensors, loss.png and attention.png; look at
    it with attn heatmap --model DIR. A pipe gets TSV: how many held-out sequences came out right, and for
    each head how much of its attention lies where the task says it should.
    """
    from .. import files
    from ..toy.tasks import TASKS

    draw_example = TASKS.parse(task)
    directory = Path(output or f"runs/{task.partition(':')[0]}")
    _refuse_to_replace(directory, overwrite)
    with _all_or_nothing(directory) as staging:  # made before the training, so that a failure comes early
        import torch

        from ..models.run import Run, to_files
        from ..toy.tasks import draw
        from ..toy.training import Options, evaluate, new_model, peak, train
        from ..transformer import Config

        if dim <= 64:
            # More threads hardly help so small a model and wait for each other where the cores are busy;
            # one gives the same numbers whatever the number of cores.
            torch.set_num_threads(1)
        options = Options(steps=steps, lr=peak(dim), seed=seed)
        dataset = draw(draw_example, options.examples, seed)
        config = Config(len(dataset.vocabulary), dataset.longest, dim, heads, layers, d_ff=4 * dim)
        model = new_model(config, seed)
        history = list(_with_bar(train(model, dataset, options), steps))
        reached = evaluate(model, dataset)
        run = Run(task, dataset.vocabulary, model, seed, reached.exact_match)
        contents = to_files(run, asdict(options), _results(reached)) | _pictures(run, dataset, history)
        contents["metrics.csv"] = _metrics(history)
        for name in _FILES:
            files.write(str(staging / name), [contents[name]])
    _report(directory, run, reached)


# ---- the directory ----------------------------------------------------------------------------------


def _refuse_to_replace(directory: Path, overwrite: bool) -> None:
    from ..errors import InputError

    if directory.exists() and not directory.is_dir():
        raise InputError("not a directory", hint="give another -o DIR", where=str(directory))
    there = [name for name in _FILES if (directory / name).exists()]
    if there and not overwrite:
        raise InputError(
            f"{there[-1]} is there already", hint="give another -o DIR, or --overwrite", where=str(directory)
        )


@contextlib.contextmanager
def _all_or_nothing(directory: Path) -> Iterator[Path]:
    """A folder for files that take their places in the run directory together, or not at all."""
    new = [folder for folder in (directory, *directory.parents) if not folder.exists()]
    directory.mkdir(parents=True, exist_ok=True)
    staging = Path(tempfile.mkdtemp(prefix=".attn-", dir=directory))
    try:
        yield staging
        for name in _FILES:
            os.replace(staging / name, directory / name)
    finally:
        shutil.rmtree(staging)
        with contextlib.suppress(OSError):  # those that hold the run stay
            for folder in new:
                folder.rmdir()


def _results(reached: Evaluation) -> dict[str, Any]:
    return asdict(reached) | {"expected_mass": reached.expected_mass.tolist()}


def _metrics(history: list[Step]) -> bytes:
    """CSV with a line for each step; what was not measured in a step stays empty."""
    rows = [["" if value is None else str(value) for value in asdict(step).values()] for step in history]
    return "".join(",".join(row) + "\n" for row in [list(asdict(history[0])), *rows]).encode()


def _pictures(run: Run, dataset: Dataset, history: list[Step]) -> dict[str, bytes]:
    """How it learned, and the attention to the longest of the held-out sequences."""
    from ..render.figure import attention_figure, curves_figure, save

    measured = ("loss", "exact_match", "expected_mass")
    curves = {name.replace("_", " "): _curve(history, name) for name in measured}
    longest = max(dataset.held_out, key=lambda example: len(example.source))
    attention = attention_figure(run.attend(" ".join(longest.source)))
    learned = curves_figure(curves, provenance=run.provenance)
    return {"attention.png": save(attention, "png"), "loss.png": save(learned, "png")}


def _curve(history: list[Step], name: str) -> tuple[list[int], list[float]]:
    """The steps in which something was measured, and its values."""
    measured = [(step.step, value) for step in history if (value := getattr(step, name)) is not None]
    return [step for step, _ in measured], [value for _, value in measured]


# ---- what the user sees -----------------------------------------------------------------------------


def _with_bar(steps: Iterable[Step], total: int) -> Iterator[Step]:
    """The same steps, with a progress bar on stderr as long as they last."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    console, learned = environment.stderr(), ""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        row = bar.add_task("loss", total=total)
        for step in steps:
            if step.exact_match is not None:
                learned = f"  exact match {step.exact_match:.1%}"
            bar.update(row, advance=1, description=f"loss {step.loss:.4f}{learned}")
            yield step


def _report(directory: Path, run: Run, reached: Evaluation) -> None:
    """The figures on stdout, and on stderr what they say in words."""
    layer, head = reached.best_head
    environment.stderr().print(
        f"{reached.exact_match:.1%} of {reached.n_examples} held-out sequences are right from first to last.\n"
        f"Head {head} of layer {layer} puts {reached.expected_mass[layer, head]:.1%} of its attention where "
        f"{run.task} expects it; looking everywhere alike would put {reached.uniform_mass:.1%} there.",
        soft_wrap=True,
    )
    if environment.to_terminal:
        environment.stdout().print(_table(reached))
        print(directory)
    else:
        environment.write([_tsv(directory, run, reached)])


def _table(reached: Evaluation) -> Table:
    from rich.table import Table
    from rich.text import Text

    n_heads = reached.expected_mass.shape[1]
    table = Table("layer", *(f"head {head}" for head in range(n_heads)), title="attention where expected")
    for layer, masses in enumerate(reached.expected_mass):
        styles = ["bold" if (layer, head) == reached.best_head else "" for head in range(n_heads)]
        table.add_row(str(layer), *map(Text, [f"{mass:.1%}" for mass in masses], styles))
    return table


def _tsv(directory: Path, run: Run, reached: Evaluation) -> bytes:
    from ..tokens import escape

    lines = ["run\ttask\tseed\texact_match\tlayer\thead\texpected_mass"]
    for layer, masses in enumerate(reached.expected_mass.tolist()):
        for head, mass in enumerate(masses):
            cells = (escape(str(directory)), run.task, run.seed, reached.exact_match, layer, head, mass)
            lines.append("\t".join(map(str, cells)))
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
