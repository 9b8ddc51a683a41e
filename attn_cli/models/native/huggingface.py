"""Hugging Face directories: config.json, *.safetensors and tokenizer.json, read without `transformers`."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, ClassVar

import torch

from ...attention.layers import record as record_of
from ...errors import InputError
from ...text.escaping import escape
from ...transformer.capture import Capture, layers_of
from ...transformer.intervening import NOTHING
from ...transformer.writing import write
from .. import library
from ..continuing import Continued, choice, continued
from ..families import bert, distilbert, gpt2, llama, roberta, vit
from ..precision import as_wanted
from ..reading import WHOLE, Reading
from ..showing import Side, sides_of
from ..sizes import layers_named, sizes
from . import asking
from .adapter import Adapted
from .given import Given
from .preprocessing import Preprocessing
from .text import Tokenised, joined, open_tokenizer, tokenise
from .unembedding import unembedding
from .vision import Vision
from .vocabulary import ends, spelling_of
from .weights import Checkpoint, check, fill, one

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from ...records.attention import Attention
    from ...transformer.model import Config, Transformer
    from ..asking import Meant
    from ..library.model import Library
    from .unembedding import Unembedding

FAMILIES = (bert, roberta, distilbert, gpt2, llama, vit)


@dataclass(frozen=True, eq=False)
class HuggingFace:
    """A trained model with its tokenizer."""

    family: str  # as people call it
    name: str  # of the directory
    model: Transformer
    tokenizer: Any
    unembed: Callable[[Transformer], Unembedding] | None = None  # reads what makes logits of its stream
    ends: tuple[int, ...] = ()  # tokens after which there is nothing more to write
    classifier: Path | None = None  # its directory, where it was saved with a head that gives classes
    sees: ClassVar = False
    hears: ClassVar = False

    @cached_property
    def speaking(self) -> Transformer:
        """The same model, its weights shared, with what makes logits of its stream; that is read when asked for.

        Raises InputError where it was not saved.
        """
        if self.unembed is None:
            raise InputError(f"{self.family} gives no logits", hint="give a language model")
        whole = copy.copy(self.model)
        whole._modules = dict(self.model._modules)
        whole.unembedding = self.unembed(self.model)
        return whole

    @property
    def provenance(self) -> str:
        """Family, directory and size."""
        size = f"{self.model.config.n_layers} layers × {self.model.config.n_heads} heads"
        return f"{self.family}: {escape(self.name)}, {size}"

    @torch.no_grad()
    def attend(self, text: str, reading: Reading = WHOLE) -> Attention:
        """The attention of the wanted layers to a text; layers beyond the last of them do not run.

        Raises InputError when the text is empty or too long, or the model cannot read it so.
        """
        reading.refuse_image(text, self.family)
        self._refuse_pair(reading)
        reading.refuse_target(self.family)
        config = self.model.config
        kind = reading.chosen_kind(["decoder" if config.stack == "decoder" else "encoder"])
        layers = reading.chosen(config.n_layers)
        pieces = tokenise(self.tokenizer, text, reading, config.max_len)
        done = reading.intervention or NOTHING
        done.check(config.n_layers, config.n_heads)
        model, captured = as_wanted(self.model, reading), []
        whole, text, added, beside = joined(pieces), reading.whole(text), "", None
        if reading.generate is not None:
            self._checked(whole, model)
            went_on = self._continued(whole, text, reading)
            pieces, text = [whole := went_on.piece], went_on.text
            added, beside = went_on.said, went_on.beside
        for piece in pieces:
            capture = Capture(layers, done)
            numbers, segments = self._checked(piece, model)
            model.hidden(numbers, attend=capture, segments=segments, depth=layers[-1] + 1)
            captured.append(capture.layers)
        side = Side(whole.labels, whole.special, text)
        said = self._provenance(layers, len(pieces)) + added
        sides, wanted = sides_of(side, side, kind, said, reading, beside)
        return record_of(layers_of(captured), sides, wanted=wanted, norms=reading.norms)

    __call__ = attend  # attn.load("bert-dir")("The cat sat on the mat")

    def _continued(self, given: Tokenised, text: str, reading: Reading) -> Continued:
        """The text and what the model writes after it."""
        if self.model.config.stack != "decoder":
            reading.refuse_generating(self.family)
        choose = choice(reading, len(given.numbers), self.model.config.max_len)
        model, done = as_wanted(self.speaking, reading), reading.intervention or NOTHING
        writer = write(model, given.numbers, choose, reading.generate or 0, self.ends, done)
        return continued(given, text, writer, spelling_of(self.tokenizer))

    def asked(self, text: str, reading: Reading = WHOLE, toward: Any = None) -> Meant:
        """One output for a text, to be explained; see `native/asking.py`; of a classifier `library/asking.py`."""
        if self.classifier is not None:
            from ..library.silence import INSTALL, installed

            if not installed():
                raise InputError("classifiers are asked through transformers", hint=INSTALL)
            from ..library.asking import asked

            return asked(self.classifier, self.family, text, reading, toward)
        return asking.asked(self, text, reading, toward)

    def _refuse_pair(self, reading: Reading) -> None:
        if reading.pair is None:
            return
        if self.model.config.stack != "encoder":
            raise InputError(f"{self.family} reads one text, not a pair", hint="leave --pair out")
        if reading.too_long == "chunk":
            raise InputError(
                "--too-long chunk cannot be combined with --pair",
                hint="give --too-long truncate, or one text",
            )

    def _checked(self, piece: Tokenised, model: Transformer) -> tuple[torch.Tensor, torch.Tensor | None]:
        """The numbers of the tokens and of their segments, none of them beyond what the model knows."""
        config = self.model.config
        if (largest := max(piece.numbers)) >= config.vocab:
            raise InputError(
                f"tokenizer.json has token number {largest}, but the model has only {config.vocab}",
                hint="use files that were saved together",
            )
        numbers, segments = (
            torch.tensor([each], device=model.device) for each in (piece.numbers, piece.segments)
        )
        return numbers, segments.clamp(max=config.segments - 1) if config.segments else None

    def _provenance(self, layers: Sequence[int], n_pieces: int) -> str:
        pieces = "" if n_pieces == 1 else f", in {n_pieces} pieces that do not see each other"
        return self.provenance + layers_named(layers, self.model.config.n_layers) + pieces


# ---- from a directory -------------------------------------------------------------------------------


def recognises(config: Mapping[str, Any]) -> bool:
    """Whether a config.json is that of a Hugging Face model, read natively or not."""
    return isinstance(config.get("model_type"), str)


def load(
    directory: Path, config: Mapping[str, Any], adapter: Path | None = None
) -> HuggingFace | Vision | Library:
    """The model of a directory with its tokenizer, through `transformers` when it is not read natively.

    With an `adapter` what that adds is merged into it. Raises InputError when neither reads it, or something is
    missing or damaged.
    """
    if config["model_type"] not in _titles():
        if adapter is not None:
            hint = "merge it into its model and save that"
            raise InputError(
                f"an adapter of a '{escape(config['model_type'])}'", hint=hint, where=str(adapter)
            )
        return library.load(directory, config, _name(directory), natively())
    title, name = _title(directory, config), _name(directory)
    model = load_stack(directory, config, adapter)
    if adapter is not None:
        name = f"{name} with the adapter {_name(adapter)}"
    reader = _reader(directory, config, model.config)
    if model.config.patch is not None:
        return Vision(title, name, model, reader)
    classes = library.gives_classes(config) and adapter is None
    return HuggingFace(
        title,
        name,
        model,
        reader,
        partial(_unembedding, directory, config, adapter),
        ends(directory, config),
        classifier=directory if classes else None,
    )


def _unembedding(
    directory: Path, config: Mapping[str, Any], adapter: Path | None, model: Transformer
) -> Unembedding:
    """What the model of a directory makes logits with."""
    family, _ = _read(directory, config)
    checkpoint = Checkpoint(directory) if adapter is None else Adapted(directory, adapter, family.PREFIX)
    try:
        return unembedding(model, family.UNEMBEDDING, Given(config), checkpoint)
    except InputError as problem:
        raise problem.at(str(directory)) from None


def load_stack(directory: Path, config: Mapping[str, Any], adapter: Path | None = None) -> Transformer:
    """The model alone, its weights still on the disk; those that an adapter changes are merged at once."""
    family, ours = _read(directory, config)
    where = directory if adapter is None else adapter
    try:
        checkpoint = Checkpoint(directory) if adapter is None else Adapted(directory, adapter, family.PREFIX)
        return fill(ours, family.names(Given(config)), family.PREFIX, checkpoint)
    except InputError as problem:
        raise problem.at(str(where)) from None


def positions(directory: Path, config: Mapping[str, Any]) -> tuple[str, torch.Tensor]:
    """What a model is called, and the position table that it has learned; no other weight is read.

    Raises InputError when it has none.
    """
    family, ours = _read(directory, config)
    called = f"{_title(directory, config)}: {escape(_name(directory))}"
    if ours.positions != "learned":
        raise InputError(f"{called} has no learned positions", hint=f"its own are {ours.positions}")
    try:
        names, weights = family.names(Given(config)), Checkpoint(directory)
        return called, one("position.weight", ours, names, family.PREFIX, weights)
    except InputError as problem:
        raise problem.at(str(directory)) from None


def describe(directory: Path, config: Mapping[str, Any]) -> dict[str, str]:
    """What a directory is, by its config.json; a family that is not read is named all the same."""
    if config["model_type"] not in _titles():
        return library.describe(directory, config, _name(directory))
    family, ours = _read(directory, config)
    title, read = _title(directory, config), "natively"
    try:
        check(ours, family.names(Given(config)), family.PREFIX, Checkpoint(directory))
        _reader(directory, config, ours)
    except InputError as problem:
        read = f"no: {problem.what}"
    return {"family": title, "name": escape(_name(directory)), **sizes(ours), "read": read}


def _reader(directory: Path, config: Mapping[str, Any], ours: Config) -> Any:
    """What makes numbers of a text, or of an image."""
    if ours.patch is not None:
        return Preprocessing.of(directory, vit.image_size(Given(config)), ours.vocab)
    return open_tokenizer(directory)


def natively() -> str:
    """The families that need nothing else, for a sentence."""
    return ", ".join(title for _, title, _ in families())


def families() -> list[tuple[str, str, str]]:
    """A row for each family that `load` reads: model_type in config.json, its name, what it reads."""
    return [
        (kind, title, "images" if family is vit else "text")
        for family in FAMILIES
        for kind, title in family.TYPES.items()
    ]


def _read(directory: Path, config: Mapping[str, Any]) -> tuple[Any, Config]:
    """The family of a directory, and the sizes of its model."""
    title = _title(directory, config)
    family = next(family for family in FAMILIES if title in family.TYPES.values())
    try:
        return family, family.config(Given(config))
    except InputError as problem:
        raise problem.at(str(directory / "config.json")) from None


def _titles() -> dict[str, str]:
    return {kind: title for family in FAMILIES for kind, title in family.TYPES.items()}


def _title(directory: Path, config: Mapping[str, Any]) -> str:
    """What people call the family of a model."""
    titles = _titles()
    if (kind := config["model_type"]) not in titles:
        raise InputError(
            f"a model of the family '{escape(kind)}'",
            hint=f"attn reads {natively()}",
            where=str(directory),
        )
    return titles[kind]


def _name(directory: Path) -> str:
    """Of the directory; in a Hugging Face cache that of the model, as its directories are named by hashes."""
    home = directory.resolve()
    if home.parent.name == "snapshots":
        return home.parent.parent.name.removeprefix("models--").replace("--", "/")
    return home.name
