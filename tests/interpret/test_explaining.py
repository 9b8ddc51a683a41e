"""Explanations: each method against what it is made of, and heads taken away one by one."""

import numpy as np
import pytest
import torch
from attn_cli.interpret.ablation import ablated
from attn_cli.interpret.case import Case
from attn_cli.interpret.explaining import METHODS, explain
from attn_cli.interpret.faithfulness import comprehensiveness, deletion
from attn_cli.interpret.rollout import rollout
from attn_cli.interpret.zeroing import zeroing
from small_models import STACKS, answer_of


def case_of(stack, **more):
    return Case(answer_of(stack, **more), np.array([True, True, False, True]))


@pytest.mark.parametrize("stack", STACKS)
def test_every_method_says_something_of_every_token(stack):
    found = explain(case_of(stack), tuple("abcd"), output=("x",), instead="zeros")
    assert list(found.methods) == list(METHODS)
    assert found.tokens == ("a", "b", "d")
    assert found.positions == (0, 1, 3)
    assert all(numbers.shape == (3,) and np.isfinite(numbers).all() for numbers in found.methods.values())
    assert found.tests["method"].tolist() == list(METHODS)
    table = found.table()
    assert table["token"].tolist() == ["a", "b", "d", "comprehensiveness", "sufficiency", "deletion"]
    assert np.isnan(table["random_se"][:3]).all()
    assert (table["random_se"][3:] >= 0).all()


def test_columns_are_the_rows_of_the_output():
    case = case_of("decoder")
    weights = case.answer.maps("weights")["decoder"].numpy()
    np.testing.assert_allclose(METHODS["rollout"](case), rollout(weights)[3], rtol=0, atol=1e-12)
    C = zeroing(case.answer, "decoder").numpy()
    np.testing.assert_allclose(METHODS["zeroing"](case), (C[1] @ C[0])[3], rtol=0, atol=1e-12)


@pytest.mark.parametrize("instead", [None, 7])
def test_leaving_a_token_out_is_another_token_or_zeros_in_its_place(instead):
    case = case_of("encoder", instead=instead)
    answer, model = case.answer, case.answer.model
    chances = []
    for gone in (None, 0, 1, 3):
        tokens = answer.tokens.clone()
        if gone is not None and instead is not None:
            tokens[0, gone] = instead
        x = model.embedding(tokens)
        if gone is not None and instead is None:
            x[0, gone] = 0
        logits = model.logits(model.encoder(model.embedding_norm(x + model.position.weight[:4])))
        chances.append(float(logits[0, 3].softmax(dim=-1)[5]))
    found = METHODS["leave_one_out"](case)
    np.testing.assert_allclose(found[[0, 1, 3]], chances[0] - np.array(chances[1:]), rtol=0, atol=1e-12)
    assert found[2] == 0
    assert abs(found).max() > 1e-4


@pytest.mark.parametrize("stack", STACKS)
def test_a_head_taken_away_is_one_whose_rows_of_the_output_matrix_are_zero(stack):
    answer, step = answer_of(stack), 1e-6
    table = ablated(answer)
    assert len(table) == 4 * (3 if stack == "both" else 1)
    whole = float(answer.chances()[0])
    for row in list(table.rows())[::3]:
        kind = row.get("kind", stack)
        layers = answer.model.encoder.layers if kind == "encoder" else answer.model.decoder.layers
        part = layers[row["layer"]].cross if kind == "cross" else layers[row["layer"]].attention
        own = slice(row["head"] * 4, row["head"] * 4 + 4)
        kept = part.out.weight.clone()
        losses = []
        for factor in (0.0, 1 + step, 1 - step):
            part.out.weight[:, own] = kept[:, own] * factor
            losses.append(-float(answer.chances()[0]))
        part.out.weight[:] = kept
        assert row["zero"] == pytest.approx(losses[0] + whole, abs=1e-12)
        assert row["gradient"] == pytest.approx(abs(losses[1] - losses[2]) / (2 * step), abs=1e-8)
    assert (table["mean"] != table["zero"]).any()


def test_the_mean_of_a_head_is_no_change_where_all_its_queries_attend_alike():
    answer = answer_of("encoder")
    for layer in answer.model.encoder.layers:
        layer.attention.query.weight[:4] = 0
        layer.attention.query.bias[:4] = 0
    table = ablated(answer)
    uniform = table["head"] == 0
    assert abs(table["mean"][uniform]).max() < 1e-12
    assert abs(table["mean"][~uniform]).min() > 1e-9
    assert abs(table["zero"][uniform]).max() > 1e-6


def test_deletion_of_a_long_text_takes_twenty_steps():
    seen = []

    def probability(kept):
        seen.append(kept.sum(axis=1))
        return kept[:, 0] * 1.0

    assert deletion(np.arange(41), probability) == pytest.approx(
        1.5 / 41
    )  # from 1 to 0 in the first three tokens: 5 % is 2.05 of them
    assert len(seen[0]) == 21
    assert seen[0][[0, 1, -1]].tolist() == [41, 38, 0]


def test_deletion_goes_through_the_shares_of_comprehensiveness():
    seen = {}
    for test in (deletion, comprehensiveness):
        seen[test] = set()
        test(np.arange(127), lambda kept, test=test: seen[test].update(kept.sum(axis=1)) or kept[:, 0] * 1.0)
    assert seen[comprehensiveness] - seen[deletion] == {127 - 2}  # 1 % is less than a step


def test_no_choice_is_computed_twice():
    case = case_of("encoder")
    kept = np.array([[True, False, True], [True, False, True], [True, True, True]])
    first = case.probability(kept)
    case.__dict__["answer"] = None  # nothing is asked again
    assert case.probability(kept).tolist() == first.tolist()
    assert first[0] == first[1] != first[2]


def test_nothing_here_depends_on_gradients_being_on():
    with torch.no_grad():
        assert abs(METHODS["gradients"](case_of("encoder"))).max() > 0
