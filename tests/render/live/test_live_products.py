"""The matrix product of the live page against NumPy: every remainder of its blocks."""

import numpy as np
import pytest
from nodejs import NODE, in_node

pytestmark = pytest.mark.skipif(NODE is None, reason="no Node.js here")
SIZES = [(rows, outputs, columns) for rows in range(1, 10) for outputs in (1, 3) for columns in (1, 4, 7)]
WIDE = [(1, 2, 1025), (3, 2, 2050), (5, 1, 3003)]  # more columns than it holds at once


def test_products_of_every_size_are_numpy_s():
    rng = np.random.default_rng(0)
    asked = [
        {"x": rng.normal(size=(n, k)), "weight": rng.normal(size=(m, k)), "bias": rng.normal(size=m)}
        for n, m, k in (*SIZES, *WIDE)
    ]
    del asked[0]["bias"]
    plain = [{name: array.tolist() for name, array in one.items()} for one in asked]
    for one, answer in zip(asked, in_node("products.mjs", plain), strict=True):
        expected = one["x"] @ one["weight"].T + one.get("bias", 0)
        np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-4)
