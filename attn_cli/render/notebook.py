"""What an `Attention` shows of itself in a notebook; `api.py` gives it to the record, which knows nothing of pictures."""

from __future__ import annotations

import base64
import html
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ..records.attention import Attention

MAX_BYTES = 3_000_000  # of a page within a notebook, which holds many
_FRAME = (
    '<iframe title="Attention" sandbox="allow-scripts" srcdoc="{page}" '
    'style="width: 100%; height: 760px; border: 0; border-radius: 12px"></iframe>'
)


def mimebundle(attention: Attention, include: object = None, exclude: object = None) -> dict[str, str]:
    """The page for a notebook that runs scripts, the figure for one that does not trust them, a line for a terminal.

    The page is alone in a frame without rights: nothing in it can reach the notebook.
    """
    from .figure import figure
    from .look import PLAIN
    from .page.page import page

    document = page(attention, max_bytes=MAX_BYTES).decode()
    picture = figure.save(figure.draw(attention, PLAIN), "png")
    return {
        "text/html": _FRAME.format(page=html.escape(document)),
        "image/png": base64.b64encode(picture).decode(),
        "text/plain": repr(attention),
    }
