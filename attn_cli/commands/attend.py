"""`attn attend`: vectors to attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ..errors import InputError, note
from ..sources.groups import one_of
from .io.choices import Listed, completion, explain
from .io.options import NumbersOutput, pool_option
from .io.resolve import Source

if TYPE_CHECKING:
    from ..records.attention import Attention, Record

SHOWN = Listed(
    {
        "weights": "After the softmax.",
        "scores": "Before the mask and the softmax.",
        "norms": "‖weight · value · W_o‖: how much each key contributes (Kobayashi et al. 2020).",
        "gradients": "max(0, ∂y/∂weight · weight), y the logit of --toward (Chefer et al. 2021).",
        "zeroing": "1 − cos of a layer's output without a key's value (Mohebbi et al. 2023).",
        "alti": "Share of each key in what attention makes of a query (Ferrando et al. 2022).",
        "output": "weights · value of all heads, multiplied by W_o.",
    }
)


def attend(
    source: Source,
    to: NumbersOutput,
    show: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            callback=explain(SHOWN),
            autocompletion=completion(SHOWN),
            help="weights, scores, norms or output (default: weights).",
        ),
    ] = None,
    pool: Annotated[str | None, pool_option()] = None,
) -> None:
    """Compute attention: weights = softmax(query · keyᵀ / √d_head), output = weights · value.

    \b
    attn attend --text "to be or not to be" --embed onehot
    attn attend samples/sentence.txt --heads 4 --mask causal --posenc rope -o attention.npz
    attn attend --query samples/by-hand/Q.csv --key samples/by-hand/K.csv --value samples/by-hand/V.csv

    INPUT is text, an encoding or a matrix of vectors, which is query, key and value at once; or give
    --query, --key and --value. Text goes through no model unless --model names one (default: none). Without
    --output a terminal gets tables and a pipe gets TSV: layer, head, query_pos, query, and a column for each
    key.
    """
    from .. import files
    from ..render import PICTURES
    from ..sources.resolve import shown
    from .io.output import check, emit, emit_page, head_of, numbered
    from .io.resolve import resolve_each

    of_vectors = "an encoding has no picture; draw its attention: attn heatmap"
    check(to, files.FORMATS, no_picture=of_vectors if show == "output" else "")
    if show is not None:
        one_of("show", show, tuple(SHOWN.meanings))
    if pool is not None:
        one_of("pool", pool, ("mean", "max"))
    if source.select.words and show not in (None, "weights"):
        raise InputError(f"--words does not apply to --show {show}", hint="leave it out")
    name = files.format_of(to.output, to.format, pictures=PICTURES)
    read = source.each()
    found = resolve_each(source, "none", show, read=read)  # type: ignore[arg-type]  # checked above
    if name == "html" and len(read) > 1:
        emit_page(((one.name, shown(each, show, pool)) for one, each in found), len(read), to)  # type: ignore[arg-type]
        return
    for one, attention in found:
        if pool is not None and not attention.pooled:
            note(f"--pool {pool} has no effect: the weights are few enough to be held one by one")
        head_of(one, to)
        if show == "output":
            emit(attention, numbered(to, one.number), shown=_output(attention))
        else:
            emit(shown(attention, show, pool), numbered(to, one.number))  # type: ignore[arg-type]


def _output(attention: Attention) -> Record:
    """The output of the last layer, a vector for each query."""
    from ..records.encoding import Encoding
    from ..records.fields import how_to_get

    if attention.output is None:
        raise InputError("this attention has no output", hint=how_to_get("output"))
    return Encoding(attention.query_tokens, attention.output[-1], attention.provenance)
