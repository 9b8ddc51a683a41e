"""From a directory to the library's model and tokenizer: nothing executed, nothing fetched, nothing invented."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ...errors import InputError
from ...text.escaping import escape
from ...text.tokenizers import unheard
from .. import inside
from ..native.weights import Checkpoint
from .listening import is_heard
from .silence import reason, silent

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_AGAIN = "download or save it again"
_MOST_LAYERS = (
    1000  # of which the objects still fit into memory; whether their tensors are there is seen later
)
# Parts that may be missing: no attention depends on them. They would be random, and are not used.
_SPARE = ("pooler", "final_logits_bias", "position_ids", "lm_head")


def check(directory: Path, config: Mapping[str, Any]) -> int:
    """How many numbers the weights of a directory are, which holds nothing but files that may be read.

    Raises InputError when a file lies elsewhere, the weights are pickles or not whole, or it takes more than the
    library to read them.
    """
    for path in directory.iterdir():
        if path.is_symlink() or not path.is_dir():
            inside.find(directory, path.name)
    for name in ("config.json", "tokenizer_config.json"):
        path_of = inside.find(directory, name)
        if path_of is not None and "auto_map" in inside.read_object(path_of, 16 * inside.MIB):
            raise InputError(
                "needs custom code (auto_map), which attn never runs",
                hint="only models whose code is in transformers are read",
                where=str(path_of),
            )
    if (directory / "adapter_config.json").exists():
        raise InputError("is an adapter, not a whole model", hint="merge it into its model and save that")
    if config.get("quantization_config") is not None:
        raise InputError(
            "the weights are quantised, which is not supported",
            hint="save them as float32, float16 or bfloat16",
        )
    slices = Checkpoint(directory).slices
    _check_depth(config, len(slices))
    return sum(int(torch.Size(piece.get_shape()).numel()) for piece in slices.values())


def _check_depth(config: Mapping[str, Any], n_tensors: int) -> None:
    """Raise InputError when so few tensors cannot be all layers, whose objects would fill the memory.

    Smaller numbers need not be depths, though they are called layers: max_window_layers is none.
    """
    for name, value in config.items():
        if isinstance(value, dict):
            _check_depth(value, n_tensors)
        elif "layer" in name and type(value) is int and value > max(n_tensors, _MOST_LAYERS):
            raise InputError(f"{n_tensors} tensors for {name} {value}", hint=_AGAIN)


def open_config(directory: Path) -> Any:
    """The library's configuration of a directory.

    Raises InputError when the library finds it impossible.
    """
    with silent():
        from transformers import AutoConfig

        try:
            return AutoConfig.from_pretrained(directory, local_files_only=True, trust_remote_code=False)
        except Exception as problem:  # whatever it raises, the file is the reason
            where = str(directory / "config.json")
            raise InputError(f"not a configuration ({reason(problem)})", hint=_AGAIN, where=where) from None


def takes(config: Any) -> str:
    """What a model of this configuration is given: `input_ids`, which are text, or something else."""
    with silent():
        known = _architecture(config)._model_mapping
        found = known.get(type(config), None)
    first = found[0] if isinstance(found, tuple) else found
    taken: str = getattr(first, "main_input_name", "nothing that is known")
    return "input_ids" if hasattr(config, "text_config") else taken


def open_model(directory: Path, config: Any, n_numbers: int) -> tuple[Any, bool]:
    """The library's model in float32, and whether it can write: whether the weights of that were saved.

    Raises InputError when a tensor is missing, for the library would make random numbers of it.
    """
    model, missing = _read(directory, config, _architecture(config), n_numbers)
    if _lost(missing) and (own := _named(config)) is not None:
        model, missing = _read(directory, config, own, n_numbers)
    if lost := _lost(missing):
        raise InputError(f"no tensor '{escape(lost[0])}'", hint=_AGAIN)
    model.config.use_cache = False
    return model.eval().requires_grad_(False), not any("lm_head" in name for name in missing)


def open_whole(directory: Path, config: Any, architecture: Any) -> Any:
    """The library's model of a class of it, no part of which is missing.

    Raises InputError when a tensor was not saved, for the library would make random numbers of it.
    """
    model, missing = _read(directory, config, architecture, check(directory, {}))
    if missing:
        hint = "save the model with its head: AutoModelForCausalLM"
        raise InputError(f"no output layer was saved (no tensor '{escape(missing[0])}')", hint=hint)
    return model.eval().requires_grad_(False)


def _read(directory: Path, config: Any, architecture: Any, n_numbers: int) -> tuple[Any, list[str]]:
    """A model of a class of the library, and which of its tensors are not in the files."""
    with silent():
        try:
            _check_size(architecture, config, n_numbers)
            model, info = architecture.from_pretrained(
                directory,
                config=config,
                local_files_only=True,
                trust_remote_code=False,
                use_safetensors=True,
                dtype=torch.float32,
                attn_implementation="eager",
                output_loading_info=True,
            )
        except InputError:
            raise
        except Exception as problem:
            raise InputError(f"transformers cannot read it ({reason(problem)})", hint=_AGAIN) from None
    return model, sorted(info["missing_keys"])


def _lost(missing: list[str]) -> list[str]:
    return [name for name in missing if not any(spare in name for spare in _SPARE)]


def _named(config: Any) -> Any:
    """The class that config.json names, where the library has it: as of BLIP, whose parts differ from class to class."""
    import transformers

    named = getattr(transformers, (config.architectures or [""])[0], None)
    if isinstance(named, type) and issubclass(named, transformers.PreTrainedModel):
        return named if getattr(named, "config_class", None) is type(config) else None
    return None


def _architecture(config: Any) -> Any:
    """The library's class: with a head where that is needed to write, an encoder where only that was saved."""
    from transformers import (
        AutoModel,
        AutoModelForSeq2SeqLM,
        AutoModelForSpeechSeq2Seq,
        AutoModelForTextEncoding,
    )
    from transformers.models.auto.modeling_auto import MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES

    if is_heard(config):
        return AutoModelForSpeechSeq2Seq
    if (config.architectures or [""])[0].endswith("EncoderModel"):
        return AutoModelForTextEncoding
    writes = config.model_type in MODEL_FOR_SEQ_TO_SEQ_CAUSAL_LM_MAPPING_NAMES
    return AutoModelForSeq2SeqLM if config.is_encoder_decoder and writes else AutoModel


def _check_size(architecture: Any, config: Any, n_numbers: int) -> None:
    """Raise InputError when config.json describes far more numbers than there are in the files.

    They would be allocated before it is known that they are missing.
    """
    described = sum(part.numel() for part in outline(config, architecture).parameters())
    if described > 4 * n_numbers:  # tied weights are saved once, spare parts are not
        raise InputError(f"{n_numbers:,} numbers, by config.json it should be {described:,}", hint=_AGAIN)


def outline(config: Any, architecture: Any = None) -> Any:
    """The library's model without its numbers: what parts it has.

    Raises InputError when the library finds the configuration impossible.
    """
    with silent(), torch.device("meta"):
        try:
            architecture = _architecture(config) if architecture is None else architecture
            make = getattr(architecture, "from_config", None) or architecture._from_config
            return make(config)
        except Exception as problem:
            raise InputError(f"transformers cannot build it ({reason(problem)})", hint=_AGAIN) from None


def open_tokenizer(directory: Path) -> Any:
    """The library's tokenizer of a directory.

    Raises InputError when there is none: of some families the library would make one that knows no word.
    """
    hint = "save it: AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR) with transformers"
    with silent():
        from transformers import AutoTokenizer

        try:
            with unheard():
                tokenizer = AutoTokenizer.from_pretrained(
                    directory, local_files_only=True, trust_remote_code=False
                )
        except BaseException as problem:  # a malformed tokenizer.json can panic with what is no Exception
            if isinstance(problem, (KeyboardInterrupt, SystemExit, MemoryError)):
                raise
            if (bare := _bare_tokenizer(directory)) is not None:
                return bare
            what = f"transformers cannot read its tokenizer ({reason(problem)})"
            raise InputError(what, hint=hint) from None
    files = {"tokenizer.json", *tokenizer.vocab_files_names.values()} - {"tokenizer_config.json"}
    if tokenizer.vocab_files_names and not any((directory / name).is_file() for name in files):
        raise InputError(f"no {' or '.join(sorted(files))} in it", hint=hint)
    return tokenizer


def _bare_tokenizer(directory: Path) -> Any:
    """A tokenizer.json by itself, where the family's own class expects another kind of it; None if it is none."""
    from transformers import PreTrainedTokenizerFast

    path = inside.find(directory, "tokenizer.json")
    try:
        with unheard():
            return None if path is None else PreTrainedTokenizerFast(tokenizer_file=str(path))
    except BaseException as problem:
        if isinstance(problem, (KeyboardInterrupt, SystemExit, MemoryError)):
            raise
        return None
