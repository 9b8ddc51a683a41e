"""The toy tasks: each worked out by hand; learned they are in test_tasks_learned.py."""

import re

import numpy as np
import pytest
from attn_cli.errors import InputError
from attn_cli.toy.tasks import TASKS
from attn_cli.toy.tasks.senses import FRAMES, NOTES, PATCH, RATE, SIDE, WINDOW


def drawn(spec, n=300):
    """Some examples of a task."""
    rng = np.random.default_rng(0)
    task = TASKS.parse(spec)
    return [task(rng) for _ in range(n)]


def of(spec, source, n=20_000):
    """The example of a task with this source."""
    rng, task = np.random.default_rng(0), TASKS.parse(spec)
    return next(e for e in (task(rng) for _ in range(n)) if e.source == tuple(source))


def looked_at(example):
    """For each position out that has somewhere to look, where."""
    return {i: np.flatnonzero(row).tolist() for i, row in enumerate(example.expected) if row.any()}


# ---- by hand ----------------------------------------------------------------------------------------


def test_copy_expects_the_diagonal():
    example = of("copy:longest=3", "314")
    assert example.target == ("3", "1", "4")
    assert looked_at(example) == {0: [0], 1: [1], 2: [2]}


def test_sort_expects_every_place_where_the_digit_stands():
    example = of("sort:longest=3", "313")
    assert example.target == ("1", "3", "3")
    assert looked_at(example) == {0: [1], 1: [0, 2], 2: [0, 2]}


def test_addition_says_the_units_first_and_carries():
    example = of("addition:digits=2", "72+85=58")  # 27 + 58 = 085, read backwards
    assert example.target == (None, None, None, None, None, "5", "8", "0")


def test_addition_looks_at_both_digits_of_a_place():
    example = of("addition:digits=2", "72+85=58")  # 27 + 58 = 085
    assert example.written == ["5", "8", "0"]
    assert example.target[:5] == (None,) * 5
    assert looked_at(example) == {5: [0, 3], 6: [1, 4]}  # the last digit is what was carried


def test_addition_draws_short_numbers_as_often_as_long_ones():
    firsts = ["".join(example.source).partition("+")[0][::-1].lstrip("0") for example in drawn("addition")]
    shares = [sum(len(first) == n for first in firsts) / len(firsts) for n in (2, 3)]
    # A third of the numbers may have n digits, and nine in ten of them do; a tenth of the next do too.
    assert shares == pytest.approx([0.9 / 3 + 0.09 / 3, 0.9 / 3], abs=0.05)


@pytest.mark.parametrize("example", drawn("addition", 50), ids=lambda e: "".join(e.source))
def test_addition_adds(example):
    left, right = "".join(example.source).partition("=")[0].split("+")
    assert int("".join(example.written)[::-1]) == int(left[::-1]) + int(right[::-1])
    assert "".join(example.written).startswith("".join(example.source).partition("=")[2])


@pytest.mark.parametrize(
    ("source", "year", "month", "day"),
    [
        (["3", "May", *"1979"], [2, 3, 4, 5], [1], [0]),
        (["May", "3", ",", *"1979"], [3, 4, 5, 6], [0], [1, 2]),
        (list("1979年5月3日"), [0, 1, 2, 3, 4], [5, 6], [7, 8]),
        (list("一九七九年五月三日"), [0, 1, 2, 3, 4], [5, 6], [7, 8]),
    ],
)
def test_dates_are_aligned_in_blocks(source, year, month, day):
    example = of("dates:first=1979,last=1979", source)
    assert "".join(example.target) == "1979-05-03"
    blocks = {**dict.fromkeys(range(4), year), **dict.fromkeys((5, 6), month), **dict.fromkeys((8, 9), day)}
    assert looked_at(example) == blocks


def test_chinese_days_above_ten():
    ends = {"".join(e.source).partition("月")[2] for e in drawn("dates", 3000) if "九" in e.source}
    assert {"十日", "十一日", "二十日", "二十三日", "三十一日"} <= ends


def test_induction_looks_after_the_earlier_self():
    example = next(e for e in drawn("induction") if len(e.source) == 6)
    a, b, c = example.source[:3]
    assert example.source == (a, b, c, a, b, c)
    assert example.target == (None, None, None, b, c, a)
    assert looked_at(example) == {3: [1], 4: [2], 5: [3]}


def test_recall_looks_at_the_value_after_its_key():
    example = next(e for e in drawn("recall") if len(e.source) == 6)  # two pairs, and both keys again
    (a, x, b, y), asked = example.source[:4], example.source[4:]
    of_key, place = {a: x, b: y}, {a: 1, b: 3}
    assert set(asked) == {a, b}
    assert example.written == [of_key[key] for key in asked]
    assert looked_at(example) == {4: [place[asked[0]]], 5: [place[asked[1]]]}


def test_parity_counts_the_ones_and_expects_nothing_in_particular():
    for example in drawn("parity", 50):
        *bits, equals, count = example.source
        assert (equals, int(count)) == ("=", bits.count("1"))
        assert example.target == (*[None] * len(bits), count, ("even", "odd")[int(count) % 2])
        assert example.expected is None


def test_sum_asks_once_for_all_and_expects_nothing_in_particular():
    for example in drawn("sum", 50):
        assert example.source[0] == "[CLS]"
        assert example.target == (str(sum(map(int, example.source[1:]))), *[None] * 5)
        assert example.expected is None


def test_shapes_look_at_the_patches_with_strokes():
    example = next(e for e in drawn("shapes:noise=0") if e.written == ["square"])
    patches = example.image[0].reshape(SIDE // PATCH, PATCH, SIDE // PATCH, PATCH).max(axis=(1, 3))
    assert example.source[1:3] == ("0,0", "0,1")
    assert example.expected[0].tolist() == [False, *(patches.ravel() > 0)]
    assert not example.expected[1:].any()
    height, width = np.ptp(np.argwhere(example.image[0]), axis=0)
    assert abs(height - width) <= 1 < SIDE / 2 < height  # what it covers of a pixel at the edge may differ


def test_shapes_are_of_all_kinds_and_never_cut_off():
    examples = drawn("shapes:noise=0")
    assert {e.written[0] for e in examples} == {"line", "cross", "square", "circle", "triangle"}
    for example in examples:
        edge = example.image[0].copy()
        edge[1:-1, 1:-1] = 0
        assert example.image.any()
        assert example.written != ["circle"] or edge.sum() < SIDE / 2


def test_tones_sound_as_they_are_written():
    for example in drawn("tones:noise=0", 30):
        spectrum = example.image[:, 0]  # [frequency, frame]
        for name, frames in zip(example.target, example.expected, strict=True):
            middle = np.flatnonzero(frames)[1]  # of the first frame half may be of the note before
            assert abs(spectrum[:, middle - 1].argmax() * RATE / WINDOW - NOTES[name]) <= RATE / WINDOW


def test_tones_follow_one_another_without_a_gap():
    for example in drawn("tones", 30):
        assert example.expected.shape == (len(example.target), FRAMES + 1)
        frames = [np.flatnonzero(row) for row in example.expected]
        assert np.concatenate(frames).tolist() == list(range(frames[0][0], frames[-1][-1] + 1))
        assert all(a != b for a, b in zip(example.target, example.target[1:], strict=False))


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("copy:longest=0", "longest 0; give 1 to 1,000"),
        ("addition:digits=0", "digits 0; give 1 to 18"),
        ("dates:first=2000,last=1999", "years 2000 to 1999; give 1000 to 9999, the first one first"),
        ("induction:longest=27", "longest 27; give 2 to 26"),
        ("recall:longest=1", "longest 1; give 2 to 26"),
        ("parity:longest=0", "longest 0; give 1 to 1,000"),
        ("reverse:longest=1001", "longest 1001; give 1 to 1,000"),
        ("summary:longest=101", "longest 101; give 1 to 100"),
        ("sum:length=19", "length 19; give 1 to 18"),
        ("shapes:noise=-1", "noise -1.0; give 0 to 100"),
        ("shapes:noise=nan", "noise nan; give 0 to 100"),
        ("tones:notes=9", "notes 9; give 1 to 4"),
        ("tones:noise=inf", "noise inf; give 0 to 100"),
    ],
)
def test_what_a_task_cannot_draw(spec, said):
    with pytest.raises(InputError, match=f"^{re.escape(said)}$"):
        drawn(spec, 1)
