"""What the decoder of an encoder–decoder of the library writes: what it is told to, or the most probable."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ...errors import InputError, note
from ...text.escaping import escape
from ...transformer.writing import Writer
from ...variants.sampling import sampling_of
from ..continuing import answered
from ..native.text import Tokenised
from .running import explained, inputs_of, n_layers
from .silence import silent
from .watching import Unfamiliar, use
from .words import spelling_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from ...records.attention import Kind
    from .words import Words

START = "[start]"  # what a decoder reads first, whatever token that is
LONGEST = 200  # tokens of greedy output
_QUOTED = 80  # characters of it in a provenance


@dataclass(frozen=True, eq=False)
class Target:
    """What a decoder writes, and what it reads before that."""

    start: int
    piece: Tokenised
    text: str
    said: str = ""  # in the provenance, where the model itself has written it
    likely: Mapping[Kind, Mapping[str, Any]] = field(
        default_factory=dict
    )  # fields of a record of each kind, there too

    @property
    def read(self) -> Tokenised:
        """What it has before it while it writes: each token a place later, the start before all."""
        shifted = [part[:-1] for part in vars(self.piece).values()]
        firsts: list[list[Any]] = [[self.start], [START], [0], [True]]
        return Tokenised(*(first + part for first, part in zip(firsts, shifted, strict=True)))


def start_of(model: Any) -> int:
    """What the decoder reads before anything is written."""
    for config in (model.generation_config, model.config):
        for name in ("decoder_start_token_id", "bos_token_id"):
            if isinstance(number := getattr(config, name, None), int):
                return number
    raise InputError("no decoder_start_token_id", hint="download or save it again")


def own(model: Any, words: Words, source: Tokenised | Tensor, longest: int, **options: Any) -> Target:
    """What a model itself makes of a source, in so many tokens at most; it is said in a note."""
    writer = Writer(sampling_of(None))

    def watch(_: Tensor, logits: Tensor) -> Tensor:
        writer.next(logits[0].float())
        return logits

    start, *numbers = greedy(model, source, longest, logits_processor=[watch], **options)
    piece = words.written(numbers)
    said = words.join(piece)
    cut = "" if piece.special[-1] else f" (cut after {len(numbers)} tokens)"
    note(f"greedy output: {escape(said)}{cut}")
    short = escape(said if len(said) <= _QUOTED else said[:_QUOTED] + "…")
    return Target(start, piece, said, f', greedy output "{short}"', _likely(writer, numbers, words))


def _likely(writer: Writer, numbers: list[int], words: Words) -> dict[Kind, dict[str, Any]]:
    """How likely each token was, for each kind whose queries they are; before them stand those it had to begin with."""
    n_given = len(numbers) - len(writer.numbers)
    if n_given < 0 or numbers[n_given:] != writer.numbers:
        return {}
    kinds: tuple[Kind, Kind] = ("decoder", "cross")
    spelling = spelling_of(words.tokenizer)
    return {kind: answered(kind, writer, spelling, len(numbers), n_given) for kind in kinds}


def greedy(model: Any, source: Tokenised | Tensor, longest: int, **options: Any) -> list[int]:
    """The start, and the most probable token after those before it until the end, or so many tokens."""
    config = model.config
    options |= {
        "do_sample": False,
        "num_beams": 1,
        "max_new_tokens": longest,
        # The library's cache has room for as many layers as the encoder has.
        "use_cache": n_layers(config, "decoder") <= n_layers(config, "encoder"),
    }
    with silent(), explained():
        use(model, ours=True)
        try:
            written = model.generate(**inputs_of(model, source), **options)
        except Unfamiliar:
            use(model, ours=False)
            written = model.generate(**inputs_of(model, source), **options)
    numbers: list[int] = getattr(written, "sequences", written)[0].tolist()
    return numbers
