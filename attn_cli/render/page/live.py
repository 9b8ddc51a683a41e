"""A trained model as one HTML file in which a reader types and watches it attend: offline, in plain JavaScript.

The forward pass is `assets/live/forward.js`, its tokens `assets/live/tokenizer.js`; both run in a worker that the
page starts from text within it. The content-security policy admits that, one script and one style, and nothing else.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

from ...errors import InputError
from .document import as_json, as_text, filled, ramps, script_of, stressed, style_of, wording
from .model import pack_model
from .tokenizer import tokenizer_spec

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from jaxtyping import Float

    from .questions import Sheet

MAX_BYTES = 12_000_000

# Joined in this order: a module stands after those it imports from.
WORKER = tuple(
    f"live/{name}"
    for name in ("products", "forward", "capture", "bundle", "pieces", "tokenizer", "reading", "worker")
)
MODULES = (
    "wording", "inflating", "record", "words", "colours", "raster", "viewport", "canvas", "axes", "sheet", "map", "grid", "readout", "controls",
    "strips", "arithmetic", "live/records", "live/stage", "live/strips", "live/cell", "live/changes", "live/showing",
    "live/judging", "live/questions", "live/app",
)  # fmt: skip


def live_page(
    header: Mapping[str, Any],
    tensors: Mapping[str, Float[np.ndarray, ...]],
    tokenizer: str | None,
    *,
    text: str = "",
    title: str = "",
    lang: str = "en",
    beside: Sheet | None = None,
    salt: str = "",
    max_bytes: int = MAX_BYTES,
) -> bytes:
    """One self-contained HTML file of at most `max_bytes` that runs the model on whatever is typed.

    `header` and `tensors` are what `models.portable` makes of a model, `tokenizer` its tokenizer.json. Raises
    InputError when the weights do not fit, or the tokenizer does what the page cannot do.
    """
    spec = None if tokenizer is None else tokenizer_spec(tokenizer, verbatim=header["verbatim"])
    told = {**header, "tokenizer": spec, "ramps": ramps()}
    parts = {"text": as_text(text), "title": as_text(title or wording(lang)["live_title"])}
    parts |= {
        "lab": beside.html(wording(lang)) if beside else "",
        "questions": as_json(beside.judging(salt) if beside else []),
    }
    room = max_bytes - len(_filled(told, "", parts, lang)) - 200
    if room < 0:
        raise InputError("this model's vocabulary is too large for one page", hint="give a smaller model")
    packed, data = pack_model(tensors, room * 3 // 4)  # base64 writes 3 bytes as 4 characters
    return _filled(told | packed, base64.b64encode(data).decode(), parts, lang)


def _filled(header: Mapping[str, Any], weights: str, also: Mapping[str, str], lang: str) -> bytes:
    words = wording(lang)
    rounded = words["live_rounded"] if header.get("rounded") else ""
    parts = {
        "summary": as_text(" ".join([words["live_summary"].format(**_size(header)), rounded]).strip()),
        "provenance": stressed(as_text(header["provenance"])),
        "header": as_json(header),
        "weights": weights,
        "worker": script_of(WORKER),
        **also,
    }
    style = style_of("page.css", "live/live.css")
    return filled("live/live.html", style, script_of(MODULES), parts, lang, {"worker-src": ["blob:"]})


def _size(header: Mapping[str, Any]) -> dict[str, Any]:
    config = header["config"]
    layers = (
        f"{config['n_layers']} + {config['n_layers']}" if config["stack"] == "both" else config["n_layers"]
    )
    return {"layers": layers, "heads": config["n_heads"], "width": config["d_model"]}
