"""The README.md of a run directory: what was learned, what the files are, how to look at it."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from ..errors import InputError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from ..models.run import Run
    from ..toy.examples import Example
    from ..toy.training import Options

FILES = {
    "attention.png": "the attention to one of the longest held-out examples",
    "film.gif": "the same while it was learned, all heads",
    "film.png": "one head of it, after some of the steps",
    "loss.png": "how the losses went, and what was right on held-out examples",
    "metrics.csv": "the same as numbers, a line for each step",
    "model.safetensors": "the weights",
    "tokenizer.json": "how a text is cut into tokens",
    "config.json": "the model's sizes, the options of the training, the results",
    "training_state.safetensors": "what `--resume` needs; without it the run can still be looked at",
}


def readme(
    run: Run,
    task: str,
    options: Options,
    sentences: Sequence[str],
    examples: Sequence[Example],
    names: Collection[str],
) -> bytes:
    """Markdown; `sentences` say what was reached, `names` are those of the other files."""
    listed = [f"- `{name}`: {what}" for name, what in FILES.items() if name in names]
    lines = [
        f"# {run.title}",
        "",
        f"`attn train-toy {task}`, {options.steps} steps of {options.batch} examples, seed {options.seed}.",
        *sentences,
        "",
        "To look at it, in this directory:",
        "",
        "```console",
        *(f"$ {command}" for command in _commands(run, examples)),
        "```",
        "",
        *listed,
    ]
    return "".join(f"{line}\n" for line in lines).encode("utf-8", "backslashreplace")


def _commands(run: Run, examples: Sequence[Example]) -> Iterator[str]:
    yield "attn models ."
    text = next(filter(None, (_text(run, example) for example in examples)), None)
    if text is None:  # of pictures there is attention.png
        return
    said = shlex.quote(text)
    yield f"attn heatmap --model . --text {said} -o heatmap.png"
    yield f"attn attend --model . --text {said} --format json"
    if len(run.kinds) > 1:
        yield f"attn heatmap --model . --text {said} --kind {run.kinds[1]} -o {run.kinds[1]}.png"


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
