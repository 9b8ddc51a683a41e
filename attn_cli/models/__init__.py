"""What `--model DIRECTORY` reads: one module per family, each of which knows its own directories."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..errors import InputError
from . import cache, inside
from .reading import WHOLE, Reading

if TYPE_CHECKING:
    import numpy as np
    from jaxtyping import Float

    from ..records.attention import Attention

MINI = "mini"  # the trained model that comes with attn
_HOME = Path(__file__).parent
ADAPTER = "adapter_config.json"  # a directory that has it holds what is added to another model
CONFIG = "config.json"  # the file that says what a directory is, in every family


class Model(Protocol):
    """Something trained that attends to a text."""

    @property
    def provenance(self) -> str:
        """What it is and how it was trained, in one line; every picture of it says so."""
        ...

    @property
    def sees(self) -> bool:
        """Whether it looks at images."""
        ...

    @property
    def hears(self) -> bool:
        """Whether it hears sounds."""
        ...

    def attend(self, text: Any, reading: Reading = WHOLE) -> Attention:
        """The attention of all heads to a text, an image or a sound, in all layers or those wanted."""
        ...

    def __call__(self, text: Any, reading: Reading = WHOLE) -> Attention:
        """The same, for notebooks."""
        ...


def load(directory: str) -> Model:
    """The model in a directory, ready to attend; `mini` is the one that comes with attn.

    Raises InputError when the directory is of no known family, or something in it is missing or damaged.
    Nothing in it is ever executed.
    """
    path = _path(directory)
    if (path / ADAPTER).is_file():
        return _adapted(path)
    config = read_config(path)
    return _kind(directory, config).load(path, config)


def _adapted(path: Path) -> Model:
    """The base of an adapter with what the adapter adds to it."""
    from .native import adapter, huggingface

    base = adapter.base_of(path, adapter.config_of(path) or {})
    if not huggingface.recognises(config := read_config(base)):
        raise InputError(
            "this adapter belongs to no Hugging Face model", hint="leave it out", where=str(path)
        )
    made: Any = huggingface.load(base, config, path)
    return made


def positions(directory: str) -> tuple[str, Float[np.ndarray, "seq_len d_model"]]:
    """What a model is called, and the position table that it has learned.

    Raises InputError when it has learned none, or the directory is no model.
    """
    from .native import huggingface

    path = _path(directory)
    if huggingface.recognises(config := read_config(path)):
        called, table = huggingface.positions(path, config)
        return called, table.numpy()
    run: Any = load(directory)
    if (spec := run.model.config.positions) != "learned":
        raise InputError(f"{run.provenance} has no learned positions", hint=f"its own are {spec}")
    return run.provenance, run.model.position.weight.numpy()


def describe(directory: str) -> dict[str, str]:
    """What a directory is, by its config.json alone: family, sizes, limit, whether it is read.

    Raises InputError when it is no model at all, or its config.json is damaged.
    """
    path = _path(directory)
    if (path / ADAPTER).is_file():
        from .native import adapter

        base = adapter.base_of(path, told := adapter.config_of(path) or {})
        config = read_config(base)
        return _kind(str(base), config).describe(base, config) | {"adapter": adapter.described(path, told)}
    config = read_config(path)
    return _kind(directory, config).describe(path, config)


def _path(directory: str) -> Path:
    """Where a model is: the bundled one, a directory, or one of that name in the Hugging Face cache."""
    if directory == MINI:
        return _HOME / MINI
    if (path := Path(directory)).exists():
        return path
    if (cached := cache.find(str(directory))) is None:
        raise _missing(str(directory))
    return cached


def readable() -> list[tuple[str, str, str]]:
    """What is bundled, and a row for each family that is read: model_type in config.json, its name, what it reads."""
    from . import library
    from .native import huggingface

    return [
        (MINI, "comes with attn: an encoder–decoder that translates English and Chinese", "text"),
        ("attn_run", "runs of train-toy", "text"),
        *huggingface.families(),
        library.OTHERS,
    ]


def _kind(directory: str, config: dict[str, Any]) -> Any:
    """The module that reads such directories."""
    from .native import huggingface  # torch comes with them
    from .runs import directory as runs

    for kind in (runs, huggingface):
        if kind.recognises(config):
            return kind
    raise InputError(
        "its config.json describes no model that attn knows",
        hint="give a run directory of train-toy, or one of Hugging Face",
        where=directory,
    )


def read_config(directory: Path) -> dict[str, Any]:
    """What a directory says about itself.

    Raises InputError when there is no directory or no JSON object in its config.json.
    """
    if not directory.exists():
        raise InputError("no such directory", where=str(directory))
    if not directory.is_dir():
        raise InputError("not a directory", hint="give the directory of a model", where=str(directory))
    if (path := inside.find(directory, CONFIG)) is None:
        raise InputError(f"no {CONFIG} in it", hint="give the directory of a model", where=str(directory))
    return inside.read_object(path, 16 * inside.MIB)


def _missing(directory: str) -> InputError:
    """That there is no such directory, and how to come to one: a name of the hub is downloaded, a run trained."""
    if not cache.is_name(directory) or directory.startswith("runs/"):
        return InputError("no such directory", hint="train a model: attn train-toy", where=directory)
    return InputError(
        "no such directory, nor a model of that name in the Hugging Face cache",
        hint=f"if it is one of the hub's: hf download {directory} --local-dir {directory.rpartition('/')[2]}",
        where=directory,
    )
