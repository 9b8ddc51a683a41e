"""`attn train-toy`: train a small Transformer and see what it attends to."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import InputError
from .io.environment import environment
from .io.options import Appearance
from .training.run_directory import STATE, RunDirectory
from .training.run_readme import command, readme
from .training.task_list import tasks
from .training.train_loop import team, train
from .training.train_options import Computer, Directory, Learner, Schooling
from .training.train_report import measured, metrics, pictures, report, results, sentences

if TYPE_CHECKING:
    from collections.abc import Callable

    from ..models.runs.run import Run
    from ..toy.evaluation import Evaluation
    from ..toy.examples import Dataset, Recipe
    from ..toy.training import Machine, Options, Team, Training
    from ..transformer.model import Config


def train_toy(
    directory: Directory,
    learner: Learner,
    schooling: Schooling,
    computer: Computer,
    drawing: Appearance,
    task: Annotated[
        str | None,
        typer.Argument(metavar="TASK", callback=tasks, help="Task to learn; --list shows all."),
    ] = None,
    list_: Annotated[
        bool,
        typer.Option("--list", is_eager=True, callback=tasks, help="List the tasks, one line each."),
    ] = False,
) -> None:
    """Train a small Transformer on a toy task or your own data, and measure where it attends.

    The run directory holds the model, its metrics and pictures; view it with attn heatmap --model DIR.
    Ctrl-C saves the training, and --resume continues it. A pipe gets TSV: the share of held-out sequences that
    are right, and per head the attention mass at the positions that the task expects.
    """
    from ..toy import find
    from ..toy.resuming import state
    from .io.output import look

    if task is None:
        given = (directory, learner, schooling, computer, drawing)
        if given == (Directory(), Learner(), Schooling(), Computer(), Appearance()):
            environment.show_help()
        raise InputError("no TASK", hint="give one of those that attn train-toy --list shows")
    if directory.format not in (None, "tsv", "json"):
        raise InputError(f"--format {directory.format!r}", hint="give tsv or json")
    seen = look(drawing)
    make, recipe = find(task)
    text = _data(task, directory)
    path = Path(directory.output or f"runs/{task.partition(':')[0]}")
    place = RunDirectory(
        path, task, overwrite=directory.overwrite, resume=directory.resume, film=schooling.film
    )
    machine = _machine(computer, learner.dim or recipe.dim)
    with team(machine.device) as ours, place.made() if ours.rank == 0 else contextlib.nullcontext():
        options = _options(schooling, recipe, learner)
        dataset = _made(make, text, options, directory)
        config = _config(dataset, recipe, learner)
        training = _training(config, dataset, recipe, options, machine, ours)
        title = directory.name or f"train-toy {task}"
        begun = _begun(task, text, config, options, machine) | {"name": title, "half": directory.half}
        if directory.resume:
            place.resume(training, begun)
        train(training, lambda: place.save_state(begun, *state(training)))
        if ours.rank > 0:
            return
        reached = measured(training)
        run = _run(title, training, reached)
        contents = _contents(run, task, training, reached, half=directory.half)
        contents |= pictures(run, training, reached, seen)
        typed = command(task, directory, learner, schooling, computer, drawing)
        said = sentences(reached, task, recipe)
        contents["README.md"] = readme(run, typed, training, said, {*contents, STATE})
        place.save(contents)
    report(path, run, reached, task, recipe, directory.format)


# ---- from options to a training ------------------------------------------------------------------------


def _data(task: str, given: Directory) -> str | None:
    """The text of one's own data, where the task reads it."""
    from .. import files
    from ..toy import needs_data

    if not needs_data(task):
        for option in ("data", "encoding"):
            if getattr(given, option) is not None:
                raise InputError(f"--{option} does not apply to the task '{task}'", hint="leave it out")
        return None
    if given.data is None:
        raise InputError(f"task '{task}' learns from your own examples", hint="give --data FILE")
    return files.read_text(given.data, encoding=given.encoding)


def _made(make: Callable[..., Dataset], text: str | None, options: Options, given: Directory) -> Dataset:
    """What is learned from; an error in a line of the text names its file."""
    from ..files.source import called
    from ..toy.lines import LineError

    try:
        return make(text, options.examples, options.seed)
    except LineError as problem:
        raise problem.at(called(given.data or "")) from None


def _options(given: Schooling, recipe: Recipe, learner: Learner) -> Options:
    from ..toy.training import Options, peak

    chosen = dataclasses.asdict(given)
    chosen["steps"] = given.steps or recipe.steps
    chosen["batch"] = given.batch or recipe.batch
    chosen["patience"] = recipe.patience if given.patience is None else given.patience
    chosen["lr"] = (recipe.lr or peak(learner.dim or recipe.dim)) if given.lr is None else given.lr
    return Options(**chosen)


def _machine(given: Computer, dim: int) -> Machine:
    import torch

    from ..toy.training import Machine

    if given.dtype not in ("float32", "bfloat16"):
        raise InputError(f"--dtype {given.dtype!r}", hint="give float32 or bfloat16")
    # More threads hardly help so small a model and wait for each other where the cores are busy; one gives
    # the same numbers whatever the number of cores.
    if given.threads or dim <= 64:
        torch.set_num_threads(given.threads or 1)
    from ..attention.devices import pick_device

    return Machine(str(pick_device(given.device)), given.dtype, given.compile)


def _config(dataset: Dataset, recipe: Recipe, given: Learner) -> Config:
    from ..transformer.model import Config

    dim, heads = given.dim or recipe.dim, given.heads or recipe.heads
    if dim % heads:
        raise InputError(
            f"{heads} heads do not divide --dim {dim}", hint=f"give --dim as a multiple of {heads}"
        )
    pictures = dataset.train[0].image
    tied = dataset.tokenizer is not None and not dataset.outputs
    return Config(
        len(dataset.vocabulary) if pictures is None else len(pictures),
        dataset.longest if dataset.tokenizer is None else max(256, dataset.longest),
        dim,
        heads,
        given.layers or recipe.layers,
        d_ff=4 * dim,
        stack=recipe.stack,
        positions=recipe.positions,
        patch=recipe.patch,
        unembedding="tied" if tied else "own",
        embedding_scale=tied,
        outputs=len(dataset.outputs) or None,
        dropout=recipe.dropout if given.dropout is None else given.dropout,
    )


def _training(
    config: Config, dataset: Dataset, recipe: Recipe, options: Options, machine: Machine, team: Team
) -> Training:
    from ..toy.training import Training, new_model

    return Training(new_model(config, options.seed), dataset, recipe, options, machine, team)


def _begun(task: str, text: str | None, config: Config, options: Options, machine: Machine) -> dict[str, Any]:
    """What must be the same for a training to go on as if nothing had happened."""
    import hashlib

    data = hashlib.sha256((text or "").encode("utf-8", "surrogatepass")).hexdigest()
    parts = [dataclasses.asdict(part) for part in (config, options, machine)]
    return {"task": task, "data": data[:16]} | {name: x for part in parts for name, x in part.items()}


# ---- what it gives -------------------------------------------------------------------------------------


def _run(title: str, training: Training, reached: Evaluation) -> Run:
    from ..models.runs.run import Run

    dataset, measure = training.dataset, training.recipe.measure
    learned = {
        "exact match": f"exact match {100 * reached.exact_match:.1f} %",
        "F1": f"F1 {100 * (reached.f1 or 0):.1f} %",
        "loss": f"loss {reached.loss:.3f}",
    }
    return Run(
        title,
        training.model,
        dataset.vocabulary,
        training.options.seed,
        learned[measure],
        training.recipe.attends,
        dataset.outputs,
        dataset.starts if training.recipe.stack == "both" else (),
        dataset.sides,
        _tokenizer(dataset),
    )


def _tokenizer(dataset: Dataset) -> Any:
    from ..text.tokenizers import parse_tokenizer

    return None if dataset.tokenizer is None else parse_tokenizer(dataset.tokenizer)


def _contents(
    run: Run, task: str, training: Training, reached: Evaluation, *, half: bool
) -> dict[str, bytes]:
    """The files of the run, but for its state and its README."""
    from ..models.runs.directory import to_files

    said = dataclasses.asdict(training.options)
    said |= {"extended": [dataclasses.asdict(one) for one in training.extended]} if training.extended else {}
    contents = to_files(run, task, said, results(reached), half=half)
    contents["metrics.csv"] = metrics(training.history)
    return contents
