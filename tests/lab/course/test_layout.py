"""`lab.toml` and its texts: what they say is read, and what they should not say is answered."""

import numpy as np
import pytest
from attn_cli.errors import InputError
from attn_cli.lab.course.attention import right_numbers
from attn_cli.lab.course.data import drawn, filled_in
from attn_cli.lab.course.layout import parsed
from attn_cli.lab.course.quantities import QUANTITIES, Place
from attn_cli.lab.course.texts import parsed as texts_of
from attn_cli.lab.course.texts import with_data

MASK = {"id": "m", "what": "mask", "mask": "causal", "shape": [5, 7]}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({}, "no exercises"),
        ({"exercise": [{"id": ""}]}, "an exercise of id"),
        ({"exercise": [{"id": "a"}]}, "needs what or quantity"),
        ({"exercise": [{"id": "a", "what": "wieghts"}]}, "wieghts"),
        ({"exercise": [{"id": "a", "quantity": "paremeters"}]}, "did you mean 'parameters'"),
        ({"exercise": [MASK, MASK]}, "two exercises 'm'"),
        ({"exercise": [MASK | {"follows": ["w"]}]}, "follows 'w'"),
        ({"exercise": [MASK | {"maks": "causal"}]}, "did you mean 'mask'"),
        ({"exercise": [MASK], "data": {"Q": {"shape": [2, 2]}}}, "data 'Q' has none"),
        ({"exercise": [MASK], "data": {"Q": {"normal": 1, "value": 2}}}, "normal and value"),
        ({"exercise": [MASK], "data": {"Q": {"normale": 1}}}, "did you mean 'normal'"),
        ({"exercises": [MASK]}, "did you mean 'exercise'"),
    ],
)
def test_what_is_wrong_in_a_lab_is_said(written, said):
    with pytest.raises(InputError, match=r"lab\.toml") as raised:
        parsed("mine", written)
    assert said in str(raised.value)


def test_data_depend_on_lab_student_and_name_alone():
    one = parsed("mine", {"data": {"Q": {"normal": 1.0, "shape": [5, 6]}}, "exercise": [MASK]})
    two = parsed(
        "mine", {"data": {"w": {"choose": [2]}, "Q": {"normal": 1.0, "shape": [5, 6]}}, "exercise": [MASK]}
    )
    other = parsed("another", {"data": {"Q": {"normal": 1.0, "shape": [5, 6]}}, "exercise": [MASK]})
    np.testing.assert_array_equal(drawn(one, "ada")["Q"], drawn(two, "ada")["Q"])
    assert not np.array_equal(drawn(one, "ada")["Q"], drawn(other, "ada")["Q"])
    assert not np.array_equal(drawn(one, "ada")["Q"], drawn(one, "bob")["Q"])


def test_rows_of_small_whole_numbers_differ():
    lab = parsed("mine", {"data": {"Q": {"integers": [0, 1], "shape": [4, 3]}}, "exercise": [MASK]})
    for student in range(50):
        assert len(np.unique(drawn(lab, str(student))["Q"], axis=0)) == 4


def test_the_numbers_of_a_mistake_show_it():
    said = {
        "Q": {"normal": 1.25, "shape": [5, 6]},
        "K": {"normal": 1.25, "shape": [7, 6]},
        "theirs": {
            "of": "weights",
            "query": "{{Q}}",
            "key": "{{K}}",
            "heads": 2,
            "mistake": ["no_scale", "softmin"],
        },
    }
    lab = parsed("mine", {"data": said, "exercise": [MASK]})
    found = set()
    for student in range(10):
        data = drawn(lab, str(student))
        found |= set(QUANTITIES["mistake"](Place(lab, data), data="theirs"))
    assert found == {"no_scale", "softmin"}


def test_places_are_filled_in():
    assert filled_in({"a": ["{{Q}}", "x={{w}}"]}, {"Q": 1, "w": 2}) == {"a": [1, "x=2"]}
    with pytest.raises(InputError, match="did you mean 'Q1'"):
        filled_in("{{Q}}", {"Q1": 1})


TEXT = """# A lab

Take {{w}}.

## one: The first

Do it.

```sh
# no heading
```

### hint 1

Think.

### hint 2

Think harder.

### if slip

No.

## two：The second

### right

Yes.
"""


def test_texts_have_their_parts():
    texts = texts_of(TEXT, "en")
    assert texts.title == "A lab"
    assert with_data(texts.intro, {"w": 3}) == "Take 3."
    one = texts.tasks["one"]
    assert (one.title, one.hints, one.if_wrong) == ("The first", ["Think.", "Think harder."], {"slip": "No."})
    assert "# no heading" in one.text
    assert texts.tasks["two"].right == "Yes."


@pytest.mark.parametrize("line", ["## no colon", "### hint", "### hints 1"])
def test_a_heading_that_has_no_place_is_said(line):
    with pytest.raises(InputError, match=r"en\.md:3"):
        texts_of(f"# T\n## a: b\n{line}\n", "en", "en.md")


def test_causal_pairs_by_brute_force():
    for mask in ("causal", "window:size=3", "prefix:length=4"):
        right = right_numbers_of_mask(mask)
        assert QUANTITIES["pairs"](None, seq_len=9, mask=mask) == right.sum()


def right_numbers_of_mask(mask):
    from attn_cli.lab.exercise import MaskExercise

    return right_numbers(MaskExercise(9, 9, (mask,)), "mask")
