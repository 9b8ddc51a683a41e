"""What the rows of a table open: the map of a head, or of two attentions the same head and their difference."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import numpy as np

from ...errors import InputError
from ...records.attention import Attention
from ...records.table import Table
from ..text import running
from .document import wording
from .page import page

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ...records.attention import Kind

    Shown = Attention | tuple[Attention, Attention] | Mapping[Kind, Attention]

_LINKED = {"layer": "layer", "head": "head", "query_pos": "query", "key_pos": "key"}  # column: part of a link
MOST_TOKENS = 60  # of a text that a page says under its title


@dataclass(frozen=True, eq=False)
class Opened:
    """Pages, and for each row of a table which of them it opens and the end of its address; None opens nothing."""

    pages: Sequence[bytes]
    rows: Sequence[tuple[int, str] | None]


def opened(table: Table, shown: Shown, max_bytes: int, *, lang: str = "en") -> Opened:
    """What rows open of one attention, of two that they compare, or of several kinds that a column tells."""
    if isinstance(shown, Attention):
        return opened_maps(table, shown, max_bytes, lang=lang)
    if isinstance(shown, tuple):
        return opened_pairs(table, *shown, max_bytes, lang=lang)
    return opened_kinds(table, shown, max_bytes, lang=lang)


def texts(shown: Shown, lang: str = "en") -> list[str]:
    """What the maps are of: each text of queries and keys once, in the words of a language.

    >>> texts(Attention(("a", "b"), ("a", "b"), [[[[1.0, 0.0], [0.0, 1.0]]]]))
    ['Text: “a b”']
    """
    each = _each(shown)
    every = [tokens for one in each for tokens in (one.key_tokens, one.query_tokens)]
    said = dict.fromkeys(_as_text(tokens) for tokens in every)
    return [wording(lang)["table_text"].format(text=text) for text in said if text]


def with_tokens(table: Table, shown: Shown) -> Table:
    """The same table with the token beside each position of a query or key that it compares."""
    if not isinstance(shown, tuple) or not {"query", "key"} <= set(table.columns):
        return table
    ours = shown[0]
    names = {"query": ours.query_tokens, "key": ours.key_tokens}
    said: dict[str, Any] = {
        name: [f"{at} {tokens[at]}" for at in table[name].tolist()] for name, tokens in names.items()
    }
    return Table({**table.columns, **said}, table.about, table.provenance, table.units)


def _each(shown: Shown) -> Sequence[Attention]:
    if isinstance(shown, Attention):
        return [shown]
    return shown if isinstance(shown, tuple) else list(shown.values())


def _as_text(tokens: Sequence[str]) -> str:
    """The tokens as a text, of a long one the beginning."""
    pieces = running(tokens[:MOST_TOKENS], None)
    text = "".join(" " * (piece.before == "space") + piece.text for piece in pieces).strip()
    return text + " …" * (len(tokens) > MOST_TOKENS)


def opened_maps(table: Table, attention: Attention, max_bytes: int, *, lang: str = "en") -> Opened:
    """The page of an attention, and for each row the layer, head, query or key that the row is about.

    Raises InputError where the attention does not have them.

    >>> from attn_cli.records.table import Table
    >>> one = Attention(("a",), ("a",), [[[[1.0]], [[1.0]]]])
    >>> opened_maps(Table({"layer": [0, 0], "head": [0, 1]}), one, 10**6).rows
    ((0, '#layer=0&head=0'), (0, '#layer=0&head=1'))
    """
    named = {part: table[column].tolist() for column, part in _LINKED.items() if column in table.columns}
    for part, there in (("layer", attention.layers), ("head", attention.heads)):
        if strange := [each for each in named.get(part, ()) if each not in there]:
            hint = "give the attention that the table is about"
            raise InputError(f"{part} {strange[0]} of the table is not in the attention", hint=hint)
    links = (_link(**dict(zip(named, row, strict=True))) for row in zip(*named.values(), strict=True))
    made = page(attention, max_bytes=max_bytes, lang=lang, grows=True)
    return Opened((made,), tuple((0, link) for link in links))


def opened_kinds(
    table: Table, attentions: Mapping[Kind, Attention], max_bytes: int, *, lang: str = "en"
) -> Opened:
    """A page for each kind of attention, and for each row its kind, where a column says so, layer and head."""
    room = max_bytes // len(attentions)
    pages = [page(each, max_bytes=room, lang=lang, grows=True) for each in attentions.values()]
    numbers = {kind: number for number, kind in enumerate(attentions)}
    kinds = table["kind"].tolist() if "kind" in table.columns else [*attentions] * len(table)
    places = zip(kinds, table["layer"].tolist(), table["head"].tolist(), strict=True)
    return Opened(
        pages, tuple((numbers[kind], _link(layer=layer, head=head)) for kind, layer, head in places)
    )


def opened_pairs(
    table: Table, ours: Attention, theirs: Attention, max_bytes: int, *, lang: str = "en"
) -> Opened:
    """The page of both, and for each row its head in the first and the second, at their largest difference."""
    pairs = _pairs(table, ours)
    made = page(both(ours, theirs), max_bytes=max_bytes, lang=lang, grows=True)
    return Opened((made,), tuple((0, _link(**pair)) for pair in pairs))


def opened_pages(pages: Iterable[bytes], number: int, max_bytes: int) -> Opened:
    """So many pages, one for each row, as far as they fit: the rows after those open nothing.

    >>> opened_pages([b"four", b"more"], 2, 6).rows
    ((0, ''), None)
    """
    kept: list[bytes] = []
    for made in pages:
        max_bytes -= len(made)
        if max_bytes < 0:
            break
        kept.append(made)
    return Opened(kept, tuple((i, "") if i < len(kept) else None for i in range(number)))


def both(ours: Attention, theirs: Attention) -> Attention:
    """One record that has each head twice, as A and as B.

    >>> a, b = (Attention(("a",), ("x", "y"), [[[[w, 1 - w]]]]) for w in (1.0, 0.25))
    >>> both(a, b).heads, both(a, b).weights[0, :, 0, 0].tolist()
    (('0 A', '0 B'), [1.0, 0.25])
    """
    sides = (ours, theirs)
    masks = None
    if ours.mask is not None and theirs.mask is not None:
        masks = _in_turn(*(np.broadcast_to(side.mask, side.shown.shape) for side in sides))  # type: ignore[arg-type]
    shown: dict[str, Any] = {ours.show: _in_turn(ours.shown, theirs.shown), "show": ours.show}
    return Attention(
        ours.query_tokens,
        ours.key_tokens,
        kind=ours.kind,
        provenance="; ".join(f"{name}: {side.provenance or '–'}" for name, side in zip("AB", sides, strict=True)),
        mask=masks,
        layers=ours.layers,
        heads=tuple(f"{head} {name}" for head in ours.heads for name in "AB"),
        special=ours.special,
        pooled=ours.pooled,
        **shown,
    )  # fmt: skip


def _in_turn(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """[layer, head, …] twice → a head of the first, the same of the second, and so on."""
    together = np.stack(np.broadcast_arrays(a, b), axis=2)
    joined: np.ndarray = together.reshape(len(together), -1, *together.shape[3:])
    return joined


def _pairs(table: Table, ours: Attention) -> Iterator[dict[str, Any]]:
    for i, row in enumerate(table.rows()):
        pair = {"layer": row["layer"], "head": f"{row['head']} A", "view": "compare", "other": 2 * i + 1}
        yield pair if ours.pooled else pair | {"query": row["query"], "key": row["key"]}


def _link(**parts: Any) -> str:
    return f"#{urlencode(parts)}"
