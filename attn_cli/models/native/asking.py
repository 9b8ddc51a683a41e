"""Which output of a model is meant, of those that write on and those that fill a gap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from ...errors import InputError
from ...transformer.answer import Asked
from ...transformer.intervening import NOTHING
from ..asking import Meant, place, position, refuse_pieces, some
from ..precision import as_wanted
from ..showing import Side
from .text import tokenise

if TYPE_CHECKING:
    from ...records.attention import Kind
    from ..reading import Reading
    from .huggingface import HuggingFace
    from .text import Tokenised

GAPS = ("[MASK]", "<mask>")


def asked(model: HuggingFace, text: str, reading: Reading, toward: Any = None) -> Meant:
    """The output that `toward` names: a token, or the model's own answer, at a position or where it is by itself.

    A model that writes on answers after its last token; one that fills gaps, at each [MASK] of the text, or at a
    position, whose token is then hidden from it. Raises InputError where there is no such output.
    """
    reading.refuse_image(text, model.family)
    model._refuse_pair(reading)
    reading.refuse_target(model.family)
    refuse_pieces(reading)
    (piece,) = tokenise(model.tokenizer, text, reading, model.model.config.max_len)
    stack = as_wanted(model.speaking, reading)
    writes = stack.config.stack == "decoder"
    gap = next((number for name in GAPS if (number := model.tokenizer.token_to_id(name)) is not None), None)
    numbers, segments = model._checked(piece, stack)
    places = _last(toward, piece) if writes else _gaps(toward, piece, gap)
    if not writes:
        numbers[0, list(places)] = int(gap or 0)
    done = reading.intervention or NOTHING
    done.check(stack.config.n_layers, stack.config.n_heads)
    instead = None if writes else gap
    answer = Asked(stack, numbers, places, (0,) * len(places), segments, None, instead, done)
    with torch.no_grad():
        own = tuple(answer.all_logits()[0].argmax(dim=-1).tolist())
    wanted = (
        own if toward is None or position(toward) is not None else (_number(model, toward),) * len(places)
    )
    kind: Kind = "decoder" if writes else "encoder"
    side = Side(piece.labels, piece.special, reading.whole(text))
    return Meant(
        answer.wanting(wanted),
        {kind: (side, side)},
        kind,
        tuple(piece.labels),
        some([not mark and (writes or i not in places) for i, mark in enumerate(piece.special)]),
        tuple(_name(model, number) for number in wanted),
        "an embedding of zeros" if instead is None else model.tokenizer.id_to_token(instead),
        model._provenance(range(stack.config.n_layers), 1),
        done,
    )


def _last(toward: Any, piece: Tokenised) -> tuple[int, ...]:
    """The place after which a model writes on."""
    n, at = len(piece.numbers), position(toward)
    return (place(-1 if at is None else at, n, "tokens"),)


def _gaps(toward: Any, piece: Tokenised, gap: int | None) -> tuple[int, ...]:
    """The places of what a model is to fill in."""
    if gap is None:
        raise InputError("the tokenizer has no [MASK]", hint="give a model that was saved with its own")
    if (at := position(toward)) is not None:
        return (place(at, len(piece.numbers), "tokens"),)
    if not (places := tuple(i for i, number in enumerate(piece.numbers) if number == gap)):
        raise InputError(
            "this model predicts [MASK], and the text has none",
            hint="put [MASK] in place of a word, or give --toward POSITION",
        )
    return places


def _number(model: HuggingFace, token: Any) -> int:
    """The number of a token; one that begins a word is meant where there are both.

    Raises InputError for what is more than one token.
    """
    text, known = str(token), model.tokenizer
    ways = (f"\u0120{text}", f"\u2581{text}", text)
    if (number := next((n for way in ways if (n := known.token_to_id(way)) is not None), None)) is not None:
        return int(number)
    numbers = known.encode(text, add_special_tokens=False).ids
    if len(numbers) != 1:
        raise InputError(f"--toward {text!r} is {len(numbers)} tokens", hint="give one token, or a position")
    return int(numbers[0])


def _name(model: HuggingFace, number: int) -> str:
    return str(model.tokenizer.decode([number], skip_special_tokens=False)).strip() or repr(
        model.tokenizer.id_to_token(number)
    )
