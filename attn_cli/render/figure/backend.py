"""matplotlib, brought in so that nothing around a command changes a picture or breaks it.

A backend left by a notebook, a `matplotlibrc` in the folder, a style of the user's, a home that cannot be
written to: pictures are the same under each. Other modules take matplotlib's parts from here. Never pyplot.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import logging
import os
import pathlib
import sys
import zlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


@contextlib.contextmanager
def _without_remarks() -> Iterator[None]:
    """matplotlib reports bad style files and missing cache folders to a log that ends on stderr."""
    log = logging.getLogger("matplotlib")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)


@contextlib.contextmanager
def _away_from_settings() -> Iterator[None]:
    """Where no MPLBACKEND is set and no matplotlibrc found but matplotlib's own."""
    package = importlib.util.find_spec("matplotlib")
    assert package is not None
    assert package.origin is not None
    own = pathlib.Path(package.origin).parent / "mpl-data"
    kept = {name: os.environ.pop(name, None) for name in ("MPLBACKEND", "MATPLOTLIBRC")}
    os.environ["MATPLOTLIBRC"] = str(own)
    # The folder's own file goes before everything, and no variable can stop it.
    aside = contextlib.chdir(own) if os.path.exists("matplotlibrc") else contextlib.nullcontext()
    try:
        with aside:
            yield
    finally:
        del os.environ["MATPLOTLIBRC"]
        os.environ.update({name: value for name, value in kept.items() if value is not None})


def _give_settings_back() -> None:
    """Leave matplotlib to the rest of a notebook as its own import would have, as far as that could work."""
    with contextlib.suppress(Exception):
        path = mpl.matplotlib_fname()
        mpl.rcParams.update(mpl.rc_params_from_file(path, use_default_template=False))
    if backend := os.environ.get("MPLBACKEND"):
        with contextlib.suppress(ValueError):
            mpl.rcParams["backend"] = backend


_WRITES = "_update_set_signature_and_docstring"  # what writes the documentation of an artist's properties


@contextlib.contextmanager
def _without_documentation() -> Iterator[None]:
    """Where matplotlib does not write its docstrings, which are half of its import, and which no command reads.

    Not in a notebook, where a person may ask for them. What reads the output of TeX is loaded when it is asked for.
    """
    from matplotlib.artist import Artist

    spec = importlib.util.find_spec("matplotlib.dviread")
    write = vars(Artist).get(_WRITES)
    if "attn_cli.cli" not in sys.modules or spec is None or spec.loader is None or write is None:
        yield
        return
    if spec.name not in sys.modules:
        spec.loader = importlib.util.LazyLoader(spec.loader)
        mpl.dviread = sys.modules[spec.name] = later = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(later)
    setattr(Artist, _WRITES, classmethod(lambda cls: None))
    try:
        yield
    finally:
        setattr(Artist, _WRITES, write)


with _without_remarks():
    if "matplotlib" in sys.modules:
        import matplotlib as mpl
    else:
        with _away_from_settings():
            import matplotlib as mpl
        _give_settings_back()
with _without_remarks(), _without_documentation():
    from matplotlib import font_manager
    from matplotlib.artist import Artist
    from matplotlib.collections import LineCollection, PathCollection
    from matplotlib.colors import ListedColormap, LogNorm, Normalize
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties
    from matplotlib.ft2font import FT2Font
    from matplotlib.image import AxesImage
    from matplotlib.patches import Rectangle
    from matplotlib.path import Path
    from matplotlib.text import Text
    from matplotlib.textpath import TextPath
    from matplotlib.ticker import FuncFormatter, Locator
    from matplotlib.transforms import Bbox, IdentityTransform

get_data_path = mpl.get_data_path
DPI = 216  # three pixels to a point, so that whole points are whole pixels

_HOUSE_STYLE: dict[Any, Any] = {
    **{name: value for name, value in mpl.rcParamsDefault.items() if name != "backend"},
    "savefig.dpi": "figure",
    "svg.hashsalt": "attn",  # ids by content, not by chance
    "svg.image_inline": True,
}
MAKER = "attn"


def _told(suffix: str, title: str) -> Mapping[str, str | None]:
    """What a file says of itself: its title and maker; nothing of the moment."""
    if suffix == "png":
        return {"Title": title, "Software": MAKER}
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None, "Producer": None}}[suffix]
    return {"Title": title, "Creator": MAKER} | undated


def is_vector(renderer: Any) -> bool:
    """Whether a device has shapes and text: that of an SVG or a PDF."""
    return type(renderer).__name__ in ("MixedModeRenderer", "RendererSVG", "RendererPdf")


@contextlib.contextmanager
def house_style(settings: Mapping[str, Any]) -> Iterator[None]:
    """matplotlib's defaults and these settings, whatever the user's own are."""
    with _without_remarks(), mpl.rc_context(_HOUSE_STYLE | dict(settings)):
        yield


class Drawn(Figure):
    """A figure that knows what it is called, in which fonts it is, and how an SVG of it has its text."""

    said = ""
    text_as = "text"
    families: tuple[str, ...] = ()

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """What a notebook shows, whether or not it has matplotlib's own support switched on."""
        width, height = (round(96 * inches) for inches in self.get_size_inches())
        return encode(self, "png", {}, self.said), {"width": width, "height": height}


def encode(figure: Figure, suffix: str, settings: Mapping[str, Any], title: str) -> bytes:
    """A figure as the bytes of a png, jpg, svg or pdf file, the same at every time of day."""
    out = io.BytesIO()
    with house_style(settings):
        if suffix == "jpg":
            figure.savefig(out, format=suffix, pil_kwargs={"quality": 95, "comment": MAKER})
        elif suffix == "png" and isinstance(figure, Drawn):
            _encode_png(figure, out, _told(suffix, title))
        else:
            figure.savefig(out, format=suffix, metadata=_told(suffix, title))
    return out.getvalue()


def _encode_png(figure: Drawn, out: io.BytesIO, told: Mapping[str, str | None]) -> None:
    """As `savefig` would, but without a channel for what nowhere shows through, and in half the time."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from PIL import Image, PngImagePlugin

    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    info = PngImagePlugin.PngInfo()
    for name, text in told.items():
        info.add_text(name, text or "")
    pixels = Image.frombuffer("RGBA", canvas.get_width_height(), canvas.buffer_rgba()).convert("RGB")
    dpi = figure.get_dpi()
    pixels.save(out, "png", pnginfo=info, dpi=(dpi, dpi), compress_level=3, compress_type=zlib.Z_FILTERED)


__all__ = [
    "DPI",
    "MAKER",
    "Artist",
    "AxesImage",
    "Bbox",
    "Drawn",
    "FT2Font",
    "Figure",
    "FontProperties",
    "FuncFormatter",
    "IdentityTransform",
    "LineCollection",
    "ListedColormap",
    "Locator",
    "LogNorm",
    "Normalize",
    "Path",
    "PathCollection",
    "Rectangle",
    "Text",
    "TextPath",
    "encode",
    "font_manager",
    "get_data_path",
    "house_style",
    "is_vector",
]
