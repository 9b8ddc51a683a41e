"""What `train-toy` tells: figures on stdout, the same in words on stderr, curves and pictures in the run."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from ..io.environment import environment

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from jaxtyping import UInt8
    from rich.table import Table

    from ...models.runs.run import Run
    from ...records.attention import Attention, Kind
    from ...render.figure.film import Film
    from ...render.look import Look
    from ...toy.evaluation import Evaluation
    from ...toy.examples import Example, Recipe
    from ...toy.film import Frame
    from ...toy.settings import Step
    from ...toy.training import Training

_READABLE = 24  # positions that are told one by one; config.json has any number
_GREY_OR_COLOURED = (1, 3)  # channels of pictures; frames of sound have others
_VISIBLE = 1 / 128  # of a weight: a step of the colours in a film
_POINTS = 400  # of a curve; more would be a broad band
_MEASURED = ("loss", "held_out_loss", "exact_match", "expected_mass")


def pictures(run: Run, training: Training, reached: Evaluation, look: Look) -> dict[str, bytes]:
    """How it learned, and the attention to one of the longest held-out examples, filmed if that was wanted."""
    from ...render.figure.figure import curves_figure, draw, save

    attends = training.recipe.attends
    attention = _attention(run, training, training.watched.example, attends)
    said = training.watched.answer(training.model)
    titled = replace(look, title=look.title or _answered(said, training.watched.example))
    seen = _seen(attention, training.watched.example, training.recipe.patch)
    drawn = {
        "attention.png": save(draw(attention if seen is None else seen, titled), "png"),
        "loss.png": save(curves_figure(_curves(training.history), look, provenance=run.provenance), "png"),
    }
    if run.model.config.stack == "both" and attends != "cross":
        aligned = _attention(run, training, training.watched.example, "cross")
        drawn["cross.png"] = save(draw(aligned, look), "png")
    return drawn | (_film(attention, training, reached, look) if training.frames else {})


def _film(attention: Attention, training: Training, reached: Evaluation, look: Look) -> dict[str, bytes]:
    """All heads in motion, and side by side the one that looks most where the task expects it."""
    import numpy as np

    from ...render.figure import film
    from ...render.figure.figure import save

    frames, example = _changing(training.frames), training.watched.example
    weights = np.stack([frame.weights for frame in frames])
    filmed = film.Film(
        attention,
        [frame.step for frame in frames],
        weights,
        look,
        answers=[_answered(frame.answer, example) for frame in frames],
        picture=_as_picture(example),
    )
    layer, head = (weights.shape[1] - 1, 0) if reached.expected_mass is None else reached.best_head
    return {
        "film.gif": film.gif(filmed),
        "film.png": save(film.strip(filmed, layer, head), "png"),
        "film.html": _stepping(filmed),
    }


def _stepping(film: Film) -> bytes:
    """A page with a slider over the steps that were filmed."""
    from ...render.page.page import page
    from ...sources.sorting import sorting_over

    steps = [
        (step, replace(film.attention, weights=weights))
        for step, weights in zip(film.steps, film.weights, strict=True)
    ]
    return page(steps[-1][1], title=film.look.title, figures=sorting_over(steps), steps=steps)


def _answered(answer: Sequence[str], example: Example) -> str:
    """What the model said, and what would have been right where that is something else."""
    from ...text.pieces import unmarked

    said, right = (" ".join(unmarked(tokens)) or "nothing" for tokens in (answer, example.written))
    return f"answer: {said} (right)" if said == right else f"answer: {said}; right: {right}"


def _changing(frames: Sequence[Frame]) -> list[Frame]:
    """The frames in which something is to be seen that the one before did not show; the first and the last stay."""
    kept = list(frames[:1])
    for frame in frames[1:]:
        moved = abs(frame.weights - kept[-1].weights).max() > _VISIBLE
        if moved or frame.answer != kept[-1].answer or frame is frames[-1]:
            kept.append(frame)
    return kept


def _as_picture(example: Example) -> UInt8[np.ndarray, "height width"] | None:
    """What the model looks at, for people: a picture, or a spectrogram with high notes at the top."""
    import numpy as np

    if example.image is None:
        return None
    image = example.image.mean(axis=0) if len(example.image) in _GREY_OR_COLOURED else example.image[::-1, 0]
    image = image - image.min()
    return np.rint(255 - 255 * image / (image.max() or 1)).astype(np.uint8)


def _attention(run: Run, training: Training, example: Example, kind: Kind) -> Attention:
    """One kind of attention of the run to an example."""
    import torch

    from ...models.runs.tokens import Tokens
    from ...models.showing import Side
    from ...text.pieces import unmarked

    named = tuple if run.tokenizer is None else unmarked
    with torch.no_grad():
        batch = training.numbered([example]).batch([0])
        target = None
        if batch.written is not None:
            target = Tokens(batch.written[0, 1:].tolist(), list(named(example.written)))
        layers = range(run.model.config.n_layers)
        return run.look(batch.source, Side(named(example.source)), layers, kind, target, example.start)


def _seen(attention: Attention, example: Example, patch: int | None) -> Attention | None:
    """The attention with the picture that it looks at, where the example is one that people can see."""
    from ...models.runs.drawing import shown

    if example.image is None or patch is None or len(example.image) not in _GREY_OR_COLOURED:
        return None
    patches = tuple(n // patch for n in example.image.shape[1:])
    return replace(attention, patches=patches, image=shown(example.image))


def _curves(history: Sequence[Step]) -> dict[str, tuple[list[int], list[float]]]:
    """Whatever was measured: the steps and its values, of very many the means of neighbours."""
    curves = {}
    for name in _MEASURED:
        found = [(step.step, value) for step in history if (value := getattr(step, name)) is not None]
        if not found:
            continue
        n = math.ceil(len(found) / _POINTS)
        runs = [found[i : i + n] for i in range(0, len(found), n)]
        said = name.replace("_", " ") + (f" (mean of {n})" if n > 1 else "")
        curves[said] = (
            [run[-1][0] for run in runs],
            [sum(value for _, value in run) / len(run) for run in runs],
        )
    return curves


# ---- what the user sees -----------------------------------------------------------------------------


def report(
    directory: Path, run: Run, reached: Evaluation, task: str, recipe: Recipe, form: str | None = None
) -> None:
    """The figures on stdout, and on stderr what they say in words."""
    console = environment.stderr()
    # A terminal would break lines within words; in a file each sentence is a line.
    console.print("\n".join(sentences(reached, task, recipe)), soft_wrap=not console.is_terminal)
    if form == "json":
        from ...files import json_text
        from ...sources.training import results

        whole = {"run": str(directory), "task": task, "seed": run.seed} | results(reached)
        environment.write([f"{json_text(whole)}\n".encode()])
    elif form is None and environment.to_terminal:
        if reached.expected_mass is not None:
            environment.stdout().print(_table(reached, reached.expected_mass))
        print(directory)
    else:
        environment.write([_tsv(directory, run, reached, task)])


def sentences(reached: Evaluation, task: str, recipe: Recipe) -> list[str]:
    """The results in sentences."""
    said = [f"Exact match: {reached.exact_match:.1%} of {reached.n_examples} held-out sequences."]
    if recipe.measure == "loss":
        said = [f"Loss: {reached.loss:.3f} nats per token on {reached.n_examples} held-out examples."]
    said += [f"Baseline ({name}): {value:.3f}." for name, value in reached.facts.items()]
    for language, scores in (reached.translations or {}).items():
        said.append(
            f"Into {language}: BLEU {scores.bleu:.1f}, chrF {scores.chrf:.1f}, over {scores.sentences} sentences."
        )
    if reached.f1 is not None:
        said.append(f"Entity F1: {reached.f1:.1%}.")
    said += _by_position(reached.by_position)
    if reached.longer_match is not None:
        said.append(f"Exact match on longer sequences than in training: {reached.longer_match:.1%}.")
    if reached.expected_mass is not None:
        layer, head = reached.best_head
        said.append(
            f"Head {head} of layer {layer} puts {reached.expected_mass[layer, head]:.1%} of its attention where "
            f"{task} expects it; a uniform head would put {reached.uniform_mass:.1%} there."
        )
    return said


def _by_position(shares: np.ndarray) -> list[str]:
    """How much is right at each position that is asked, where there are several, and few enough to read."""
    asked = [(position, share) for position, share in enumerate(shares.tolist()) if not math.isnan(share)]
    if not 1 < len(asked) <= _READABLE:
        return []
    if len(asked) == asked[-1][0] - asked[0][0] + 1:
        rates = " ".join(f"{share:.1%}" for _, share in asked)
        return [f"Accuracy at positions {asked[0][0]} to {asked[-1][0]}: {rates}."]
    rates = ", ".join(f"{share:.1%} at {position}" for position, share in asked)
    return [f"Accuracy by position: {rates}."]


def _table(reached: Evaluation, expected_mass: np.ndarray) -> Table:
    from rich.table import Table
    from rich.text import Text

    n_heads = expected_mass.shape[1]
    table = Table(
        "layer", *(f"head {head}" for head in range(n_heads)), title="attention mass where expected"
    )
    for layer, masses in enumerate(expected_mass):
        styles = ["bold" if (layer, head) == reached.best_head else "" for head in range(n_heads)]
        table.add_row(str(layer), *map(Text, [f"{mass:.1%}" for mass in masses], styles))
    return table


def _tsv(directory: Path, run: Run, reached: Evaluation, task: str) -> bytes:
    """A row for each head, and in all of them what the whole reached; of a task that expects attention nowhere, one."""
    from ...text.escaping import escape

    whole: dict[str, object] = {
        "loss": reached.loss, "f1": reached.f1, "longer_match": reached.longer_match
    }  # fmt: skip
    for language, scores in (reached.translations or {}).items():
        whole |= {f"bleu_{language}": scores.bleu, f"chrf_{language}": scores.chrf}
    named = ("run", "task", "seed", "exact_match", "layer", "head", "expected_mass", *whole)
    lines = ["\t".join(named)]
    masses: list[tuple[object, ...]] = [("", "", "")]
    if reached.expected_mass is not None:
        masses = [
            (layer, head, mass)
            for layer, row in enumerate(reached.expected_mass.tolist())
            for head, mass in enumerate(row)
        ]
    for row in masses:
        cells = (escape(str(directory)), escape(task), run.seed, reached.exact_match, *row, *whole.values())
        lines.append("\t".join("" if cell is None else str(cell) for cell in cells))
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "surrogateescape")
