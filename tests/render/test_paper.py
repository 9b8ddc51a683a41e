"""A figure on paper of a given size: what letters measure in the file, what is told, what is left out."""

import re
import zlib
from dataclasses import replace
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from attn_cli.errors import InputError
from attn_cli.records.attention import Attention
from attn_cli.render import colour
from attn_cli.render.figure import figure, maps
from attn_cli.render.figure.sheet import Cells, Number, Picture, Words
from attn_cli.render.fonts import texts as fonts
from attn_cli.render.look import PARTS, Look
from attn_cli.render.views import VIEWS, with_known_view

ENGLISH = ["The", "animal", "didn't", "cross", "the", "street", "because", "it", "was", "too", "tired", "."]
SVG = "{http://www.w3.org/2000/svg}"


def attention(n=12, layers=1, heads=4, tokens=ENGLISH, **parts):
    names = tuple((list(tokens) * (n // len(tokens) + 1))[:n])
    weights = np.random.default_rng(0).dirichlet(np.ones(n), size=(layers, heads, n))
    return Attention(names, names, weights, **({"provenance": "made up"} | parts))


def seen():
    """Attention to an image of 2 × 2 patches."""
    image = np.zeros((8, 8, 3), np.uint8)
    return attention(5, heads=2, tokens=("[CLS]", "0,0", "0,1", "1,0", "1,1"), patches=(2, 2), image=image)


def streams(pdf):
    """The drawing operators of a PDF."""
    parts = re.findall(rb"stream\r?\n(.*?)endstream", pdf, re.DOTALL)
    texts = []
    for part in parts:
        try:
            texts.append(zlib.decompress(part))
        except zlib.error:
            texts.append(part)
    return b"\n".join(texts)


def sizes_in(pdf):
    """The sizes of type that a PDF sets."""
    return {float(size) for size in re.findall(rb"/[\w.-]+ ([\d.]+) Tf", streams(pdf))}


def paper_of(pdf):
    """Width and height of a PDF's page in inches."""
    (box,) = re.findall(rb"/MediaBox \[ ?0 0 ([\d.]+) ([\d.]+) ?\]", pdf)
    return tuple(float(side) / 72 for side in box)


def pdf_of(record, **look):
    return figure.save(figure.draw(record, Look(**look)), "pdf")


def svg_of(record, **look):
    return ET.fromstring(figure.save(figure.draw(record, Look(**look)), "svg"))


def written(svg):
    return ["".join(element.itertext()) for element in svg.iter(f"{SVG}text")]


# ---- sizes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize(("size", "letters"), [((3.3, 3.0), None), ((7.0, 4.0), None), ((7.0, 4.0), 10.0)])
def test_letters_measure_in_the_file_what_they_are_told_to(view, size, letters):
    record = seen() if view == "image" else attention()
    pdf = pdf_of(record, view=view, size=size, font_size=letters, title="A title", no=("numbers",))
    letters = letters or 8
    assert paper_of(pdf) == pytest.approx(size)
    assert letters in sizes_in(pdf)
    assert sizes_in(pdf) <= {letters, 1.25 * letters, 0.75 * letters}


@pytest.mark.parametrize("size", [(3.3, 3.0), (7.0, 4.0)])
def test_numbers_in_cells_are_no_smaller_than_can_be_read(size):
    assert min(sizes_in(pdf_of(attention(4), size=size))) >= 0.65 * 8


def test_slides_have_letters_of_16_points():
    pdf = pdf_of(attention(), style="slide", no=("numbers",))
    assert paper_of(pdf) == pytest.approx((40 / 3, 7.5))
    assert sizes_in(pdf) == {16, 12}


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("size", [(3.3, 3.0), (7.0, 2.6), (4.0, 6.0)])
def test_nothing_lies_beyond_the_paper(view, size):
    record = seen() if view == "image" else attention()
    sheet = VIEWS[view](record, Look(size=size, title="A title 标题"))
    assert (sheet.width, sheet.height) == pytest.approx((72 * size[0], 72 * size[1]))
    for word in (mark for mark in sheet.marks if isinstance(mark, Words) and not mark.turned):
        width = fonts.width(word.text, word.size)
        start = word.x - {"left": 0, "center": width / 2, "right": width}[word.align]
        assert start >= -0.5, word
        assert start + width <= sheet.width + 0.5, word
        assert word.size * 0.7 <= word.y <= sheet.height, word


def test_what_does_not_fit_is_said_with_what_to_do():
    with pytest.raises(
        InputError, match=r"does not fit 1 × 1 inches at 8 points; give a larger --size, a sm"
    ):
        figure.draw(attention(layers=6, heads=12), Look(size=(1, 1)))


def test_panels_flow_into_the_paper_and_columns_say_otherwise():
    def across(**look):
        corners = maps.plan_for(maps.attention_maps(attention(heads=6), Look(**look))).corners
        return len({x for x, _ in corners})

    assert across(size=(8.0, 2.5)) == 6
    assert across(size=(3.3, 7.0)) == 2
    assert across(columns=2) == across(size=(8.0, 2.5), columns=2) == 2


def test_layers_and_heads_keep_their_rows_unless_others_are_far_larger():
    grid = maps.plan_for(maps.attention_maps(attention(layers=3, heads=4), Look(size=(7.0, 6.0))))
    assert grid.maps.side_titles == ("layer 0", "layer 1", "layer 2")
    flat = maps.plan_for(maps.attention_maps(attention(layers=3, heads=4), Look(size=(12.0, 2.0))))
    assert flat.maps.side_titles == ()
    assert flat.maps.titles[5] == "layer 1 · head 1"


@pytest.mark.parametrize("n", [60, 300])
@pytest.mark.parametrize("size", [None, (3.3, 3.3), (7.0, 7.0)])
def test_strips_of_labels_stay_below_a_fifth_of_the_picture(n, size):
    tokens = [f"incomprehensibilities{i}" for i in range(n)]
    plan = maps.plan_for(maps.attention_maps(attention(n, heads=1, tokens=tokens), Look(size=size)))
    sheet = maps.lay_out(plan.maps)
    assert plan.rows.reach <= sheet.width / 5
    assert plan.columns.reach <= sheet.height / 5


def test_labels_are_cut_only_where_there_is_no_room():
    token = "(incomprehensibilities)"
    tokens = [token, *"abcdefghijk"]
    plan = maps.plan_for(maps.attention_maps(attention(tokens=tokens, heads=1)))
    assert plan.rows.texts[0] == token
    plan = maps.plan_for(maps.attention_maps(attention(tokens=tokens, heads=1), Look(size=(3.3, 3.0))))
    assert plan.rows.texts[0].startswith("(inc")
    assert plan.rows.texts[0].endswith("…")
    assert plan.rows.texts[1] == "a"


def test_the_title_begins_over_the_panels():
    sheet = maps.lay_out(maps.attention_maps(attention(), Look(title="A title", size=(7.0, 5.0))))
    plan = maps.plan_for(maps.attention_maps(attention(), Look(title="A title", size=(7.0, 5.0))))
    words = {word.text: word for word in sheet.marks if isinstance(word, Words)}
    assert words["A title"].x == words["layer 0"].x == plan.corners[0][0]


# ---- what is told and left out --------------------------------------------------------------------


def test_layer_and_head_are_named_the_first_too():
    assert "layer 0 · head 0" in maps.lay_out(maps.attention_maps(attention(heads=1))).words()


@pytest.mark.parametrize("part", PARTS)
def test_each_part_can_be_left_out_by_itself(part):
    twelve, figures = tuple("abcdefghijkl"), dict.fromkeys(("entropy", "mass"), np.ones((1, 1, 12)))
    named = {"query_tokens": twelve, "key_tokens": twelve, "pooled": True}
    known = replace(attention(6, heads=1), top_weights=np.ones((1, 1, 12, 1)), **named, **figures)

    def parts(*no):
        sheet = maps.lay_out(maps.attention_maps(known, Look(title="A title", no=no)))
        return {
            "title": "A title" in sheet.words(),
            "provenance": "made up" in sheet.words(),
            "colorbar": any(isinstance(mark, Picture) for mark in sheet.marks),
            "numbers": any(isinstance(mark, Number) for mark in sheet.marks),
            "strips": sum(isinstance(mark, Cells) for mark in sheet.marks) > 1,
        }

    assert parts() == dict.fromkeys(PARTS, True)
    assert parts(part) == {name: name != part for name in PARTS}


@pytest.mark.parametrize("view", VIEWS)
def test_every_view_can_leave_everything_out(view):
    record = seen() if view == "image" else attention()
    sheet = VIEWS[view](record, Look(title="A title", no=tuple(PARTS)))
    assert not {"A title", "made up", "weight"} & set(sheet.words())
    assert not any(isinstance(mark, Number) for mark in sheet.marks)


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        ({"no": ("titel",)}, "unknown --no 'titel'; known are title, provenance.*did you mean 'title'"),
        ({"text_as": "shapes"}, "unknown --text-as 'shapes'; known are text, outlines"),
        ({"view": "mapp"}, "unknown --view 'mapp'; known are map, lines.*did you mean 'map'"),
        ({"font_size": 1.0}, "--font-size 1; give points, 3 to 96"),
    ],
)
def test_a_look_that_cannot_be_is_said_before_anything_is_drawn(chosen, said):
    with pytest.raises(InputError, match=said):
        with_known_view(Look(**chosen))


@pytest.mark.parametrize(
    ("option", "names"),
    [
        ("--view", list(VIEWS)),
        ("--cmap", ["paper", "viridis"]),
        ("--style", ["slide"]),
        ("--no", list(PARTS)),
    ],
)
def test_help_lists_what_an_option_knows(run, option, names):
    done = run("heatmap", option, "help")
    assert done.code == 0
    assert set(names) <= {line.split()[0] for line in done.stdout.splitlines()}


# ---- scales of many -------------------------------------------------------------------------------


def test_a_few_cells_do_not_set_the_scale_of_many_and_this_is_said():
    weights = np.full((1, 1, 60, 60), 0.5 / 59)
    weights[..., 0] = 0.5
    record = replace(attention(60, heads=1), weights=weights)
    plan = maps.plan_for(maps.attention_maps(record))
    assert plan.cells.scale.high == 0.1  # six times the mean, 1 / 60
    shades = plan.cells.scale.shades(plan.cells.values)[0]
    assert (shades[:, 0] == 255).all()
    assert (shades[:, 1:] > 20).all()
    words = maps.lay_out(plan.maps).words()
    assert "the last colour stands for 0.1 and more: 1.7% of the cells, up to 0.5" in words
    assert "≥ 0.1" in words


def test_few_tokens_keep_their_largest_weight_as_the_end_of_the_scale():
    record = attention(12, heads=1)
    assert maps.plan_for(maps.attention_maps(record)).cells.scale.high == record.weights.max()


def test_what_is_masked_is_not_what_is_zero():
    for ground in ("paper", "night"):
        zero, masked = colour.ramp(ground)[0].astype(int), np.array(colour.MASKED[ground])
        assert np.abs(zero - masked).max() >= 20


def test_maps_of_many_tokens_have_a_pixel_for_each():
    for n, heads in ((1000, 1), (250, 12)):
        weights = np.full((1, heads, n, n), 1 / n, np.float32)
        names = tuple(map(str, range(n)))
        assert maps.plan_for(maps.attention_maps(Attention(names, names, weights))).cells.factor == 1


# ---- files ----------------------------------------------------------------------------------------


def test_an_svg_holds_text_and_a_rectangle_for_each_cell():
    svg = svg_of(attention(8, heads=2, tokens=("注意", "<b>", "$x$", *"abcde")), no=("colorbar",))
    assert {"注意", "<b>", "$x$", "key", "head 1", "made up"} <= set(written(svg))
    cells = [rect for rect in svg.iter(f"{SVG}rect") if rect.get("fill")]
    assert len(cells) == 2 * 64
    assert not list(svg.iter(f"{SVG}image"))
    record = attention(8, heads=2)
    numbers = [text for text in written(svg) if re.fullmatch(r"0\.\d\d", text)]
    assert numbers == [f"{weight:.2f}" for weight in record.weights.flat]


def test_rectangles_have_the_places_and_colours_of_their_cells():
    record = attention(3, heads=1)
    plan = maps.plan_for(maps.attention_maps(record))
    cells = [rect for rect in svg_of(record).iter(f"{SVG}rect") if rect.get("fill")]
    (left, top), width = plan.corners[0], plan.cells.width
    for rect, (row, column), rgb in zip(
        cells, np.ndindex(3, 3), plan.cells.colours().reshape(-1, 3), strict=True
    ):
        place = [float(rect.get(name)) for name in ("x", "y", "width", "height")]
        assert place == pytest.approx([left + column * width, top + row * width, width, width], abs=2e-3)
        assert rect.get("fill") == "#{:02x}{:02x}{:02x}".format(*rgb)


@pytest.mark.parametrize(("n", "shapes"), [(64, True), (65, False)])
def test_cells_are_shapes_up_to_64_by_64(n, shapes):
    record = attention(n, heads=1)
    look = {"no": ("colorbar",), "dpi": 72}
    assert bool(list(svg_of(record, **look).iter(f"{SVG}image"))) is not shapes
    assert (b"/Subtype /Image" in pdf_of(record, **look)) is not shapes


def test_outlines_are_the_same_on_every_machine():
    svg = svg_of(attention(4), text_as="outlines")
    assert not written(svg)
    assert not list(svg.iter(f"{SVG}style")) or "font" not in ET.tostring(svg).decode()


def test_fonts_are_named_for_people_not_by_their_files():
    data = figure.save(figure.draw(attention(4, tokens=("注意", *"abc"))), "svg").decode()
    families = set(re.findall(r"font-family: ([^;\"]+)", data))
    assert families
    assert all(family.endswith(", sans-serif") and "/" not in family for family in families)


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_files_name_their_title_and_maker(suffix):
    data = figure.save(figure.draw(attention(4), Look(title="A <title>")), suffix)
    if suffix == "svg":
        assert b"<title>A &lt;title&gt;</title>" in data
        assert b"<dc:title>attn</dc:title>" in data
    elif suffix == "pdf":
        assert b"/Title (A <title>)" in data
        assert b"/Creator (attn)" in data
    else:
        assert b"Title\x00A <title>" in data
        assert b"Software\x00attn" in data
    assert not re.search(rb"(Creation|Mod)Date|dc:date", data)


def test_a_pdf_shows_numbers_as_text():
    data = streams(pdf_of(attention(3, heads=1)))
    assert len(re.findall(rb" Tf", data)) > 9
