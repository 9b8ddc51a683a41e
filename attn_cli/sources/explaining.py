"""A text and a model → which tokens one of its outputs rests on, or which heads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import InputError
from .groups import refuse_others
from .outputs import asked

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..models.asking import Meant
    from ..models.reading import Reading
    from ..records.attention import Attention, Kind
    from ..records.explanation import Explanation
    from ..records.table import Table
    from .groups import Options


def explain(
    text: Any, options: Options, *, model: Any = None, methods: Iterable[str] | None = None
) -> Explanation:
    """Which tokens the output rests on, by each method, and the tests of each.

    Raises InputError for what is no text, and for a model whose outputs are not known.
    """
    from ..interpret import explaining
    from ..interpret.case import Case

    methods = explaining.METHODS if methods is None else list(methods)
    for name in methods:
        explaining.METHODS[name]
    meant, _ = _meant(text, options, model)
    case = Case(meant.answer, np.array(meant.removable), options.seed.seed)
    return explaining.explain(
        case,
        meant.tokens,
        output=meant.output,
        instead=meant.instead,
        provenance=meant.provenance,
        methods=methods,
    )


def ablate(text: Any, options: Options, *, model: Any = None) -> Table:
    """How much the output depends on each head."""
    return ablation(text, options, model=model)[0]


def ablation(text: Any, options: Options, *, model: Any = None) -> tuple[Table, dict[Kind, Attention]]:
    """How much the output depends on each head, and the attention of each kind that these heads are of."""
    from ..interpret.ablation import ablated

    meant, reading = _meant(text, options, model)
    table = ablated(meant.answer, f"{meant.provenance}; {meant.said}")
    attentions = {}
    for kind, maps in meant.answer.maps("weights").items():
        sides, wanted = meant.shown(kind, reading)
        weights = maps.detach().double().cpu().numpy()
        attentions[kind] = sides.record(range(len(maps)), wanted.settled(maps.shape[1]), weights=weights)
    return table, attentions


def _meant(text: Any, options: Options, model: Any) -> tuple[Meant, Reading]:
    if not isinstance(text, str):
        raise InputError("attn explain needs a text and a model that reads it", hint="give a text")
    if model in ("none", "untrained"):
        raise InputError(f"--model {model} gives no output", hint="give mini or a directory")
    refuse_others(options, ("model", "computing", "seed"), f"--model {model or 'mini'}")
    return asked(model or "mini", text, options)
