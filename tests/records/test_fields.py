"""One declaration of each field: taking, combining, merging, checking and files all follow it."""

import ast
from pathlib import Path

import attn_cli
import numpy as np
import pytest
from attn_cli import files
from attn_cli.errors import InputError
from attn_cli.records import fields
from attn_cli.records.attention import Attention
from attn_cli.records.encoding import Encoding, Image, PositionTable
from attn_cli.records.selection import choose, crop
from attn_cli.records.series import Series
from attn_cli.records.words import merged

SIZES = {"layer": 2, "head": 3, "query": 4, "key": 5, "row": 4, "column": 5}
QUERIES, KEYS = tuple("abcd"), tuple("vwxyz")
_LEFT_OUT = {"pooled", "patches", "image", "show", "kind", "provenance", "query_tokens", "key_tokens"}


def full(**changes):
    """An attention in which every array that a declaration names is there, no two numbers alike."""
    given, start = {}, 0.0
    for name, part in fields.parts(Attention).items():
        if not part.kind or name in _LEFT_OUT:
            continue
        shape = [SIZES.get(axis, 2) for axis in part.axes]
        numbers = np.arange(np.prod(shape)).reshape(shape) + start
        given[name] = {
            "Float": numbers,
            "Int": numbers.astype(int),
            "Bool": numbers % 2 == 0,
            "UInt8": numbers.astype(np.uint8),
        }[part.kind]
        start += 1000
    given["top_tokens"] %= 8
    words = {"query_words": (0, 0, 1, 2), "key_words": (0, 1, 1, 2, 3), "written": (0, 0, 1, 1, 1)}
    words["candidates"] = tuple("abcdefgh")
    return Attention(QUERIES, KEYS, **given, **words, **changes)


def arrays():
    return [p for p in fields.parts(Attention).values() if p.kind and "layer" in p.axes]


def is_broken(part, axis):
    return part.traits.whole == axis


@pytest.mark.parametrize("axis", ["layer", "head", "query", "key"])
@pytest.mark.parametrize("part", arrays(), ids=lambda part: part.name)
def test_every_array_is_taken_along_the_axes_that_its_annotation_spells(part, axis):
    whole = full()
    some = (
        choose(whole, axis, (1,))
        if axis in ("layer", "head")
        else crop(whole, axis, "1:3")
    )  # fmt: skip
    got, before = getattr(some, part.name), getattr(whole, part.name)
    if is_broken(part, axis):
        assert got is None
    elif axis not in part.axes:
        assert got.tolist() == before.tolist()
    else:
        places = [1] if axis in ("layer", "head") else [1, 2]
        assert got.tolist() == before.take(places, part.axes.index(axis)).tolist()


@pytest.mark.parametrize("part", arrays(), ids=lambda part: part.name)
def test_every_array_of_the_wrong_size_is_refused(part):
    whole = full()
    given = dict(vars(whole))
    n = next(i for i, axis in enumerate(part.axes) if axis in ("query", "key"))
    given[part.name] = np.repeat(given[part.name], 2, axis=n)
    with pytest.raises(InputError, match=f"{'8|10' if part.name == 'weights' else part.name}"):
        Attention(**given)


@pytest.mark.parametrize("name", ["json", "npz", "safetensors"])
def test_every_field_is_in_the_files_that_hold_whole_records(name, tmp_path):
    whole = full(show="norms")
    files.write(str(tmp_path / "x"), files.FORMATS[name](whole))
    read = files.read(str(tmp_path / "x"))
    for part, value in fields.held(whole):
        np.testing.assert_equal(getattr(read, part.name), value)
    assert (read.show, read.unit) == ("norms", "norm")


def test_what_stands_for_all_heads_stays_one_and_what_is_not_of_heads_stays():
    mask = np.ones((1, 1, 4, 5), bool)
    some = choose(full(), "head", (2, 0))
    assert some.heads == (0, 2)
    assert choose(fields.changed(full(), mask=mask), "head", (2,)).mask.shape == (1, 1, 4, 5)


@pytest.mark.parametrize(("how", "kept"), [("mean", {"zeroing", "alti"}), ("max", {"maxima"})])
def test_only_maps_whose_mean_means_something_outlive_their_heads(how, kept):
    one = choose(full(), "head", how)
    there = {part.name for part in arrays() if getattr(one, part.name) is not None}
    assert there == {"weights", "norms", "mask", "gradients"} | kept
    assert (one.weights == getattr(full().weights, how)(axis=1, keepdims=True)).all()
    assert (one.mask == full().mask.any(axis=1, keepdims=True)).all()


def test_what_is_shown_is_combined_too():
    scores = choose(full(show="scores"), "head", "mean")
    assert (scores.shown == full().scores.mean(axis=1, keepdims=True)).all()


def test_words_keep_weights_and_mask_alone():
    words = merged(full())
    there = {part.name for part in arrays() if getattr(words, part.name) is not None}
    assert there == {"weights", "mask"}
    assert words.written == (0, 0, 1, 1)  # a word that was begun is not the model's own
    chances = full().probabilities
    assert words.probabilities.tolist() == [chances[0] * chances[1], chances[2], chances[3]]
    assert words.top_tokens is None
    assert (words.query_words, words.query_tokens) == (None, ("ab", "c", "d"))
    with pytest.raises(InputError, match="--words does not apply to --show norms"):
        merged(full(show="norms"))


def test_an_image_stays_where_all_its_patches_do():
    whole = Attention(
        ("a",), ("[CLS]", "0,0", "0,1"), np.ones((1, 1, 1, 3)), patches=(1, 2), image=np.zeros((2, 4, 3), int)
    )
    assert crop(whole, "key", "1:").patches == (1, 2)
    assert crop(whole, "key", "0:2").patches is None
    assert crop(whole, "key", "0:2").image is None


def test_a_spectrogram_has_a_column_for_each_key_and_goes_with_them():
    some = crop(full(), "key", "1:3")
    assert some.spectrogram.tolist() == full().spectrogram[:, 1:3].tolist()
    assert some.spectrogram.dtype == np.uint8
    for wrong in (np.zeros((2, 4), int), np.zeros((2, 5)), np.full((2, 5), 256), np.zeros((0, 5), int)):
        with pytest.raises(
            InputError, match="for 5 keys; give a column of whole numbers from 0 to 255 for each"
        ):
            Attention(QUERIES, KEYS, np.ones((1, 1, 4, 5)), spectrogram=wrong)


def test_bands_have_a_frequency_each():
    with pytest.raises(InputError, match="3 frequencies for 2 bands; give one for each"):
        Attention(
            QUERIES, KEYS, np.ones((1, 1, 4, 5)), spectrogram=np.zeros((2, 5), int), frequencies=[1, 2, 3]
        )


def test_a_map_that_is_not_there_cannot_be_shown_and_weights_are_nothing_else():
    with pytest.raises(InputError, match="this attention has no norms; recompute it from vectors"):
        Attention(("a",), ("a",), np.ones((1, 1, 1, 1)), show="norms")
    with pytest.raises(InputError, match="cannot show 'mask'; known are weights, scores, norms"):
        Attention(("a",), ("a",), np.ones((1, 1, 1, 1)), show="mask")
    with pytest.raises(InputError, match="this attention has no weights"):
        Attention(("a",), ("a",))
    scores = Attention(("a",), ("a",), scores=np.full((1, 1, 1, 1), -2.0), show="scores")
    with pytest.raises(InputError, match="this attention holds scores, not weights"):
        scores.weights  # noqa: B018
    assert crop(scores, "query", "0:1").shown.tolist() == [[[[-2.0]]]]


def test_a_map_more_is_one_line():
    """Declared, it is shown, read, written, taken and combined: nothing else names a field."""
    names = {part.name for part in arrays()} - {"weights", "output", "query", "key", "value", "mask"}
    tables = {"selection.py", "special.py", "words.py"}
    for path in (Path(attn_cli.__file__).parent / "records").glob("*.py"):
        if path.name in tables:
            texts = {n.value for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Constant)}
            assert not names & texts, path.name


def test_a_record_is_one_line():
    weights = np.full((3, 4, 12, 12), 1 / 12)
    tokens = tuple(map(str, range(12)))
    attention = Attention(tokens, tokens, weights, "encoder", "mini, trained here")
    assert repr(attention) == (
        "Attention([3 layers, 4 heads, 12 queries, 12 keys], encoder, 'mini, trained here')"
    )
    one = Attention(("a",), ("a",), np.ones((1, 1, 1, 1)), norms=np.ones((1, 1, 1, 1)), show="norms")
    assert repr(one) == "Attention([1 layer, 1 head, 1 query, 1 key], self, norms)"
    assert repr(Encoding(("a",), np.eye(1), "x\n" * 99)).count("\n") == 0
    assert repr(Encoding(("a",), np.eye(1))) == "Encoding([1 token, 1 dimension])"
    assert repr(PositionTable("rope", np.eye(2))) == "PositionTable([2 positions, 2 dimensions], 'rope')"
    assert repr(Image(np.zeros((2, 3, 3), int))) == "Image([2 × 3 pixels])"
    assert repr(Series("curves", "pos", {"0": np.zeros(4)}, "dim", "rope", 4, 2)) == (
        "Series([4 rows, 1 column], curves, rope)"
    )
