"""A toy task and options → a training → a run: the one road of `attn train-toy` and `attn.train`."""

from __future__ import annotations

import dataclasses
import math
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import InputError, note

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from ..models.runs.run import Run
    from ..toy.evaluation import Evaluation
    from ..toy.examples import Dataset, Recipe
    from ..toy.settings import Machine, Options, Step, Team
    from ..toy.training import Training
    from ..transformer.model import Config


@dataclasses.dataclass(frozen=True)
class Learner:
    """The model; the task sets what is not given."""

    layers: int | None = None
    heads: int | None = None
    dim: int | None = None
    dropout: float | None = None


@dataclasses.dataclass(frozen=True)
class Schooling:
    """The training; the task sets what is not given."""

    steps: int | None = None
    batch: int | None = None
    lr: float | None = None
    schedule: str = "cosine"
    label_smoothing: float = 0.0
    accumulate: int = 1
    average: float = 0.0
    patience: int | None = None
    film: bool = False
    evaluate_every: int = 50
    seed: int = 0


@dataclasses.dataclass(frozen=True)
class Computer:
    """The machine."""

    device: str = "cpu"
    dtype: str = "float32"
    compile: bool = False
    threads: int | None = None


@dataclasses.dataclass(frozen=True)
class Lesson:
    """What is settled before a training begins."""

    task: str
    text: str | None  # one's own data
    dataset: Dataset
    recipe: Recipe
    config: Config
    options: Options
    machine: Machine

    def training(self, team: Team | None = None) -> Training:
        """The training itself, not yet begun; `team` shares it."""
        from ..toy.settings import Team
        from ..toy.training import Training, new_model

        model = new_model(self.config, self.options.seed)
        return Training(model, self.dataset, self.recipe, self.options, self.machine, team or Team())

    def begun(self) -> dict[str, Any]:
        """What must be the same for a training to go on as if nothing had happened."""
        import hashlib

        data = hashlib.sha256((self.text or "").encode("utf-8", "surrogatepass")).hexdigest()
        parts = [dataclasses.asdict(part) for part in (self.config, self.options, self.machine)]
        settled = {name: x for part in parts for name, x in part.items()}
        return {"task": self.task, "data": data[:16]} | settled


def own_data(task: str, data: str | None, encoding: str | None = None) -> str | None:
    """The text of one's own data, where the task reads it.

    >>> own_data("reverse", None) is None
    True
    """
    from .. import files
    from ..toy import needs_data

    if not needs_data(task):
        for option, given in (("data", data), ("encoding", encoding)):
            if given is not None:
                raise InputError(f"--{option} does not apply to the task '{task}'", hint="leave it out")
        return None
    if data is None:
        raise InputError(f"task '{task}' learns from your own examples", hint="give --data FILE")
    return files.read_text(data, encoding=encoding)


def prepared(
    task: str,
    text: str | None,
    learner: Learner,
    schooling: Schooling,
    computer: Computer,
    *,
    where: str = "",
) -> Lesson:
    """Settle everything before a training; `where` names the file of one's own data in errors."""
    from ..toy import find

    make, recipe = find(task)
    machine = _machine(computer, learner.dim or recipe.dim)
    options = _options(schooling, recipe, learner)
    dataset = _made(make, text, options, where)
    return Lesson(task, text, dataset, recipe, config_for(dataset, recipe, learner), options, machine)


def learn(
    task: str,
    data: str | None,
    encoding: str | None,
    learner: Learner,
    schooling: Schooling,
    computer: Computer,
    *,
    name: str | None = None,
    path: str | os.PathLike[str] | None = None,
    half: bool = False,
    on_step: Callable[[Step], None] | None = None,
) -> tuple[Run, Evaluation, list[Step]]:
    """A whole training in a program: the run, what it reached, and its steps; with `path` the run is saved."""
    import torch

    from .. import files

    if half and path is None:
        raise InputError("half without a path", hint="give path too, or leave half out")
    text = own_data(task, data, encoding)
    folder = None if path is None else Path(path)
    if folder is not None and folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError("exists already and is not empty", hint="give another path", where=str(folder))
    threads = torch.get_num_threads()
    try:
        lesson = prepared(task, text, learner, schooling, computer, where=data or "")
        training = lesson.training()
        for step in training.run():
            if on_step is not None:
                on_step(step)
        reached = measured(training)
    finally:
        torch.set_num_threads(threads)
    run = run_of(name or f"train-toy {task}", training, reached)
    if folder is not None:
        folder.mkdir(parents=True, exist_ok=True)
        for file, written in contents(run, lesson, training, reached, half=half).items():
            files.write(str(folder / file), [written])
    return run, reached, training.history


def measured(training: Training) -> Evaluation:
    """What the training has reached; of translations BLEU and chrF too, where sacrebleu is there."""
    from ..toy.translation import measure, translate

    reached, dataset = training.finish(), training.dataset
    training.model.to("cpu")  # wherever it was trained: from here on it is looked at
    if dataset.tokenizer is None or training.recipe.stack != "both":
        return reached
    try:
        scores = measure(dataset, partial(translate, training.model, dataset))
    except InputError as lacking:
        note(str(lacking))
        return reached
    return dataclasses.replace(reached, translations=scores)


def run_of(title: str, training: Training, reached: Evaluation) -> Run:
    """The run that a training has become."""
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
        max(len(example.source) for example in (*dataset.train, *dataset.held_out)),
    )


def contents(
    run: Run, lesson: Lesson, training: Training, reached: Evaluation, *, half: bool = False
) -> dict[str, bytes]:
    """The files of a run: its weights and what they mean, its results, its metrics."""
    from ..models.runs.directory import to_files

    said = dataclasses.asdict(lesson.options)
    if training.extended:
        said["extended"] = [dataclasses.asdict(one) for one in training.extended]
    written = to_files(run, lesson.task, said, results(reached), half=half)
    return written | {"metrics.csv": metrics(training.history)}


def results(reached: Evaluation) -> dict[str, Any]:
    """What was reached, for config.json."""
    masses = None if reached.expected_mass is None else reached.expected_mass.tolist()
    at = [None if math.isnan(share) else share for share in reached.by_position.tolist()]
    return dataclasses.asdict(reached) | {"expected_mass": masses, "by_position": at}


def metrics(history: Sequence[Step]) -> bytes:
    """CSV with a line for each step; what was not measured in a step stays empty."""
    rows = [
        ["" if value is None else str(value) for value in dataclasses.asdict(step).values()]
        for step in history
    ]
    return "".join(",".join(row) + "\n" for row in [list(dataclasses.asdict(history[0])), *rows]).encode()


# ---- parts ------------------------------------------------------------------------------------------


def _tokenizer(dataset: Dataset) -> Any:
    from ..text.tokenizers import parse_tokenizer

    return None if dataset.tokenizer is None else parse_tokenizer(dataset.tokenizer)


def _made(make: Callable[..., Dataset], text: str | None, options: Options, where: str) -> Dataset:
    """What is learned from; an error in a line of the text names its file."""
    from ..files.source import called
    from ..toy.lines import LineError

    try:
        return make(text, options.examples, options.seed)
    except LineError as problem:
        raise problem.at(called(where)) from None


def _options(given: Schooling, recipe: Recipe, learner: Learner) -> Options:
    from ..toy.settings import Options, peak

    chosen = dataclasses.asdict(given)
    chosen["steps"] = given.steps or recipe.steps
    chosen["batch"] = given.batch or recipe.batch
    chosen["patience"] = recipe.patience if given.patience is None else given.patience
    chosen["lr"] = (recipe.lr or peak(learner.dim or recipe.dim)) if given.lr is None else given.lr
    return Options(**chosen)


def _machine(given: Computer, dim: int) -> Machine:
    import torch

    from ..toy.settings import Machine

    if given.dtype not in ("float32", "bfloat16"):
        raise InputError(f"--dtype {given.dtype!r}", hint="give float32 or bfloat16")
    # More threads hardly help so small a model and wait for each other where the cores are busy; one gives
    # the same numbers whatever the number of cores.
    if given.threads or dim <= 64:
        torch.set_num_threads(given.threads or 1)
    from ..attention.devices import pick_device

    return Machine(str(pick_device(given.device)), given.dtype, given.compile)


def config_for(dataset: Dataset, recipe: Recipe, given: Learner) -> Config:
    """The model for what is learned from: as given, else as the task's recipe says.

    Raises InputError where heads do not divide its width.
    """
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
