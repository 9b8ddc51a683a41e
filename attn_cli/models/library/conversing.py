"""Models of the library that read an image and a text together: LLaVA, whose words attend to the patches before them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...errors import InputError
from ...records.selection import at_places
from ..native.preprocessing import small
from ..native.text import Tokenised
from ..native.vision import tokens_of
from ..precision import as_wanted
from ..reading import WHOLE
from ..showing import Side, sides_of
from .looking import preprocessing_of
from .running import Pass

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor

    from ...records.attention import Attention
    from ...records.encoding import Image
    from ..continuing import Continued
    from ..reading import Reading
    from .words import Words

IMAGE = "<image>"  # stands for the patches in a text
FAMILIES = ("llava",)  # by model_type; others put their patches elsewhere, or merge them


def is_read(config: Any) -> bool:
    """Whether a model of this configuration reads an image and a text together, and that is read."""
    return config.model_type in FAMILIES and config.vision_feature_select_strategy == "default"


@dataclass(frozen=True, eq=False)
class _Pass(Pass):
    """A pass over a text that has an image in it."""

    pixels: Tensor | None = None

    def _forward(self, source: Tokenised | Tensor, **asked: Any) -> Any:
        return super()._forward(source, pixel_values=self.pixels, **asked)


def converse(
    model: Any, directory: Path, image: Image, words: Words, reading: Reading, provenance: str
) -> Attention:
    """What each token after the image attends to: the tokens of the text, and last the patches of the image.

    The image stands before the text, unless that says where by `<image>`. Raises InputError where the tokenizer
    does not know that word, or the weights are too many to be drawn over an image.
    """
    _refuse(reading)
    if reading.pair is None:
        raise InputError("an image without a text", hint="give the text too: --pair TEXT")
    preprocessing = preprocessing_of(directory, model.config.vision_config)
    side = preprocessing.side // model.config.vision_config.patch_size
    piece, first = _with_patches(words, reading.pair, model.config.image_token_id, side)
    pixels = preprocessing(image).to(next(model.parameters()))
    beside = None
    if reading.generate is not None:
        went_on = _gone_on(model, directory, words, piece, pixels, reading)
        piece, beside, provenance = went_on.piece, went_on.beside, provenance + went_on.said
    patches = range(first, first + side * side)
    after = range(patches.stop, len(piece.numbers))
    if not after:
        raise InputError(f"no token after {IMAGE}", hint="only what comes after an image can look at it")
    chosen = (
        after
        if reading.queries is None
        else [after[i] for i in reading.queries([piece.labels[i] for i in after])]
    )
    tokens = Side(piece.labels, piece.special)
    how = replace(reading, queries=lambda _: chosen, keys=None)
    sides, wanted = sides_of(tokens, tokens, "decoder", provenance, how, beside)
    made = _Pass(model.language_model, model, "decoder", [piece], pixels=pixels).record(sides, wanted, how)
    if made.pooled:
        raise InputError("the weights are too many for an image", hint="choose one --layer")
    order = [i for i in range(len(piece.numbers)) if i not in patches] + list(patches)
    found = at_places(made, "key", order, patches=None)
    found = replace(found, patches=(side, side), image=small(preprocessing.seen(image)))
    return found if reading.keys is None else at_places(found, "key", reading.keys(found.key_tokens))


def _refuse(reading: Reading) -> None:
    given = {
        "--special": reading.special != "keep",
        "--too-long": reading.too_long != "error",
    }
    for option in (name for name, is_given in given.items() if is_given):
        raise InputError(f"{option} does not apply to an image with a text", hint="leave it out")
    reading.chosen_kind(["decoder"])
    reading.refuse_target("this model")


def _gone_on(
    model: Any, directory: Path, words: Words, given: Tokenised, pixels: Tensor, reading: Reading
) -> Continued:
    """The text and what the model writes after it while it sees the image."""
    from .continuing import go_on, open_writer

    writer = as_wanted(open_writer(directory, model.config), reading)
    seen = {"pixel_values": pixels}
    return go_on(writer, words.tokenizer, given, reading.pair or "", reading, words.longest, seen)


def _with_patches(words: Words, text: str, number: int, side: int) -> tuple[Tokenised, int]:
    """The text with a token for each patch where its image stands, and the place of the first."""
    given = text if IMAGE in text else f"{IMAGE} {text}"
    (piece,) = words.read(given, WHOLE)
    if piece.numbers.count(number) != 1:
        what = f"{piece.numbers.count(number)} tokens of an image in the text"
        raise InputError(what, hint=f"write {IMAGE} once, with the tokenizer that the model was saved with")
    at, n = piece.numbers.index(number), side * side
    parts: list[Sequence[Any]] = [[number] * n, tokens_of(side, side, n_others=0), [0] * n, [False] * n]
    whole = Tokenised(
        *(
            [*part[:at], *more, *part[at + 1 :]]
            for part, more in zip(vars(piece).values(), parts, strict=True)
        )
    )
    if len(whole.numbers) > words.longest:
        what = f"{len(whole.numbers):,} tokens with the image, the model reads at most {words.longest:,}"
        raise InputError(what, hint="give a shorter text")
    return whole, at
