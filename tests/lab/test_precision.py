"""How exactly an answer was given, read from its numbers."""

import numpy as np
import pytest
from attn_cli.lab.precision import precision_of
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("numbers", "half"),
    [
        ([0.33, 0.5, 0.17], 0.005),
        ([0.3333, 0.0, 1.0], 0.00005),
        ([12.5, 3.0], 0.05),
        ([0.5, np.nan, -np.inf, 0.25], 0.005),
    ],
)
def test_half_a_unit_of_the_last_decimal(numbers, half):
    precision = precision_of(np.array(numbers))
    assert (precision.kind, precision.half) == ("decimals", pytest.approx(half))


def test_half_a_unit_of_the_last_significant_digit():
    """As %.3g prints: each number has a unit of its own."""
    precision = precision_of(np.array([0.00123, 0.456, 7.89, 12.3, 0.0]))
    assert precision.kind == "digits"
    np.testing.assert_allclose(precision.half, [0.000005, 0.0005, 0.005, 0.05, 0.000005])


@pytest.mark.parametrize(
    ("dtype", "kind"), [(np.float16, "float16"), (np.float32, "float32"), (np.float64, "float32")]
)
def test_computed_numbers(dtype, kind):
    numbers = (np.arange(1, 8) / 7 / 3).astype(dtype)
    assert precision_of(numbers).kind == kind


def test_bfloat16_is_known_by_its_bits():
    bits = (np.arange(1, 30, dtype=np.float32) / 31).view(np.uint32) & 0xFFFF0000
    assert precision_of(bits.view(np.float32)).kind == "bfloat16"


def test_float32_printed_in_full_is_no_more_exact_than_float32():
    numbers = np.array([float(str(x)) for x in (np.arange(1, 8, dtype=np.float32) / 7)])
    slack = precision_of(numbers).slack(1.0)
    assert (np.abs(numbers - np.arange(1, 8) / 7) < slack).all()


def test_a_given_tolerance_is_taken_as_it_is():
    assert precision_of(np.array([0.3]), 0.2).slack(1000.0) == pytest.approx(0.2)


@given(st.lists(st.floats(-30, 30), min_size=5, max_size=30), st.integers(1, 6))
def test_rounded_numbers_are_within_their_slack(numbers, n):
    exact = np.array(numbers)
    rounded = exact.round(n)
    assert (np.abs(rounded - exact) <= precision_of(rounded).slack(1.0)).all() or (
        rounded == rounded.round()
    ).all()


@given(st.lists(st.floats(1e-3, 30), min_size=5, max_size=30), st.integers(2, 6))
def test_numbers_of_significant_digits_are_within_their_slack(numbers, n):
    exact = np.array(numbers)
    printed = np.array([float(f"{x:.{n}g}") for x in numbers])
    slack = precision_of(printed).slack(1.0)
    if precision_of(printed).kind == "digits":
        assert (np.abs(printed - exact) <= slack).all()
