"""What of a model will be read, told by its parts before any weight is."""

from __future__ import annotations

from typing import Any

from . import unread, windows
from .conversing import is_read
from .listening import is_heard
from .looking import is_flat, tower_of
from .model import n_tokens_known, text_tower_of

_OTHERS = {"vision_config": "images", "audio_config": "sounds"}


def promised(outline: Any, config: Any) -> dict[str, str]:
    """What a model reads, and whether that is read here, as rows of a table."""
    text = text_tower_of(outline)
    taken = getattr(text, "main_input_name", "nothing that is known")
    image = tower_of(outline)
    reads = ["text"] if taken == "input_ids" and n_tokens_known(text) is not None else []
    if (image is not None and is_flat(image.config)) or is_read(config) or windows.is_read(config):
        reads.append("images")
    if is_heard(config):
        reads.append("sounds")
    if not reads:
        if taken == "input_ids":
            return {"read": "no, by itself it reads no text"}
        what = unread.instead_of_text(taken) if image is None else unread.instead_of_images(config.model_type)
        return {"read": f"no, it {what}"}
    others = [what for name, what in _OTHERS.items() if hasattr(config, name) and what not in reads]
    missing = f"; {' and '.join(others)} are not read" if others else ""
    limits = "".join(f"; {limit}" for limit in unread.limits(config))
    return {"reads": " and ".join(reads) + missing, "read": f"through transformers{limits}"}
