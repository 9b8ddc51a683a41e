"""Whether a ranking holds: ERASER's numbers by hand, and baselines that are always beside them.

Second witnesses: ferret-xai 0.4.2 and quantus 0.6.0, whose numbers for the function below stand here, computed once
in an environment of their own. ferret cannot be installed beside this program: it wants NumPy 1, transformers 4 and
captum 0.7. quantus can, but brings OpenCV, pandas, scikit-image and scikit-learn.
"""

import numpy as np
import pytest
from attn_cli.interpret.faithfulness import ORDERS, SHARES, TESTS, judged, order_of
from attn_cli.records.progress import watched

# An output that is the sum of what its tokens give, 4, 3, 2, 1 tenths: all of it can be worked out.
GIVES = np.array([0.1, 0.4, 0.2, 0.3])
BEST = np.array([1, 3, 2, 0])


def additive(kept):
    return kept @ GIVES


def test_comprehensiveness_and_sufficiency_by_hand():
    # of 4 tokens the shares 1, 5, 10, 20 % are one token each, 50 % are two
    assert TESTS["comprehensiveness"](BEST, additive) == pytest.approx((4 * 0.4 + 0.7) / 5)
    assert TESTS["sufficiency"](BEST, additive) == pytest.approx((4 * 0.6 + 0.3) / 5)
    assert TESTS["comprehensiveness"](BEST[::-1], additive) == pytest.approx((4 * 0.1 + 0.3) / 5)


def test_the_share_of_a_text_is_rounded_up_to_whole_tokens():
    seen = []
    TESTS["comprehensiveness"](np.arange(30), lambda kept: seen.append(kept) or np.zeros(len(kept)))
    assert (30 - seen[0].sum(axis=1)).tolist() == [0, 1, 2, 3, 6, 15]  # 0.3, 1.5, 3, 6, 15


def test_a_tenth_of_ten_tokens_is_one_whatever_rounding_says():
    seen = []
    TESTS["sufficiency"](np.arange(10), lambda kept: seen.append(kept) or np.zeros(len(kept)))
    assert seen[0].sum(axis=1).tolist() == [10, 1, 1, 1, 2, 5]


def test_the_deletion_area_by_hand():
    # 1, 0.6, 0.3, 0.1, 0 at 0, ¼, ½, ¾, 1
    assert TESTS["deletion"](BEST, additive) == pytest.approx((0.5 + 0.6 + 0.3 + 0.1 + 0) / 4)


@pytest.mark.parametrize("name", TESTS)
def test_the_best_order_is_better_than_the_worst(name):
    best, worst = TESTS[name](BEST, additive), TESTS[name](BEST[::-1], additive)
    assert best > worst if name == "comprehensiveness" else best < worst


def test_of_equal_tokens_the_earlier_comes_first():
    assert order_of(np.array([0.5, 0.5, 0.7, 0.5])).tolist() == [2, 0, 1, 3]
    assert order_of(np.repeat([0.5, 0.7], 50)).tolist() == [*range(50, 100), *range(50)]


def test_uniform_and_random_are_always_beside_the_methods():
    table = judged({"true": GIVES}, additive, len(GIVES))
    assert table["method"].tolist() == ["true", "uniform", "random"]
    assert list(table.columns) == ["method", *(f"{name}{end}" for name in TESTS for end in ("", "_se"))]
    for name in TESTS:
        uniform = TESTS[name](np.arange(4), additive)
        draw = np.random.default_rng(0).permutation
        random = [TESTS[name](draw(4), additive) for _ in range(ORDERS)]
        assert table[name][1] == pytest.approx(uniform)
        assert table[name][2] == pytest.approx(np.mean(random))
        assert table[f"{name}_se"][2] == pytest.approx(np.std(random, ddof=1) / np.sqrt(ORDERS))
        assert np.isnan(table[f"{name}_se"][:2]).all()


def test_whoever_watches_is_told_of_each_test_of_each_order():
    told = []
    with watched(told.append):
        judged({"true": GIVES}, additive, len(GIVES))
    total = len(TESTS) * (1 + 1 + ORDERS)
    assert told == [(i + 1, total) for i in range(total)]


def test_the_same_seed_gives_the_same_orders_and_another_gives_others():
    first, again, other = (judged({"true": GIVES}, additive, len(GIVES), seed=seed) for seed in (1, 1, 2))
    assert (first["deletion"] == again["deletion"]).all()
    assert first["deletion"][2] != other["deletion"][2]


def test_the_shares_are_those_of_eraser():
    assert SHARES == (0.01, 0.05, 0.1, 0.2, 0.5)


def witnessed(kept):
    """A function of 100 tokens in which two of them work together."""
    gives = np.random.RandomState(0).standard_normal(100)
    return 1 / (1 + np.exp(-(kept @ gives) / 3 - kept[:, 0] * kept[:, 7]))


RANKED = order_of(np.abs(np.random.RandomState(0).standard_normal(200)[100:]))


def test_comprehensiveness_and_sufficiency_are_those_of_ferret():
    # AOPC_Comprehensiveness_Evaluation, AOPC_Sufficiency_Evaluation; based_on k, thresholds 1, 5, 10, 20, 50
    assert TESTS["comprehensiveness"](RANKED, witnessed) == pytest.approx(0.16462971459575532, abs=1e-12)
    assert TESTS["sufficiency"](RANKED, witnessed) == pytest.approx(0.40597287606759175, abs=1e-12)


def test_the_deletion_area_is_that_under_the_curve_of_quantus():
    # PixelFlipping with features_in_step 5; it begins with the first 5 gone, and we with all there
    curve = [
        "0.983355193142",
        "0.924077489713",
        "0.829476993256",
        "0.754876063507",
        "0.847379299305",
        "0.667351786975",
        "0.487817950756",
        "0.417448691468",
        "0.351506026514",
        "0.316526808765",
        "0.328399539970",
        "0.321694296402",
        "0.299981975895",
        "0.083768785659",
        "0.096377969900",
        "0.078304075509",
        "0.239133429672",
        "0.066773882607",
        "0.282806549793",
        "0.5",
    ]
    whole = float(witnessed(np.ones((1, 100)))[0])
    area = np.trapezoid([whole, *map(float, curve)], dx=1 / 20)
    assert TESTS["deletion"](RANKED, witnessed) == pytest.approx(area, abs=1e-11)
