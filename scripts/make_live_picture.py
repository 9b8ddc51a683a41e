"""Draw docs/live.png, the live page at work: python scripts/make_live_picture.py.

Chromium opens the page of mini from disk; one word is dropped, and a cell of the cross-attention is chosen.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

import attn_cli as attn
from PIL import Image

ROOT = Path(__file__).parents[1]
sys.path.append(str(ROOT / "tests/render"))

from browser import Tab, browse  # noqa: E402

TEXT = "The cat sat on the mat because it was tired."
HEAD = "Layer 1 · head 2"
CELL = (3, 5)  # the query that writes “bed”, and the key “mat”
SIZE = (1180, 820)
COLOURS = 128  # so few that the picture is small


def main() -> None:
    """Write the picture."""
    with tempfile.TemporaryDirectory() as folder, browse() as tab:
        path = Path(folder, "live.html")
        path.write_bytes(attn.page("mini", live=True))
        tab.open(path, width=SIZE[0], height=SIZE[1])
        show(tab)
        seen = Path(folder, "seen.png")
        tab.screenshot(seen)
        picture = Image.open(io.BytesIO(seen.read_bytes())).convert("RGB").crop((0, 0, *SIZE))
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(ROOT / "docs/live.png", optimize=True)


def show(tab: Tab) -> None:
    """Do what a reader does."""
    tab.run(
        f"(e => (e.value = {TEXT!r}, e.dispatchEvent(new Event('input'))))(document.querySelector('#text'))"
    )
    tab.wait("document.querySelectorAll('#tokens .chip').length === 11")
    tab.click("#tab-cross")
    tab.click(f"[role=gridcell][aria-label='{HEAD}']")
    tab.run("document.querySelector('.over').focus()")
    for key, times in zip(("ArrowDown", "ArrowRight"), CELL, strict=True):
        for _ in range(times):
            tab.press(key)
    tab.click("#tokens .chip:nth-child(8)")
    tab.wait("[...document.querySelectorAll('.over')].filter((map) => map.checkVisibility()).length > 1")
    tab.run("document.activeElement.blur(), scrollTo(0, 0)")
    tab.move(1, 1)


if __name__ == "__main__":
    main()
