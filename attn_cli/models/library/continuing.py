"""What a model of the library goes on with: its own `generate`, in which our writer chooses each token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ...errors import InputError
from ...transformer.writing import Writer
from ..continuing import Continued, choice, continued
from . import opening
from .running import explained, inputs_of
from .silence import silent
from .words import spelling_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from ..native.text import Tokenised
    from ..reading import Reading


def open_writer(directory: Path, config: Any) -> Any:
    """The library's model of a directory with what makes logits.

    Raises InputError where the library knows none that goes on with a text, or that was not saved.
    """
    with silent():
        from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

        for architecture in (AutoModelForImageTextToText, AutoModelForCausalLM):
            if type(config) in architecture._model_mapping:
                return opening.open_whole(directory, config, architecture)
    raise InputError(f"a {config.model_type} cannot continue a text", hint="leave --generate out")


def go_on(
    model: Any,
    tokenizer: Any,
    given: Tokenised,
    text: str,
    reading: Reading,
    longest: int,
    seen: Mapping[str, torch.Tensor] | None = None,
) -> Continued:
    """The text and what the model writes after it, and after what it has seen besides."""
    writer = Writer(choice(reading, len(given.numbers), longest))

    def choose(numbers: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
        chosen = torch.full_like(logits, -torch.inf)
        chosen[0, writer.next(logits[0].float())] = 0
        return chosen

    options = {"do_sample": False, "num_beams": 1, "max_new_tokens": reading.generate, "use_cache": True}
    with silent(), explained():
        model.generate(**inputs_of(model, given), **(seen or {}), **options, logits_processor=[choose])
    return continued(given, text, writer, spelling_of(tokenizer))
