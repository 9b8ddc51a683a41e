"""`attn train-toy`: train a small Transformer and see what it attends to."""

from __future__ import annotations

import contextlib
import shlex
from pathlib import Path
from typing import Annotated

import typer

from ..errors import InputError
from ..sources.training import Computer, Learner, Schooling
from .io.environment import environment
from .io.options import Appearance
from .training.run_directory import STATE, RunDirectory
from .training.run_readme import command, readme
from .training.task_list import tasks
from .training.train_loop import team, train
from .training.train_options import Directory
from .training.train_report import pictures, report, sentences


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
    from ..sources import training
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
    _check_task(task, resume=directory.resume)
    text = training.own_data(task, directory.data, directory.encoding)
    path = Path(directory.output or f"runs/{task.partition(':')[0]}")
    place = RunDirectory(
        path, task, overwrite=directory.overwrite, resume=directory.resume, film=schooling.film
    )
    lesson = training.prepared(task, text, learner, schooling, computer, where=directory.data or "")
    with team(lesson.machine.device) as ours, place.made() if ours.rank == 0 else contextlib.nullcontext():
        trained = lesson.training(ours)
        title = directory.name or f"train-toy {task}"
        begun = lesson.begun() | {"name": title, "half": directory.half}
        if directory.resume:
            place.resume(trained, begun)
        train(trained, lambda: place.save_state(begun, *state(trained)))
        if ours.rank > 0:
            return
        reached = training.measured(trained)
        run = training.run_of(title, trained, reached)
        contents = training.contents(run, lesson, trained, reached, half=directory.half)
        contents |= pictures(run, trained, reached, seen)
        typed = command(task, directory, learner, schooling, computer, drawing)
        said = sentences(reached, task, lesson.recipe)
        contents["README.md"] = readme(run, typed, trained, said, {*contents, STATE})
        place.save(contents)
    report(path, run, reached, task, lesson.recipe, directory.format)


def _check_task(task: str, *, resume: bool) -> None:
    """Refuse what is no task before anything looks for its directory, and a directory that is to be resumed."""
    from ..toy import find

    if resume and Path(task).is_dir():
        hint = f"type attn train-toy TASK -o {shlex.quote(task)} --resume, with the same options"
        raise InputError("is a directory, not a TASK", hint=hint, where=task)
    find(task)
