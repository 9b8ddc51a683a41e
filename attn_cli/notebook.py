"""What an `Attention` can do in a notebook: show itself, and write itself to a file.

Records know nothing of pictures, so these methods are given to `Attention` from above, when a name of
`attn_cli` is first used (`import attn_cli as attn; attn.attend(…)`).
"""

from __future__ import annotations

import base64
import html
import os
from typing import TYPE_CHECKING

from .records.attention import Attention

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MAX_BYTES = 3_000_000  # of a page within a notebook, which holds many
_FRAME = (
    '<iframe title="Attention" sandbox="allow-scripts" srcdoc="{page}" '
    'style="width: 100%; height: 760px; border: 0; border-radius: 12px"></iframe>'
)


def heatmap(attention: Attention, path: str | os.PathLike[str]) -> None:
    """Write the picture that `attn heatmap -o PATH` writes: `.png`, `.svg`, `.pdf` or `.html` by its suffix.

    Raises InputError when the suffix names no picture or the file cannot be written.
    """
    from . import files
    from .render import PICTURES

    path = os.fspath(path)
    name = files.format_of(path, formats=(), pictures=PICTURES)
    if name == "html":
        page(attention, path)
    else:
        files.write(path, [_picture(attention, name)])


def page(attention: Attention, path: str | os.PathLike[str]) -> None:
    """Write one HTML file to explore all heads; it needs no network.

    Raises InputError when the file cannot be written.
    """
    from . import files
    from .render.page.page import page as page_of

    files.write(os.fspath(path), [page_of(attention)])


def _repr_mimebundle_(attention: Attention, include: object = None, exclude: object = None) -> dict[str, str]:
    """The page for a notebook that runs scripts, the figure for one that does not trust them, a line for a terminal.

    The page is alone in a frame without rights: nothing in it can reach the notebook.
    """
    from .render.page.page import page as page_of

    document = page_of(attention, max_bytes=MAX_BYTES).decode()
    return {
        "text/html": _FRAME.format(page=html.escape(document)),
        "image/png": base64.b64encode(_picture(attention, "png")).decode(),
        "text/plain": repr(attention),
    }


def _picture(attention: Attention, name: str) -> bytes:
    from .render.figure import figure
    from .render.look import PLAIN

    drawn: Figure = figure.draw(attention, PLAIN)
    return figure.save(drawn, name)


for _method in (heatmap, page, _repr_mimebundle_):
    setattr(Attention, _method.__name__, _method)
