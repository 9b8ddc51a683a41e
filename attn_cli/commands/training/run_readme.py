"""The README.md of a run directory: what was learned, what the files are, how to look at it."""

from __future__ import annotations

import shlex
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from ...models.runs.run import Run
    from ...toy.examples import Example
    from ...toy.training import Training

FILES = {
    "attention.png": "the attention to one of the longest held-out examples",
    "cross.png": "what each token of the translation of it looks at while it is written",
    "film.gif": "attention while it was learned, all heads",
    "film.html": "the same to explore, with a slider over the steps",
    "film.png": "one head of it, after some of the steps",
    "loss.png": "how the losses went, and what was right on held-out examples",
    "metrics.csv": "the same as numbers, a line for each step",
    "model.safetensors": "the weights",
    "tokenizer.json": "how a text is cut into tokens",
    "config.json": "the model's sizes, the options of the training, the results",
    "training_state.safetensors": "what `--resume` needs; without it the run can still be looked at",
}

_ELSEWHERE = ("output", "overwrite", "resume", "format")  # options that change where things go, not the run


def readme(
    run: Run,
    command: str,
    training: Training,
    sentences: Sequence[str],
    names: Collection[str],
) -> bytes:
    """Markdown; `command` trained it, `sentences` say what was reached, `names` are those of the other files."""
    from ...text.escaping import escape

    listed = [f"- `{name}`: {what}" for name, what in FILES.items() if name in names]
    lines = [
        f"# {escape(run.title)}",
        "",
        _trained(training),
        *sentences,
        "",
        "To train it again:",
        "",
        "```console",
        f"$ {command}",
        "```",
        "",
        "To look at it, in this directory:",
        "",
        "```console",
        *(f"$ {look}" for look in _commands(run, training.dataset.held_out[:20])),
        "```",
        "",
        *listed,
    ]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")


def command(task: str, *groups: Any) -> str:
    """What to type for the same run: the task, and the options of all groups that are not at their defaults."""
    typed = ["attn", "train-toy", _quoted(task)]
    for group in groups:
        for field in fields(group):
            value = getattr(group, field.name)
            if value == field.default or field.name in _ELSEWHERE:
                continue
            typed.append(f"--{field.name.replace('_', '-')}")
            if field.name == "data":
                typed.append(_quoted(Path(value).name))  # not where it lay, which is nobody's business
            elif value is not True:
                typed.append(_quoted(str(value)))
    return " ".join(typed)


def _quoted(text: str) -> str:
    r"""A word as a shell reads it, on one line and with nothing in it that acts on a terminal.

    >>> print(_quoted("my file"), _quoted("a\nb"))
    'my file' $'a\x0ab'
    """
    if text.isprintable():
        return shlex.quote(text)
    raw = text.encode("utf-8", "surrogateescape")
    plain = (chr(byte) if 32 <= byte < 127 and byte not in b"'\\" else f"\\x{byte:02x}" for byte in raw)
    return f"$'{''.join(plain)}'"


def _trained(training: Training) -> str:
    """How long, and whether it was to be longer."""
    options = training.options
    said = f"Trained in {training.done} steps of {options.batch} examples, seed {options.seed}"
    for begun in training.extended:
        said += f"; begun for {begun.steps} steps, and given more after step {begun.until}"
    if training.done == options.steps:
        return f"{said}."
    return f"{said}; of {options.steps}, as the loss on held-out examples no longer fell."


def _commands(run: Run, examples: Sequence[Example]) -> Iterator[str]:
    yield "attn models ."
    if run.hears:
        yield "attn heatmap my.wav --model . -o my.png  # a sound of your own"
        return
    text = next(filter(None, (_text(run, example) for example in examples)), None)
    if text is None:  # of pictures there is attention.png
        return
    said = shlex.quote(text)
    yield f"attn heatmap --model . --text {said} -o heatmap.png"
    yield f"attn attend --model . --text {said} --format json"
    for kind in run.kinds[1:]:
        yield f"attn heatmap --model . --text {said} --kind {kind} -o {kind}.png"


def _text(run: Run, example: Example) -> str | None:
    """An example as a person types it, where that is possible."""
    if not run.vocabulary:
        return None
    text = " ".join(example.source)
    if run.tokenizer is not None:
        text = run.tokenizer.decode([run.tokenizer.token_to_id(token) for token in example.source])
    try:
        return text if run.read(text).labels and text.isprintable() else None
    except InputError:
        return None
