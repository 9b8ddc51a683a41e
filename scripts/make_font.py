"""Make the font that pictures fall back on for Chinese, Japanese and Korean.

    python scripts/make_font.py [NotoSansCJK-Regular.ttc]

Writes `attn_cli/render/fonts/data/NotoSansSC.ttf` and the licence beside it. Without an argument the font comes
from Debian's package `fonts-noto-cjk`, which must be on the machine or within reach of `apt-get download`.
The same source gives the same bytes. Needs fontTools, which matplotlib brings along.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from fontTools import subset
from fontTools.pens.cu2quPen import Cu2QuPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTCollection, newTable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fontTools.ttLib import TTFont

DATA = Path(__file__).parent.parent / "attn_cli" / "render" / "fonts" / "data"
FONT = Path("usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")
COPYRIGHT = Path("usr/share/doc/fonts-noto-cjk/copyright")
FACE = "Noto Sans CJK SC"
# A name of its own: an installed font of the same design, and more of it, must stay distinguishable.
FAMILY = "Noto Sans SC Subset"
# Beyond what the character sets name: ASCII, CJK punctuation and kana, full-width forms, and the character
# that marks a space.
RANGES = (range(0x20, 0x7F), range(0x3000, 0x3100), range(0xFF00, 0xFFF0), (0x2423,))
TOLERANCE = 1.0  # how far a curve may move when cubic becomes quadratic, in 1/1000 of the type size
KEPT_NAMES = (0, 1, 2, 3, 4, 5, 6, 13, 14)


def main(arguments: list[str]) -> None:
    """Make the font and its licence from a collection on disk, or from the Debian package."""
    with tempfile.TemporaryDirectory() as scratch:
        root = Path("/") if Path("/", FONT).exists() or arguments else _unpack_package(Path(scratch))
        font = _face(Path(arguments[0]) if arguments else root / FONT)
        licence = _licence((root / COPYRIGHT).read_text("utf-8"), font["name"].getDebugName(0))
    _keep(font, _characters())
    _use_quadratic_curves(font)
    _rename(font)
    DATA.mkdir(parents=True, exist_ok=True)
    font.recalcTimestamp = False  # keep the date of the source
    font.save(DATA / "NotoSansSC.ttf")
    (DATA / "NotoSansSC-LICENSE.txt").write_text(licence, "utf-8")
    print(f"{DATA / 'NotoSansSC.ttf'}: {len(font.getGlyphOrder())} glyphs")


def _unpack_package(folder: Path) -> Path:
    subprocess.run(["apt-get", "download", "fonts-noto-cjk"], cwd=folder, check=True)
    (package,) = folder.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", package, folder], check=True)
    return folder


def _face(collection: Path) -> TTFont:
    faces = TTCollection(collection, lazy=True).fonts
    return next(face for face in faces if face["name"].getDebugName(4) == FACE)


def _characters() -> set[str]:
    """The characters of everyday Chinese (both scripts), Japanese and Korean, as their old codecs list them."""
    return {
        *_code_table("gb2312", range(0xA1, 0xF8), range(0xA1, 0xFF)),
        *_code_table("big5", range(0xA1, 0xC7), range(0x40, 0xFF)),  # level 1, the frequent ones
        *_code_table("euc_jp", range(0xB0, 0xD0), range(0xA1, 0xFF)),  # level 1 too
        *_code_table("euc_kr", range(0xB0, 0xC9), range(0xA1, 0xFF)),  # Hangul
        *(chr(code) for codes in RANGES for code in codes),
    }


def _code_table(codec: str, first_bytes: range, second_bytes: range) -> Iterator[str]:
    for first in first_bytes:
        for second in second_bytes:
            text = bytes([first, second]).decode(codec, "ignore")
            if len(text) == 1 and ord(text) >= 0x80:  # not a stray byte read as ASCII
                yield text


def _keep(font: TTFont, characters: set[str]) -> None:
    options = subset.Options(
        hinting=False, layout_features=[], desubroutinize=True, notdef_outline=True, name_IDs=KEPT_NAMES
    )
    options.drop_tables += ["BASE", "GDEF", "GPOS", "GSUB", "VORG", "vhea", "vmtx"]  # for vertical setting
    subsetter = subset.Subsetter(options)
    subsetter.populate(text="".join(sorted(characters)))
    subsetter.subset(font)


def _use_quadratic_curves(font: TTFont) -> None:
    """CFF outlines become TrueType ones: only these can be embedded in a PDF as a font that stays text."""
    outlines, order = font.getGlyphSet(), font.getGlyphOrder()
    glyphs = {}
    for name in order:
        pen = TTGlyphPen(None)
        outlines[name].draw(Cu2QuPen(pen, TOLERANCE, reverse_direction=True))
        glyphs[name] = pen.glyph()
    del font["CFF "]
    font["loca"], font["glyf"], font["maxp"] = newTable("loca"), newTable("glyf"), _largest_sizes()
    font["glyf"].glyphOrder, font["glyf"].glyphs = order, glyphs
    font["post"].formatType = 3.0  # glyphs without names
    font.sfntVersion = "\0\1\0\0"


def _largest_sizes() -> object:
    table = newTable("maxp")
    table.tableVersion, table.numGlyphs, table.maxZones = 0x00010000, 0, 1
    for field in (
        *("maxPoints", "maxContours", "maxCompositePoints", "maxCompositeContours", "maxTwilightPoints"),
        *("maxStorage", "maxFunctionDefs", "maxInstructionDefs", "maxStackElements"),
        *("maxSizeOfInstructions", "maxComponentElements", "maxComponentDepth"),
    ):
        setattr(table, field, 0)  # fontTools counts points and contours itself; there are no instructions
    return table


def _rename(font: TTFont) -> None:
    names = font["name"]
    names.names = [record for record in names.names if record.platformID == 3 and record.langID == 0x409]
    post_script = FAMILY.replace(" ", "") + "-Regular"
    for number, text in ((1, FAMILY), (2, "Regular"), (3, post_script), (4, FAMILY), (6, post_script)):
        names.setName(text, number, 3, 1, 0x409)


def _licence(debian_copyright: str, owner: str) -> str:
    """The Open Font License as Debian's copyright file quotes it, under the owner's own line."""
    quoted = debian_copyright.partition("\nLicense: SIL-1.1\n -")[2].partition("\n\n")[0]
    lines = ["-" + quoted.splitlines()[0], *(line[1:] for line in quoted.splitlines()[1:])]
    body = "\n".join("" if line == "." else line for line in lines)
    return (
        f"NotoSansSC.ttf is a subset of {FACE} with quadratic outlines, made by scripts/make_font.py.\n\n"
        f"Copyright {owner}\n\nThis Font Software is licensed under the SIL Open Font License, Version 1.1.\n\n"
        f"{body}\n"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
