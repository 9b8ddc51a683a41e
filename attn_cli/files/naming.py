"""What arrays that others saved are called: layers told by the numbers in their names, parts by their last word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np

_NUMBER = re.compile(r"(\d+)")
# What a number in a name counts, which says nothing about what the array is.
_COUNTED = re.compile(r"(?:(?:layer|block|head|step|stage|l|h)s?[_-]?)?\*", re.IGNORECASE)
_WORDS = {
    "weights": re.compile(
        r"(?:self|cross|encoder|decoder|encdec)?_?attn?(?:ention)?s?(?:_output)?"
        r"(?:_?(?:weight|prob|probabilitie|map|pattern|matrix|matrice|score)s?)?|weights|(?:hook_)?patterns?|probs",
        re.IGNORECASE,
    ),
    "scores": re.compile(r"(?:hook_)?(?:attn_|attention_)?(?:scores|logits)", re.IGNORECASE),
    "query": re.compile(r"(?:hook_)?q(?:uer(?:y|ies))?(?:_states?|_layer)?", re.IGNORECASE),
    "key": re.compile(r"(?:hook_)?k(?:eys?)?(?:_states?|_layer)?", re.IGNORECASE),
    "value": re.compile(r"(?:hook_)?v(?:alues?)?(?:_states?|_layer)?", re.IGNORECASE),
}


@dataclass(frozen=True, eq=False)
class Group:
    """Arrays whose names differ in numbers alone, in the order of these: the layers of one thing."""

    name: str  # blocks.*.attn.hook_pattern; of a single array its own name
    arrays: tuple[np.ndarray, ...]
    numbers: tuple[tuple[int, ...], ...]  # those of each name that differ: its layer, or its layer and head

    @property
    def part(self) -> str | None:
        """What its last word says: weights, scores, query, key or value.

        >>> [Group(name, (), ()).part for name in ("blocks.*.attn.hook_pattern", "attentions.*", "layer_*_q", "x")]
        ['weights', 'weights', 'query', None]
        """
        words = [_COUNTED.sub("", word).strip("_-") for word in re.split(r"[./: ]+", self.name)]
        words = [word for word in words if word and word not in ("self", "module")]
        return next(
            (part for part, word in reversed(_WORDS.items()) if words and word.fullmatch(words[-1])), None
        )


def says_weights(name: str) -> bool:
    """Whether an array is called as weights or scores are, so that its name must not be lost.

    >>> says_weights("attn_weights"), says_weights("arr_0")
    (True, False)
    """
    return Group(name, (), ()).part in ("weights", "scores")


def groups(arrays: Mapping[str, np.ndarray]) -> list[Group]:
    """The arrays, those together whose names differ in one number or two.

    >>> [g.name for g in groups({"attn.1": [[1]], "attn.0": [[1]], "x": [[1]]})]
    ['attn.*', 'x']
    """
    alike: dict[str, list[str]] = {}
    for name in arrays:
        alike.setdefault(_NUMBER.sub("*", name), []).append(name)
    return [_group(names, arrays) for names in alike.values()]


def _group(names: list[str], arrays: Mapping[str, np.ndarray]) -> Group:
    """Numbers that are the same in all of the names are part of the name."""
    columns = list(zip(*(_NUMBER.findall(name) for name in names), strict=True))
    varying = [i for i, column in enumerate(columns) if len(set(column)) > 1]
    if not varying:
        return Group(names[0], (arrays[names[0]],), ((),))
    pieces = _NUMBER.split(names[0])
    pieces[1::2] = ["*" if i in varying else piece for i, piece in enumerate(pieces[1::2])]
    numbered = {tuple(int(_NUMBER.findall(name)[i]) for i in varying): name for name in names}
    order = sorted(numbered)
    return Group("".join(pieces), tuple(arrays[numbered[n]] for n in order), tuple(order))


def tokens_in(arrays: Mapping[str, np.ndarray], side: str, n: int) -> tuple[str, ...] | None:
    """The tokens that were saved beside the arrays, for `n` queries or keys.

    >>> import numpy as np
    >>> tokens_in({"tokens": np.array(["a", "b"])}, "query", 2)
    ('a', 'b')
    """
    named = (f"{side}_tokens", f"{side}s", "tokens", "words", "str_tokens", "labels")
    for name in (*named, *arrays):
        array = arrays.get(name)
        if array is not None and array.dtype.kind == "U":
            found = array[0] if array.ndim == 2 and len(array) == 1 else array
            if found.shape == (n,):
                return tuple(found.tolist())
    return None
