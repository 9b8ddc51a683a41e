"""What a run that has learned pictures looks at in one of the user's own, and what it answers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch

from ...attention.layers import record as record_of
from ...errors import InputError, note
from ...records.encoding import Image
from ...text.escaping import escape
from ...transformer.capture import Capture, layers_of
from ..native.vision import refuse_text_options, tokens_of, with_image
from ..precision import as_wanted
from ..showing import Side, sides_of
from ..sizes import layers_named
from .drawing import shown, strokes

if TYPE_CHECKING:
    from ...records.attention import Attention
    from ..reading import Reading
    from .run import Run


def look_at(run: Run, image: Any, reading: Reading) -> Attention:
    """The attention to a picture, which is read as those of the task: strokes on plain paper.

    Raises InputError when it is no picture, or an option is given that is for text.
    """
    if not isinstance(image, Image):
        raise InputError("this run looks at pictures, not at text", hint="give a PNG, JPEG or WebP file")
    refuse_text_options(reading, "this run")
    config, per_side = run.model.config, math.isqrt((run.longest or 1) - 1)
    drawn = strokes(image.pixels, per_side * (config.patch or 1))
    source = torch.from_numpy(drawn)[None, None].expand(1, config.vocab, -1, -1).float()
    model = as_wanted(run.model, reading)
    capture = Capture(layers := reading.chosen(config.n_layers), run._done("encoder", reading))
    logits = model(source.to(model.device), None, capture)  # [1, token, vocab]
    said = escape(run.outputs[int(logits[0, 0].argmax())])
    note(f"answer: {said}")
    side = Side(tokens_of(per_side, per_side))
    provenance = f'{run.provenance}{layers_named(layers, config.n_layers)}, answer "{said}"'
    sides, wanted = sides_of(side, side, "encoder", provenance, reading)
    record = record_of(layers_of([capture.layers]), sides, wanted=wanted, norms=reading.norms)
    return with_image(record, wanted, (per_side, per_side), shown(drawn[None]))
