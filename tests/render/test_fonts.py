"""Which font draws a character, and how texts of many scripts come out: no picture may show a box."""

import warnings

import numpy as np
import pytest
from attn_cli.errors import AttnWarning, InputError
from attn_cli.records.attention import Attention
from attn_cli.render.figure import figure, sheet
from attn_cli.render.figure.backend import FT2Font, Text, font_manager
from attn_cli.render.fonts import faces, fontfiles
from attn_cli.render.fonts import texts as fonts
from attn_cli.render.look import Look
from fontTools import subset
from fontTools.ttLib import TTFont
from matplotlib.ft2font import LoadFlags

CHINESE = ("用", "注意力", "處理", "GPT模型", "，", "カタカナ", "한국어")
EMOJI = ("😀", "🥺", "👍🏽", "👨\u200d👩\u200d👧", "❤\ufe0f", "🇫🇷", "1\ufe0f\u20e3")
RIGHT_TO_LEFT = ("שלום", "שָׁלוֹם", "مرحبا", "السلام عليكم", "می\u200cخواهم", "abc שלום 12")
MARKS = ("e\u0301", "Việt", "注\u0301", "a\u0336\u0301\u0327", "\u0301", "\u200d", "##\u0301")


def attention(tokens):
    n = len(tokens)
    return Attention(tuple(tokens), tuple(tokens), np.full((1, 1, n, n), 1 / n))


def glyphs(text):
    """What is drawn from left to right: the file and the number of each glyph that has an outline."""
    font = font_manager.get_font([fontfiles.found(name) for name in fonts.families_for([text])])
    laid_out = font._layout(fonts.drawable(text), LoadFlags.NO_HINTING)
    return [(item.ft_object.fname.rpartition("/")[2], item.glyph_index) for item in laid_out]


# ---- every script in every format -----------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_no_script_leaves_a_box(suffix, installed):
    installed()  # nothing: what attn brings along must do
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # matplotlib warns of a missing glyph
        drawn = figure.draw(attention((*CHINESE, *EMOJI, *RIGHT_TO_LEFT, *MARKS)), Look(title="אב😀"))
        figure.save(drawn, suffix)
    assert not any("\\u0" in text.get_text() for text in drawn.findobj(Text))


@pytest.mark.parametrize("text", [*CHINESE, *EMOJI, *RIGHT_TO_LEFT, *MARKS])
def test_no_glyph_is_the_box_of_a_font(text, installed):
    installed()
    assert all(number and not file.startswith("LastResort") for file, number in glyphs(text))


def test_hebrew_runs_to_the_left_and_numbers_in_it_to_the_right():
    assert glyphs("אב") == glyphs("ב") + glyphs("א")
    assert glyphs("a אב 12") == glyphs("a ") + glyphs("12") + glyphs(" ") + glyphs("אב")


def test_arabic_letters_join_but_not_over_a_non_joiner():
    apart = {glyph for letter in "مرح" for glyph in glyphs(letter)}
    assert not apart & set(glyphs("محم"))
    assert glyphs("می\u200cخ") != glyphs("میخ")


def test_an_emoji_of_several_characters_is_one_glyph(installed):
    installed()
    for text in ("👍🏽", "👨\u200d👩\u200d👧", "🇫🇷"):
        assert len(glyphs(text)) == 1
    assert {file for file, _ in glyphs("1\ufe0f\u20e3")} == {"NotoEmoji.ttf"}


def test_an_accent_stands_over_its_letter_though_no_font_has_both(installed):
    installed()
    assert faces.face_of("注\u0301") is None
    assert [file for file, _ in glyphs("注\u0301")][0::2] == ["NotoSansSC.ttf", "DejaVuSans.ttf"]


def test_what_has_no_look_is_spelled_where_nothing_else_is_there():
    assert fonts.drawable("\u200d\ufe0f") == "\\u200d\\ufe0f"
    assert fonts.drawable("\u0301a") == "\u25cc\u0301a"
    assert fonts.drawable("\ufe0fa") == "\ufe0fa"


def test_a_byte_order_mark_within_a_text_is_left_out():  # matplotlib raised IndexError for its PDF
    assert fonts.drawable("a\ufeffé") == "aé"
    assert figure.save(sheet.draw(sheet.Sheet(60, 20, (sheet.Words("é\ufeff", 5, 15, 8),))), "pdf")


def test_what_is_drawable_is_left_alone():
    for text in (*CHINESE, *EMOJI, *RIGHT_TO_LEFT, *MARKS):
        assert fonts.drawable(fonts.drawable(text)) == fonts.drawable(text)


def test_codes_under_a_column_do_not_run_over_its_neighbours():
    # A regression: a code of ten letters was set as if it were one upright character.
    with pytest.warns(AttnWarning):
        drawn = figure.draw(attention(["\U00013000"] * 3 + ["注意"] * 20))
    turned = [
        text for text in drawn.findobj(Text) if text.get_text() == "\\U00013000" and text.get_rotation()
    ]
    assert len(turned) == 3


# ---- --font ---------------------------------------------------------------------------------------


def test_a_font_that_is_asked_for_goes_first_and_others_stand_behind_it(tmp_path):
    renamed(tmp_path / "mine.ttf", "Mine")
    with faces.preferring(str(tmp_path / "mine.ttf")):
        assert [family_of(c) for c in "注a"] == ["Mine", "DejaVuSans"]
        assert fonts.families_for(["注a"]) == [f"{tmp_path / 'mine.ttf'}#0", f"{faces.LATIN}#0"]
    assert family_of("注") != "Mine"


def test_a_font_is_asked_for_by_its_name_in_any_case(installed):
    installed(mine="My Own Font")
    with faces.preferring("my own font"):
        assert family_of("注") == "My Own Font"


def test_an_unknown_font_is_answered_with_the_nearest(installed, tmp_path):
    installed(mine="My Own Font", other="Serif")
    with pytest.raises(
        InputError, match="'My Own Fnt' is neither a file nor installed; nearest are My Own Font"
    ):
        faces._asked_for("My Own Fnt")
    (tmp_path / "text.ttf").write_text("no font")
    with pytest.raises(InputError, match="is not a font that can be drawn"):
        faces._asked_for(str(tmp_path / "text.ttf"))


def test_the_option_changes_the_picture_and_numbers_in_cells_too(run, tmp_path):
    mono = str(faces.LATIN.with_name("DejaVuSansMono.ttf"))
    usual = run("heatmap", "--text", "a b", "--model", "none", "--format", "svg", cwd=tmp_path)
    chosen = run(
        "heatmap", "--text", "a b", "--model", "none", "--format", "svg", "--font", mono, cwd=tmp_path
    )
    assert usual.code == chosen.code == 0
    assert b"font-family: 'DejaVu Sans Mono', " in chosen.output
    assert b"DejaVuSansMono" not in usual.output
    with faces.preferring(mono):
        assert fonts.outline("1")[1] == fonts.outline(".")[1]
    assert fonts.outline("1")[1] != fonts.outline(".")[1]


def test_a_font_in_colours_has_numbers_and_nothing_to_draw(installed):
    folder = installed(mine="Noto Emoji")
    font = TTFont(folder / "mine.ttf")
    code = ord("意")
    name = font.getBestCmap()[code]
    font["glyf"][name] = type(font["glyf"][name])()  # as such fonts have it: a glyph without an outline
    font.save(folder / "noto-emoji.ttf")
    with faces.preferring(str(folder / "noto-emoji.ttf")):
        assert (family_of("注"), family_of("意")) == ("Noto Emoji", "NotoSansSC")


# ---- which font -----------------------------------------------------------------------------------


def test_chinese_japanese_and_korean_have_a_font_wherever_attn_is_installed():
    everyday = "".join(
        bytes([a, b]).decode("gb2312", "ignore") for a in range(176, 248) for b in range(161, 255)
    )
    traditional = "".join(
        bytes([a, b]).decode("big5", "ignore") for a in range(164, 199) for b in range(161, 255)
    )
    font = FT2Font(str(faces.BUNDLED))
    assert len(everyday) > 6700
    assert all(font.get_char_index(ord(c)) for c in everyday + traditional + "のカ한글。，「」Ａ")
    assert (
        faces.BUNDLED.with_name("NotoSansSC-LICENSE.txt").read_text("utf-8").count("OPEN FONT LICENSE") == 1
    )
    assert faces.BUNDLED.stat().st_size + faces.EMOJI.stat().st_size < 5e6
    assert "OPEN FONT LICENSE" in faces.EMOJI.with_name("NotoEmoji-LICENSE.txt").read_text("utf-8")


def renamed(path, family):
    """A font with the glyphs of 注 and 意 alone, under a name of someone else's."""
    font = TTFont(faces.BUNDLED)
    subsetter = subset.Subsetter()
    subsetter.populate(text="注意")
    subsetter.subset(font)
    font["name"].setName(family, 1, 3, 1, 0x409)
    font.save(path)


@pytest.fixture
def installed(monkeypatch, tmp_path):
    """`installed(**{"NotoSansSC": "Noto Sans SC"})` makes these files and families the only ones."""

    def install(**families):
        for name, family in families.items():
            renamed(tmp_path / f"{name}.ttf", family)
        monkeypatch.setattr(faces, "font_files", lambda: tuple(sorted(map(str, tmp_path.iterdir()))))
        forget()
        return tmp_path

    def forget():
        for cached in (
            faces._usual_face_of,
            faces._installed_for_chinese,
            faces._installed_for_emoji,
            faces._all_installed,
        ):
            cached.cache_clear()

    yield install
    monkeypatch.undo()
    forget()


def family_of(character):
    return faces.face_of(character).family


def test_without_an_installed_font_chinese_is_drawn_with_the_bundled_one(installed):
    installed()
    assert [family_of(c) for c in "aé注😀"] == ["DejaVuSans", "DejaVuSans", "NotoSansSC", "DejaVuSans"]


def test_an_installed_font_goes_before_the_bundled_one_for_what_it_has(installed):
    installed(msyh="Microsoft YaHei", NotoSansSC="Noto Sans SC", other="A Font")
    assert [family_of(c) for c in "注意力"] == ["Noto Sans SC", "Noto Sans SC", "NotoSansSC"]


def test_a_font_of_another_name_is_asked_last(installed):
    folder = installed(other="A Font")
    (folder / "broken.ttf").write_bytes(b"not a font")
    assert family_of("注") == "NotoSansSC"
    assert [face.family for face in faces._all_installed()] == ["A Font"]


def test_mixed_text_is_drawn_by_several_fonts(installed):
    folder = installed(NotoSansSC="Noto Sans SC")
    names = fonts.families_for(["a注", "力"])
    assert names == [f"{faces.LATIN}#0", f"{folder / 'NotoSansSC.ttf'}#0", f"{faces.BUNDLED}#0"]
    assert fonts.families_for(["a", "b"]) == [f"{faces.LATIN}#0"]


def test_a_character_that_no_font_has_is_spelled_out_and_named_once():
    record = attention(("\U00013000", "b\U00013000"))
    with pytest.warns(
        AttnWarning,
        match=r"no installed font has U\+13000 \(EGYPTIAN HIEROGLYPH A001\); give one with --font FILE",
    ) as said:
        drawn = figure.draw(record)
    assert len(said) == 1
    assert "\\U00013000" in [text.get_text() for text in drawn.findobj(Text)]


@pytest.mark.parametrize(
    ("header", "cff"),
    [
        (b"OTTO" + bytes(12), True),
        (b"\0\1\0\0" + bytes(12), False),
        (b"ttcf" + bytes(8) + (16).to_bytes(4) + b"OTTO", True),
        (b"ttcf" + bytes(8) + (16).to_bytes(4) + b"\0\1\0\0", False),
    ],
)
def test_fonts_with_cubic_outlines_are_told_apart(tmp_path, header, cff):
    (tmp_path / "font").write_bytes(header)
    assert fontfiles.is_cff(str(tmp_path / "font")) is cff


def test_pdf_embeds_its_fonts_as_text_that_can_be_searched(installed):
    installed()
    pdf = figure.save(figure.draw(attention(CHINESE)), "pdf")
    assert b"+NotoSansSCSubset-Regular" in pdf
    assert b"/Type3" not in pdf
    assert pdf.count(b"/FontFile2") == 2
    assert pdf.count(b"/ToUnicode") == 2
