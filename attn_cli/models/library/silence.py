"""The `transformers` library: imported when it is needed, silent and offline while it is used."""

from __future__ import annotations

import contextlib
import warnings
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

INSTALL = "pip install 'attn-cli[hf]'"


def installed() -> bool:
    """Whether the extra is there."""
    try:
        with warnings.catch_warnings(action="ignore"):
            import transformers  # noqa: F401
    except ImportError:
        return False
    return True


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Nothing that the library does reaches the network or the terminal; afterwards it is as it was."""
    with warnings.catch_warnings(action="ignore"):
        from huggingface_hub import constants
        from transformers.utils import logging

        before = constants.HF_HUB_OFFLINE, logging.get_verbosity(), logging.is_progress_bar_enabled()
        constants.HF_HUB_OFFLINE = True  # that no file is looked for elsewhere is also said with each call
        logging.set_verbosity(logging.CRITICAL)
        logging.disable_progress_bar()
        try:
            yield
        finally:
            constants.HF_HUB_OFFLINE = before[0]
            logging.set_verbosity(before[1])
            if before[2]:
                logging.enable_progress_bar()


def family(model_type: str) -> str | None:
    """What the library calls a family, None when it has none of that name."""
    with silent():
        from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    name: str | None = CONFIG_MAPPING_NAMES.get(model_type)
    return name and name.removesuffix("Config")


def reason(problem: BaseException) -> str:
    """What an exception of the library says, on one short line."""
    lines = [line.strip() for line in str(problem).splitlines() if line.strip()]
    said = lines[0] if lines else type(problem).__name__
    return said if len(said) <= 200 else f"{said[:200]}…"
