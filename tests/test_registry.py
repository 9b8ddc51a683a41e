"""A spec, a function or a variant: what may stand in place of a name."""

from __future__ import annotations

import copy
import pickle
from functools import partial

import numpy as np
import pytest
from attn_cli.errors import InputError
from attn_cli.registry import Registry, Variant, options, summary
from attn_cli.variants.masks import MASKS
from attn_cli.variants.scores import SCORES

SHAPES: Registry = Registry("shape")


@SHAPES.register
def square(x, *, side: float = 1.0, seed: int = 0):
    """x inside a square of this side."""
    return abs(x) <= side / 2


square.flat = True


@SHAPES.register
def wedge(x, *, width: float):
    """x before this width."""
    return x < width


def test_a_variant_has_name_function_options_and_spec():
    variant = SHAPES.parse("square:side=4", given={"seed": 7, "other": 1})
    assert (variant.name, variant.function, variant.options) == ("square", square, {"side": 4.0, "seed": 7})
    assert variant.spec == "square:side=4"
    assert [variant(x) for x in (1.5, 2.5)] == [True, False]
    assert variant(2.5, side=6.0)
    assert summary(variant) == "x inside a square of this side."
    assert list(options(variant)) == ["side", "seed"]
    assert variant.flat
    assert not hasattr(SHAPES.parse("wedge:width=1"), "flat")


def test_variants_are_equal_that_give_the_same():
    assert SHAPES.parse("square:side=1") == SHAPES.parse("square") == square
    assert square == SHAPES.parse("square")
    assert SHAPES.parse("square:side=2") != square
    assert SHAPES.parse("square:side=2") != SHAPES.parse("square")
    assert SHAPES.parse("wedge:width=1") != square
    assert len({SHAPES.parse("square:side=1"), SHAPES.parse("square"), square}) == 1
    one, same, other = (
        SCORES.parse("general", given={"file": {"W": np.eye(n)}}) for n in (2, 2, 3)
    )  # fmt: skip
    assert one == same
    assert one != other


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_variant_can_be_copied(again):
    variant = MASKS.parse("window:size=3")
    assert again(variant) == variant
    assert again(variant)(np.arange(3), 0).tolist() == [True, True, True]


def test_a_function_may_stand_for_its_name():
    assert SHAPES.of(square) == SHAPES.of("square") == SHAPES.of(SHAPES.parse("square"))
    assert SHAPES.of(square).name == "square"
    assert SHAPES.of(square, given={"seed": 3}).options == {"side": 1.0, "seed": 3}
    mine = SHAPES.of(lambda x, *, side=2.0: abs(x) <= side / 2)
    assert (mine.spec, mine.options, mine(1.5)) == ("lambda", {"side": 2.0}, False)
    assert SHAPES.of(partial(square, side=4.0)) == SHAPES.parse("square:side=4")
    assert SHAPES.of(max)(1, 2) == 2  # of which no signature is known


def test_what_is_no_variant_is_named():
    with pytest.raises(
        InputError, match="a shape of type int; give a name or a function; known are square, wedge"
    ):
        SHAPES.of(3)
    with pytest.raises(InputError, match="shape 'wedge' needs width; write wedge:width=VALUE"):
        SHAPES.of(wedge)


def test_a_variant_cannot_be_changed_but_another_be_made():
    variant = SHAPES.parse("square")
    with pytest.raises(AttributeError):
        variant.name = "round"
    assert variant.but(side=3.0).options["side"] == 3.0
    assert isinstance(variant.but(), Variant)
