"""Text to the numbers that a model of the library reads, and back, on the side of the source and of the target."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from ...errors import InputError, note
from ...text.characters import one_line
from ...text.pieces import spaced
from ...text.tokenizers import no_panic
from ..continuing import Spelling
from ..native.text import Tokenised, tokenise, tokenised
from .silence import silent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..reading import Reading

_LOST = "\N{REPLACEMENT CHARACTER}"  # what part of a character's bytes decode to


@dataclass(frozen=True, eq=False)
class Words:
    """A tokenizer of the library, and how many tokens its model takes."""

    tokenizer: Any
    longest: int

    def read(self, text: str, reading: Reading, *, in_pieces: bool = False) -> list[Tokenised]:
        """A text as one piece, or where that is possible as many as the model can take.

        Raises InputError when it holds no token, or has too many.
        """
        ours = self._offsets()
        in_pieces = in_pieces and ours is not None
        if reading.too_long == "chunk" and not in_pieces:
            raise InputError(
                "--too-long chunk does not work with this model",
                hint="give --too-long truncate",
            )
        return tokenise(ours or _Plain(self.tokenizer), text, reading, self.longest, in_pieces=in_pieces)

    def exact(self, text: str) -> Tokenised:
        """A text as it stands, line breaks too, in one piece."""
        with silent(), no_panic():
            return tokenised((self._offsets() or _Plain(self.tokenizer)).encode(text), [text])

    def read_target(self, text: str, reading: Reading, longest: int) -> Tokenised:
        """A text as the decoder is to write it: by the tokenizer of what comes out, with the end."""
        line = one_line(text)
        with silent(), no_panic():
            batch = self.tokenizer(text_target=line)
            whole = (
                tokenised(batch.encodings[0], [line]) if batch.encodings else self.written(batch["input_ids"])
            )
        if all(whole.special):
            raise InputError("the target contains no token", hint="give at least one word")
        if (n := len(whole.numbers)) <= longest:
            return whole
        if reading.too_long != "truncate":
            hint = f"--too-long truncate reads the first {longest}"
            raise InputError(f"{n:,} tokens of the target, the model writes at most {longest:,}", hint=hint)
        note(f"the target is cut: the model writes at most {longest:,} of {n:,} tokens of the target")
        return Tokenised(*(part[:longest] for part in vars(whole).values()))

    def written(self, numbers: Sequence[int]) -> Tokenised:
        """What a model wrote, each token called by its characters."""
        # Whisper's unknown token is also its end.
        unknown = {self.tokenizer.unk_token_id} - {self.tokenizer.eos_token_id}
        special = set(self.tokenizer.all_special_ids) - unknown
        return Tokenised(
            list(numbers),
            labels(self.tokenizer, numbers),
            [0] * len(numbers),
            [number in special for number in numbers],
        )

    def join(self, piece: Tokenised) -> str:
        """Tokens as a text again."""
        with silent(), no_panic():
            return str(self.tokenizer.decode(piece.numbers, skip_special_tokens=True)).strip()

    def _offsets(self) -> Any:
        """The tokenizer that knows where in the text its tokens stand, None where there is none."""
        backend = getattr(self.tokenizer, "backend_tokenizer", None)
        if backend is not None:
            backend.no_padding()
            backend.no_truncation()
        return backend


def spelling_of(tokenizer: Any) -> Spelling:
    """What a tokenizer of the library knows of its tokens."""

    def decode(numbers: list[int]) -> str:
        with silent(), no_panic():
            return str(tokenizer.decode(numbers, clean_up_tokenization_spaces=False))

    def piece(number: int) -> str | None:
        found = tokenizer.convert_ids_to_tokens([number])[0]
        return None if found is None else str(found)

    return Spelling(decode, piece, frozenset(tokenizer.all_special_ids) - {tokenizer.unk_token_id})


def labels(tokenizer: Any, numbers: Sequence[int]) -> list[str]:
    """What tokens are called whose text is not known; tokens that share a character are all called by it."""
    if getattr(tokenizer, "backend_tokenizer", None) is None:
        pieces = tokenizer.convert_ids_to_tokens(list(numbers))
        return [
            str(piece).replace("▁", " ").removesuffix("</w>").strip() or spaced(piece) for piece in pieces
        ]
    called: list[str] = []
    for end in range(1, len(numbers) + 1):
        text = tokenizer.decode(numbers[len(called) : end])
        if _LOST not in text or end == len(numbers):
            pieces = tokenizer.convert_ids_to_tokens(list(numbers[len(called) : end]))
            called += [text.strip() or spaced(piece) for piece in pieces]
    return called


class _Plain:
    """A tokenizer that does not know where its tokens stand, asked like one that does."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.options: dict[str, Any] = {}

    def enable_truncation(self, longest: int) -> None:
        """Read no more than so many tokens."""
        self.options = {"truncation": True, "max_length": longest}

    def no_truncation(self) -> None:
        """Read all."""
        self.options = {}

    def encode(self, *texts: str) -> Any:
        """A text or two as one piece."""
        with silent(), no_panic():
            batch = self.tokenizer(*texts, **self.options)
        numbers = batch["input_ids"]
        special = set(self.tokenizer.all_special_ids) - {self.tokenizer.unk_token_id}
        return SimpleNamespace(
            ids=numbers,
            tokens=labels(self.tokenizer, numbers),
            offsets=[(0, 0)] * len(numbers),
            sequence_ids=[None] * len(numbers),
            special_tokens_mask=[number in special for number in numbers],
            type_ids=batch.get("token_type_ids", [0] * len(numbers)),
            overflowing=[],
        )
