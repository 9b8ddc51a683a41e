"""What an `Attention` shows of itself in a notebook; `api.py` gives it to the record, which knows nothing of pictures."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from typing import Any

    from ..records.attention import Attention

MAX_BYTES = 1_500_000  # of what a notebook keeps of one, as it holds many
_ROOM = MAX_BYTES - 40_000  # of the page, which is longer once its & and ' are written out

# The page tells how high it is; whatever else tells something, only frames of this title are listened to.
_FRAME = """<script>window.attnFrames ||= (addEventListener("message", ({{source, data}}) => {{
  for (const frame of document.querySelectorAll("iframe[title=Attention]"))
    if (frame.contentWindow === source && data?.attention > 0)
      frame.style.height = `${{Math.min(4000, Math.ceil(data.attention))}}px`;
}}), true)</script>\
<iframe title="Attention" sandbox="allow-scripts" srcdoc='{page}' \
style="width: 100%; height: 760px; border: 0; border-radius: 12px"></iframe>"""


def mimebundle(
    attention: Attention,
    include: Collection[str] | None = None,
    figures: Mapping[str, Any] | None = None,
) -> dict[str, str]:
    """The page and a line for a terminal; a figure alone where `include` asks for a PNG: nothing is kept twice.

    The page is alone in a frame without rights: nothing in it can reach the notebook, but for how high it is, so that
    the frame grows with it.
    """
    from .page.page import page

    if include is not None and "image/png" in include:
        return {"image/png": _picture(attention), "text/plain": repr(attention)}
    document = page(attention, max_bytes=_ROOM, figures=figures, grows=True).decode()
    quoted = document.replace("&", "&amp;").replace("'", "&#39;")
    return {"text/html": _FRAME.format(page=quoted), "text/plain": repr(attention)}


def _picture(attention: Attention) -> str:
    from .figure import figure
    from .look import PLAIN

    return base64.b64encode(figure.save(figure.draw(attention, PLAIN), "png")).decode()
