"""Fetch the font that pictures fall back on for emoji.

    python scripts/make_emoji_font.py

Writes `attn_cli/render/fonts/data/NotoEmoji.ttf` and its licence beside it: Noto Emoji by Google, in one colour, as
Google Fonts publish it. Debian's fonts for emoji are in colours, which matplotlib cannot draw, or of 2016. It
comes from the npm registry, so `npm` must be there. The package's version is fixed: the same bytes each time.
"""

from __future__ import annotations

import io
import subprocess
import tarfile
import tempfile
from pathlib import Path

DATA = Path(__file__).parent.parent / "attn_cli" / "render" / "fonts" / "data"
PACKAGE = "@expo-google-fonts/noto-emoji@0.4.7"
FILES = {
    "package/400Regular/NotoEmoji_400Regular.ttf": "NotoEmoji.ttf",
    "package/LICENSE_FONT": "NotoEmoji-LICENSE.txt",
}


def main() -> None:
    """Take the font and its licence out of the package, as they are."""
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(
            ["npm", "pack", "--silent", PACKAGE], cwd=scratch, check=True, stdout=subprocess.DEVNULL
        )
        (package,) = Path(scratch).glob("*.tgz")
        with tarfile.open(fileobj=io.BytesIO(package.read_bytes())) as archive:
            for inside, name in FILES.items():
                member = archive.extractfile(inside)
                assert member is not None
                (DATA / name).write_bytes(member.read())
                print(DATA / name)


if __name__ == "__main__":
    main()
