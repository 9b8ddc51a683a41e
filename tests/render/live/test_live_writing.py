"""What the live page keeps while a model writes, against the same tokens given all at once (which is held to torch)."""

import numpy as np
import pytest
from nodejs import NODE, in_node
from test_live_forward import packed, tiny

pytestmark = pytest.mark.skipif(NODE is None, reason="no Node.js here")
CHANGE = {"heads": ["decoder 1 2", "cross 0 1"], "keys": {"cross": [1]}, "temperature": 2}


def assert_same(kept, anew):
    if isinstance(anew, dict):
        assert list(kept) == list(anew)
        for name, value in anew.items():
            assert_same(kept[name], value)
    elif isinstance(anew, list) and anew and isinstance(anew[0], list | dict):
        assert len(kept) == len(anew)
        for one, other in zip(kept, anew, strict=True):
            assert_same(one, other)
    elif isinstance(anew, list) and anew and not isinstance(anew[0], str):
        np.testing.assert_allclose(np.array(kept, float), np.array(anew, float), rtol=0, atol=1e-5)
    else:
        assert kept == anew


def test_what_is_kept_while_a_model_writes_is_what_it_makes_of_the_whole():
    models = [packed(tiny(name)) for name in ("both", "both, other outputs")]
    asked = [{**one, "text": "b d a c", "change": change} for one in models for change in ({}, CHANGE)]
    answers = in_node("writing.mjs", asked)
    for answer in answers:
        assert list(answer["kept"]["kinds"]) == ["encoder", "decoder", "cross"]
        assert_same(answer["kept"], answer["anew"])
    assert max(len(answer["kept"]["written"]) for answer in answers) > 2
