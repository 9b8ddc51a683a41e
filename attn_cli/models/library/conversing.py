"""Models of the library that read an image and a text together, and whose words attend to the patches before them."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch

from ...errors import InputError
from ...records.selection import at_places
from ...text.characters import one_line
from ..native.preprocessing import small
from ..native.text import Tokenised
from ..native.vision import tokens_of
from ..precision import as_wanted
from ..reading import WHOLE
from ..showing import Side, sides_of
from .looking import preprocessing_of
from .running import Pass

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from torch import Tensor

    from ...records.attention import Attention
    from ...records.encoding import Image
    from ..continuing import Continued
    from ..reading import Reading
    from .words import Words

IMAGE = "<image>"  # stands for the patches in a text


def is_read(config: Any) -> bool:
    """Whether a model of this configuration reads an image and a text together, and that is read."""
    # Of LLaVA the strategy that leaves out the token that stands for the whole image.
    strategy = getattr(config, "vision_feature_select_strategy", "default")
    return config.model_type in FAMILIES and strategy == "default"


@dataclass(frozen=True, eq=False)
class Prompt:
    """A text with a token for each patch of its image, the place of the first, and of what type each token is."""

    piece: Tokenised
    first: int
    side: int  # patches along a side of the image
    types: Sequence[int] | None = None  # None: the family has none
    later: int = 0  # the type of tokens that the model writes

    @property
    def patches(self) -> range:
        """The places of the patches."""
        return range(self.first, self.first + self.side**2)

    def seen(self, pixels: Tensor, n: int) -> dict[str, Tensor]:
        """What the model is given beside n tokens, the later ones of which it has written itself."""
        if self.types is None:
            return {"pixel_values": pixels}
        types = [*self.types, *[self.later] * (n - len(self.types))]
        return {"pixel_values": pixels, "token_type_ids": torch.tensor([types], device=pixels.device)}


@dataclass(frozen=True, eq=False)
class _Pass(Pass):
    """A pass over a text that has an image in it."""

    beside: Mapping[str, Tensor] = field(default_factory=dict)

    def _forward(self, source: Tokenised | Tensor, **asked: Any) -> Any:
        return super()._forward(source, **self.beside, **asked)


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
    prompt = FAMILIES[model.config.model_type](words, reading.pair, model.config)
    if (n := len(prompt.piece.numbers)) > words.longest:
        what = f"{n:,} tokens with the image, the model reads at most {words.longest:,}"
        raise InputError(what, hint="give a shorter text")
    pixels = preprocessing(image).to(next(model.parameters()))
    piece, beside, patches = prompt.piece, None, prompt.patches
    if reading.generate is not None:
        went_on = _gone_on(model, directory, words, prompt, pixels, reading)
        piece, beside, provenance = went_on.piece, went_on.beside, provenance + went_on.said
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
    seen = prompt.seen(pixels, len(piece.numbers))
    made = _Pass(model.language_model, model, "decoder", [piece], beside=seen).record(sides, wanted, how)
    if made.pooled:
        raise InputError("the weights are too many for an image", hint="choose one --layer")
    order = [i for i in range(len(piece.numbers)) if i not in patches] + list(patches)
    found = at_places(made, "key", order, patches=None)
    found = replace(found, patches=(prompt.side, prompt.side), image=small(preprocessing.seen(image)))
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
    model: Any, directory: Path, words: Words, prompt: Prompt, pixels: Tensor, reading: Reading
) -> Continued:
    """The text and what the model writes after it while it sees the image."""
    from .continuing import go_on, open_writer

    writer = as_wanted(open_writer(directory, model.config), reading)
    seen = prompt.seen(pixels, len(prompt.piece.numbers))
    return go_on(writer, words.tokenizer, prompt.piece, reading.pair or "", reading, words.longest, seen)


# ---- where families put the image -----------------------------------------------------------------------


def _llava(words: Words, text: str, config: Any) -> Prompt:
    """LLaVA: where the text says, else before it. Liu et al. 2023, arXiv:2304.08485."""
    (piece,) = words.read(text if IMAGE in text else f"{IMAGE} {text}", WHOLE)
    vision = config.vision_config
    return _with_patches(piece, config.image_token_id, vision.image_size // vision.patch_size)


def _paligemma(words: Words, text: str, config: Any) -> Prompt:
    """PaliGemma: before all; what is given is seen both ways, what is written causally. Beyer et al. 2024, arXiv:2407.07726."""
    if (text := text.strip().removeprefix(IMAGE).strip()) and IMAGE in text:
        raise InputError(f"{IMAGE} within the text", hint="PaliGemma reads its image first; leave it out")
    begins = words.tokenizer.bos_token or ""
    piece = words.exact(f"{IMAGE}{begins}{one_line(text)}\n")
    if config.image_token_id in piece.numbers:  # before it stands nothing, whatever the tokenizer puts there
        at = piece.numbers.index(config.image_token_id)
        piece = Tokenised(*(part[at:] for part in vars(piece).values()))
    vision = config.vision_config
    made = _with_patches(piece, config.image_token_id, vision.image_size // vision.patch_size)
    return replace(made, types=[0] * len(made.piece.numbers), later=1)


def _gemma3(words: Words, text: str, config: Any) -> Prompt:
    """Gemma 3: between two tokens of its own and blank lines; patches see each other both ways. Gemma Team 2025, arXiv:2503.19786."""
    begins, patch, ends = (
        words.tokenizer.convert_ids_to_tokens(getattr(config, name))
        for name in ("boi_token_index", "image_token_id", "eoi_token_index")
    )
    given = one_line(text).replace(begins or IMAGE, IMAGE)
    framed = f"\n\n{begins}{patch}{ends}\n\n"
    piece = words.exact(given.replace(IMAGE, framed) if IMAGE in given else f"{framed}{given}")
    made = _with_patches(piece, config.image_token_id, math.isqrt(config.mm_tokens_per_image))
    patches = made.patches
    return replace(made, types=[int(i in patches) for i in range(len(made.piece.numbers))])


FAMILIES: dict[str, Callable[[Words, str, Any], Prompt]] = {  # by model_type
    "llava": _llava,
    "paligemma": _paligemma,
    "gemma3": _gemma3,
}


def _with_patches(piece: Tokenised, number: int, side: int) -> Prompt:
    """The text with a token for each patch where that of its image stands."""
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
    return Prompt(whole, at, side)
