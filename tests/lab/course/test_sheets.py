"""Worksheets: all that a student needs on paper, as Markdown, a page and LaTeX that compiles."""

import re
import shutil
import subprocess
from html.parser import HTMLParser

import pytest
from attn_cli.files.prose_tex import prose_tex
from attn_cli.lab.course.blocks import prose
from attn_cli.lab.course.readme import worksheet
from attn_cli.render.figure import prose as pdf
from attn_cli.render.figure.prose import prose_pdf
from attn_cli.render.fonts.texts import width
from attn_cli.render.page.prose import prose_page
from attn_cli.sources import labs

LANGUAGES = ("en", "zh")


def sheet(name, language, answers=False):
    return worksheet(labs.course_of(labs.find(name), name, "ada"), language, answers=answers)


def test_every_matrix_that_is_named_is_printed():
    text = sheet("by-hand", "en")
    for name in ("Q2", "K2", "V2"):
        assert text.count(f"\n`data/{name}.csv`\n") == 1
    assert "\n`data/Q.csv`\n" not in text  # it stands above


def test_answers_stand_in_the_key_alone():
    one, with_answers = sheet("heads", "en"), sheet("heads", "en", answers=True)
    course = labs.course_of(labs.find("heads"), "heads", "ada")
    number = str(course.right(course.lab.task("parameters")))
    assert number not in one
    assert number in with_answers
    assert one.count("Your answer:") == with_answers.count("Right answer:") == 6


def test_blocks_and_spans():
    made = prose(
        "# A\n\nTake `a_b` **now**,\n*soon*: ______\n\n```sh\nattn x\n\n  y\n```\n- one\n  more\n- two\n",
        "en",
    )
    kinds = [block.kind for block in made.blocks]
    assert kinds == ["heading", "paragraph", "code", "item", "item"]
    assert [(span.text, span.style) for span in made.blocks[1].spans if span.style != "plain"] == [
        ("a_b", "code"), ("now", "strong"), ("soon", "emphasis"), ("______", "blank")
    ]  # fmt: skip
    assert made.blocks[2].spans[0].text == "attn x\n\n  y"
    assert made.blocks[3].spans[0].text == "one more"


class Balanced(HTMLParser):
    """Fails on a tag that is closed before it is opened or never."""

    def __init__(self):
        super().__init__()
        self.open, self.texts = [], []

    def handle_starttag(self, tag, attrs):
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_whole_and_asks_for_nothing(language):
    page = prose_page(prose(sheet("masks", language), language)).decode()
    seen = Balanced()
    seen.feed(page)
    assert not seen.open
    assert f'<html lang="{language}">' in page
    assert not re.search(r"<script|https?:|url\(", page)
    assert page.count('<table class="room">') == 6


def test_what_looks_like_markup_is_text():
    page = prose_page(prose("# a <b>\n\n`<i>` & \\x\n", "en")).decode()
    assert "<h1>a &lt;b&gt;</h1>" in page
    assert "<code>&lt;i&gt;</code> &amp;" in page
    text = b"".join(prose_tex(prose("# 50% {x}\n\n\\input{y} $z$\n", "en"))).decode()
    assert "50\\% \\{x\\}" in text
    assert "\\input" not in text.split("\\begin{document}")[1]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("answers", [False, True])
def test_latex_closes_what_it_opens(language, answers):
    for name in ("by-hand", "masks", "heads", "positions"):
        text = b"".join(prose_tex(prose(sheet(name, language, answers), language))).decode()
        body = re.sub(r"\\[{}]", "", text.split("\\begin{document}")[1])
        assert body.count("{") == body.count("}")
        assert body.count("\\begin{tabular}") == body.count("\\end{tabular}")


def test_xelatex_sets_it(tmp_path):
    if shutil.which("xelatex") is None:
        pytest.skip("xelatex is not installed")
    path = tmp_path / "sheet.tex"
    path.write_bytes(b"".join(prose_tex(prose(sheet("by-hand", "zh", answers=True), "zh"))))
    command = ["xelatex", "-interaction=nonstopmode", "-halt-on-error", path.name]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=False, timeout=120)
    log = (tmp_path / "sheet.log").read_text(errors="replace")
    assert done.returncode == 0, log[-2000:]
    assert "Missing character" not in log


# ---- PDF ---------------------------------------------------------------------------------------------------


def test_a_pdf_repeats_byte_for_byte_and_has_as_many_pages_as_are_needed():
    text = "# 掩码\n\nOne `causal` mask.\n\n| | 0 |\n| --- | --- |\n| **0** | |\n" + "\n\nMore.\n" * 40
    made = [prose_pdf(prose(text, "zh")) for _ in range(2)]
    assert made[0] == made[1]
    assert made[0].startswith(b"%PDF")
    assert len(re.findall(rb"/Type /Page\b", made[0])) == 2


def test_no_row_is_lost_and_tables_stay_with_what_introduces_them():
    rows = list(pdf._all_rows(prose(sheet("heads", "en", answers=True), "en").blocks))
    pages = list(pdf._pages(rows))
    assert [row for page in pages for row in page] == rows
    assert all(sum(row.height for row in page) <= pdf.HEIGHT - 2 * pdf.MARGIN for page in pages)
    assert not any(page[-1].with_next for page in pages)


def test_lines_are_broken_beside_chinese_characters_but_not_before_a_comma():
    text = "注意力权重，" * 20 + "scaled dot products"
    lines = pdf._lines(text, 10, 200)
    assert "".join(lines) in (text, text.replace(" ", ""))
    assert len(lines) > 5
    assert not any(line.startswith("，") for line in lines)
    assert all(width(line, 10) <= 215 for line in lines)
