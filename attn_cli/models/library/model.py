"""A model of the library with its tokenizer, asked for its attention like those that are read natively."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ...errors import InputError
from ...records.encoding import Image, Sound
from ...text.escaping import escape
from ..native.text import Tokenised, joined
from ..native.vision import refuse_text_options
from ..precision import as_wanted
from ..reading import WHOLE, Reading
from ..showing import Side, sides_of
from . import conversing, listening, looking, unread, windows, writing
from .running import Pass
from .sizes import sizes
from .words import Words

if TYPE_CHECKING:
    from pathlib import Path

    from ...records.attention import Attention, Kind
    from ..asking import Meant
    from ..continuing import Continued


@dataclass(frozen=True, eq=False)
class Library:
    """A trained model that `transformers` runs."""

    family: str  # as the library calls it
    directory: Path
    name: str  # of the directory
    model: Any
    tokenizer: Any  # None where it reads no text
    writes: bool  # whether the weights with which it writes were saved

    @property
    def provenance(self) -> str:
        """Family, directory and size, and that the library has read it."""
        return self._said_of(self._tower, "text")

    def _said_of(self, tower: Any, reads: str) -> str:
        told = sizes(tower.config)
        size = f"{told.get('layers', '?')} layers × {told.get('heads', '?')} heads"
        which = "" if tower is self.model else f" (its {reads} tower)"
        return f"{self.family} through transformers: {escape(self.name)}{which}, {size}"

    @property
    def sees(self) -> bool:
        """Whether it looks at images, if not only."""
        return looking.tower_of(self.model) is not None or conversing.is_read(self.model.config)

    @property
    def hears(self) -> bool:
        """Whether it hears sounds."""
        return listening.is_heard(self.model.config)

    @property
    def kinds(self) -> list[Kind]:
        """The kinds of attention that it has, first the one to show."""
        if self._both:
            return ["encoder", "decoder", "cross"]
        causal = any(getattr(part, "is_causal", False) for part in self._tower.modules())
        return ["decoder" if causal or _generative(self.model.config.model_type) else "encoder"]

    @torch.no_grad()
    def attend(self, text: str | Image | Sound, reading: Reading = WHOLE) -> Attention:
        """The attention of the wanted kind and layers to a text, an image or a sound; an encoder–decoder writes what
        is not given.

        Rows of cross-attention are tokens as they are written, those of a decoder as they are read. Raises
        InputError when the text is empty or too long, or the model cannot read it so.
        """
        if reading.intervention is not None:
            hint = "give a model that is read natively: attn models"
            raise InputError(
                f"--without and --mask do not apply to {self.family}, read through transformers", hint=hint
            )
        able = replace(self, model=as_wanted(self.model, reading))
        if isinstance(text, Sound):
            return able._listen(text, reading)
        return able._look(text, reading) if isinstance(text, Image) else able._read(text, reading)

    __call__ = attend  # attn.load("t5-dir")("The cat sat on the mat")

    def asked(self, text: str, reading: Reading = WHOLE, toward: Any = None) -> Meant:
        """One output for a text, to be explained; see `library/asking.py`."""
        from .asking import asked

        return asked(self.directory, self.family, text, reading, toward)

    def _read(self, text: str, reading: Reading) -> Attention:
        kind = reading.chosen_kind(self.kinds)
        self._refuse(reading, kind)
        pieces = [self._checked(piece) for piece in self._words.read(text, reading, in_pieces=not self._both)]
        source = joined(pieces)
        longest = max(len(piece.numbers) for piece in pieces)
        unread.refuse_reading(self.model.config, self.family, kind, longest)
        queries = keys = Side(source.labels, source.special, reading.whole(text))
        provenance, written = self.provenance + _layers_named(reading), None
        if len(pieces) > 1:
            provenance += f", in {len(pieces)} pieces that do not see each other"
        text, beside = reading.whole(text), None
        if reading.generate is not None:
            went_on = self._go_on(source, text, reading)
            pieces, beside, text = [source := went_on.piece], went_on.beside, went_on.text
            queries = keys = Side(source.labels, source.special, text)
            provenance += went_on.said
        if self._both and kind != "encoder":
            target = self._target(source, reading)
            written = target.read.numbers
            shown = target.piece if kind == "cross" else target.read
            queries = Side(shown.labels, shown.special, target.text)
            keys = keys if kind == "cross" else queries
            beside = target.likely.get(kind)
            provenance += target.said
            provenance += "; a row for each token while it is written" if kind == "cross" else ""
        sides, wanted = sides_of(queries, keys, kind, provenance, reading, beside)
        return Pass(self.model, self._tower, kind, pieces, written).record(sides, wanted, reading)

    def _go_on(self, given: Tokenised, text: str, reading: Reading) -> Continued:
        """The text and what the model writes after it."""
        if self._both:
            reading.refuse_generating(self.family, "leave --generate out, it writes by itself")
        from . import continuing

        model = as_wanted(continuing.open_writer(self.directory, self.model.config), reading)
        return continuing.go_on(model, self.tokenizer, given, text, reading, self._words.longest)

    def _look(self, image: Image, reading: Reading) -> Attention:
        if not self.sees:
            raise InputError(f"{self.family} reads text, not images", hint="give a ViT or CLIP directory")
        if conversing.is_read(self.model.config):
            said = self.provenance + _layers_named(reading)
            return conversing.converse(self.model, self.directory, image, self._words, reading, said)
        refuse_text_options(reading, self.family)
        said = self._said_of(looking.tower_of(self.model), "image") + _layers_named(reading)
        see = windows.look if windows.is_read(self.model.config) else looking.look
        return see(self.model, self.directory, image, reading, said)

    def _listen(self, sound: Sound, reading: Reading) -> Attention:
        if not self.hears:
            raise InputError(f"{self.family} hears no sounds", hint="give the directory of a Whisper")
        said = self.provenance + _layers_named(reading)
        kind = reading.chosen_kind(self.kinds)
        self._refuse_target(reading, kind)
        return listening.listen(self.model, self.directory, sound, self._words, reading, kind, said)

    @property
    def _both(self) -> bool:
        return bool(self.model.config.is_encoder_decoder)

    @property
    def _tower(self) -> Any:
        """The part that reads text: of CLIP and the like one of two, else all."""
        return text_tower_of(self.model)

    @property
    def _words(self) -> Words:
        longest = min(_longest(self._tower), _limit(self.tokenizer.model_max_length))
        return Words(self.tokenizer, longest)

    def _refuse(self, reading: Reading, kind: Kind) -> None:
        """Raise InputError for what could have no effect."""
        if (wanted := getattr(self._tower, "main_input_name", "input_ids")) != "input_ids":
            raise InputError(f"{self.family} {unread.instead_of_text(wanted)}")
        self._refuse_target(reading, kind)
        if reading.pair is not None and reading.too_long == "chunk":
            raise InputError(
                "--too-long chunk cannot be combined with --pair",
                hint="give --too-long truncate, or one text",
            )
        if reading.pair is not None and kind == "decoder" and not self._both:
            raise InputError(f"{self.family} reads one text, not a pair", hint="leave --pair out")

    def _refuse_target(self, reading: Reading, kind: Kind) -> None:
        if not self._both:
            reading.refuse_target(self.family)
        elif reading.target is not None and kind == "encoder":
            hint = "add --kind decoder or cross"
            raise InputError("--target has no effect on encoder attention", hint=hint)

    def _checked(self, piece: Tokenised) -> Tokenised:
        """The same, if the model knows all of its tokens."""
        if (n_known := n_tokens_known(self._tower)) is None:
            raise InputError(
                f"{self.family} by itself reads no text", hint="give the model that it is a part of"
            )
        if (largest := max(piece.numbers)) >= n_known:
            raise InputError(
                f"its tokenizer has token number {largest}, but the model has only {n_known}",
                hint="use files that were saved together",
            )
        return piece

    # ---- what the decoder writes ----

    def _target(self, source: Tokenised, reading: Reading) -> writing.Target:
        longest = min(_longest(self.model.get_decoder()), _limit(self.tokenizer.model_max_length)) - 1
        if reading.target is not None:
            piece = self._words.read_target(reading.target, reading, longest)
            return writing.Target(writing.start_of(self.model), self._checked(piece), reading.target)
        if not self.writes:
            raise InputError(
                "its output layer was not saved, so it cannot generate the target", hint="give --target"
            )
        most = min(writing.LONGEST, 3 * len(source.numbers) + 10, longest)
        return writing.own(self.model, self._words, source, most)


def n_tokens_known(tower: Any) -> int | None:
    """How many different tokens a part of a model reads; None where it reads something else."""
    try:
        n: int | None = getattr(tower.get_input_embeddings(), "num_embeddings", None)
    except (NotImplementedError, AttributeError):  # a part that looks at images may say that it reads tokens
        return None
    return n


def text_tower_of(model: Any) -> Any:
    """The part of a model that reads text: of CLIP, BLIP and the like one of two, else all."""
    if getattr(model, "vision_model", None) is None and not hasattr(model, "text_model"):
        return model
    towers = (getattr(model, name, None) for name in ("text_model", "text_encoder", "text_decoder"))
    return next((tower for tower in towers if tower is not None), model)


def _generative(model_type: str) -> bool:
    """Whether the library knows a family as one that writes on, not as one that fills gaps."""
    from transformers.models.auto import modeling_auto as auto

    fills = auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES
    return model_type in auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES and model_type not in fills


def _layers_named(reading: Reading) -> str:
    if isinstance(reading.layers, tuple):
        return f", layer {', '.join(map(str, sorted(set(reading.layers))))}"
    return ", last layer" if reading.layers == "last" else ""


def _longest(part: Any) -> int:
    """How many tokens a part of a model takes: what its configuration and its table of positions say."""
    limits = [_limit(getattr(part.config.get_text_config(), "max_position_embeddings", None))]
    for name, table in part.named_modules():
        # Tables that count from behind the number of the padding, as RoBERTa's and its heirs' do.
        if "position" in name and isinstance(table, nn.Embedding) and table.padding_idx is not None:
            limits.append(table.num_embeddings - table.padding_idx - 1)
    return min(limits)


def _limit(given: Any) -> int:
    return given if isinstance(given, int) and given > 0 else 2**31
