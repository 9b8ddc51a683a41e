"""The tokens of a Hugging Face directory by number: what each is called, and which end a text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...text.tokenizers import no_panic
from .. import inside
from ..continuing import Spelling

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_GENERATION = "generation_config.json"


def spelling_of(tokenizer: Any) -> Spelling:
    """What a tokenizer.json knows of its tokens."""

    def decode(numbers: list[int]) -> str:
        with no_panic():
            return str(tokenizer.decode(numbers, skip_special_tokens=False))

    added = tokenizer.get_added_tokens_decoder().items()
    special = frozenset(number for number, token in added if token.special)
    return Spelling(decode, tokenizer.id_to_token, special)


def ends(directory: Path, config: Mapping[str, Any]) -> tuple[int, ...]:
    """The tokens after which a model of this directory stops writing: what it says of generation goes first."""
    told = inside.find(directory, _GENERATION)
    said = {} if told is None else inside.read_object(told, inside.MIB)
    given = said.get("eos_token_id", config.get("eos_token_id"))
    listed = given if isinstance(given, list) else [given]
    return tuple(number for number in listed if type(number) is int)
