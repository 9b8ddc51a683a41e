"""Tasks, what a model is measured by, and the training loop; a whole training is in test_train_toy.py."""

import math

import numpy as np
import pytest
import torch
from attn_cli.errors import InputError
from attn_cli.registry import summary
from attn_cli.toy.tasks import TASKS, Dataset, Example, draw, is_held_out, reverse
from attn_cli.toy.training import (
    IGNORED,
    Options,
    as_data,
    evaluate,
    learning_rate,
    new_model,
    peak,
    train,
)
from attn_cli.transformer import Config

SMALL = Options(steps=4, lr=0.01, seed=0, batch=8, evaluate_every=3, examples=200)


def new(dataset, seed=0):
    """A small untrained model for these examples."""
    config = Config(len(dataset.vocabulary), dataset.longest, d_model=8, n_heads=2, n_layers=2, d_ff=16)
    return new_model(config, seed)


# ---- every task -------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", TASKS)
def test_a_task_draws_examples_that_fit_together(name):
    rng = np.random.default_rng(0)
    for _ in range(50):
        example = TASKS[name](rng)
        assert len(example.source) == len(example.target) > 0
        assert example.expected.shape == (len(example.target), len(example.source))
        assert example.expected.dtype == bool
        assert all(token.split() == [token] for token in example.source + example.target)


@pytest.mark.parametrize("name", TASKS)
def test_a_task_draws_the_same_from_the_same_seed_only(name):
    first, again, other = (
        [example.source for example in draw(TASKS[name], 300, seed).train] for seed in (0, 0, 1)
    )
    assert first == again != other


@pytest.mark.parametrize("name", TASKS)
def test_a_task_never_trains_on_what_it_is_tested_on(name):
    held_out = [example.source for example in draw(TASKS[name], 2000, seed=0).held_out]
    assert len(held_out) == len(set(held_out)) > 20
    for seed in range(3):
        assert not set(held_out) & {example.source for example in draw(TASKS[name], 2000, seed).train}


@pytest.mark.parametrize("name", TASKS)
def test_a_task_says_what_goes_in_and_out_in_its_first_line(name):
    assert "→" in summary(TASKS[name])


def test_reverse_reads_backwards_and_expects_the_anti_diagonal():
    rng = np.random.default_rng(0)
    examples = [reverse(rng, longest=4) for _ in range(200)]
    assert {len(example.source) for example in examples} == {1, 2, 3, 4}
    for example in examples:
        assert example.target == tuple(reversed(example.source))
    of_three = next(example for example in examples if len(example.source) == 3)
    assert of_three.expected.astype(int).tolist() == [[0, 0, 1], [0, 1, 0], [1, 0, 0]]


def test_the_example_everybody_tries_is_held_out():
    assert is_held_out(Example(tuple("31415"), tuple("51413"), np.eye(5, dtype=bool)))


def test_the_vocabulary_is_every_token_in_order():
    assert draw(reverse, 300, seed=0).vocabulary == tuple("0123456789")


def test_too_few_different_examples():
    example = reverse(np.random.default_rng(0))
    with pytest.raises(InputError, match=r"^1 different examples are too few"):
        draw(lambda rng: example, 100, seed=0)
    with pytest.raises(InputError, match=r"^longest 0"):
        draw(TASKS.parse("reverse:longest=0"), 100, seed=0)


# ---- measuring --------------------------------------------------------------------------------------

ONE = Example(("b",), ("b",), np.array([[True]]))
TWO = Example(("a", "b"), ("b", "a"), np.array([[False, True], [True, False]]))
TINY = Dataset((), (ONE, TWO), ("a", "b"))


def looks_everywhere_and_answers_b():
    """A model whose two heads weigh all keys alike, as every score is 0, and whose answer is always "b"."""
    model = new_model(Config(vocab=2, max_len=2, d_model=2, n_heads=2, n_layers=1, d_ff=1), seed=0)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
        model.unembedding.bias.copy_(torch.tensor([0.0, 1.0]))
    return model


def test_data_by_hand():
    data = as_data([ONE, TWO], TINY.vocabulary)
    assert data.source.tolist() == [[1, 0], [0, 1]]
    assert data.target.tolist() == [[1, IGNORED], [1, 0]]
    assert data.real.tolist() == [[True, False], [True, True]]


def test_evaluation_by_hand():
    measured = evaluate(looks_everywhere_and_answers_b(), TINY)
    assert measured.exact_match == 1 / 2  # "b" is right as a whole, of "b a" only the first token
    assert measured.n_examples == 2
    # Three queries: one looks at its only key, two at one of two keys.
    np.testing.assert_allclose(measured.expected_mass, [[(1 + 1 / 2 + 1 / 2) / 3] * 2], rtol=1e-15)
    assert measured.uniform_mass == pytest.approx(2 / 3, rel=1e-15)


def test_evaluation_in_several_batches_is_that_of_all_together():
    dataset = draw(reverse, 4000, seed=0)
    model = new(dataset)
    assert len(dataset.held_out) > 128
    whole = evaluate(model, dataset)
    single = [evaluate(model, Dataset((), (example,), dataset.vocabulary)) for example in dataset.held_out]
    n_queries = [len(example.source) for example in dataset.held_out]
    np.testing.assert_allclose(
        whole.expected_mass,
        np.average([one.expected_mass for one in single], axis=0, weights=n_queries),
        rtol=1e-5,
    )
    assert whole.exact_match == np.mean([one.exact_match for one in single])


# ---- training ---------------------------------------------------------------------------------------


def test_the_learning_rate_rises_to_its_peak_and_falls_to_nothing():
    options = Options(steps=110, lr=2.0, seed=0)
    rates = {step: learning_rate(step, options) for step in (1, 11, 44, 110)}
    assert rates[1] == 2 / 11
    assert rates[11] == 2
    assert rates[44] == pytest.approx(1 + math.cos(math.pi / 3), rel=1e-15)  # a third of the way down
    assert rates[110] == 0
    assert learning_rate(1, Options(steps=1, lr=2.0, seed=0)) == 2


def test_the_peak_falls_with_the_width():
    assert [peak(d_model) for d_model in (16, 64, 128)] == [0.006, 0.006, 0.003]


def test_training_repeats_bit_for_bit():
    dataset = draw(reverse, SMALL.examples, seed=0)

    def trained(seed):
        model = new(dataset, seed)
        steps = list(train(model, dataset, Options(**vars(SMALL) | {"seed": seed})))
        return steps, model.state_dict()

    (steps, weights), (again, same_weights), (other, _) = trained(0), trained(0), trained(1)
    assert steps == again
    assert all(same_weights[name].equal(weight) for name, weight in weights.items())
    assert steps[0].loss != other[0].loss


def test_every_so_often_and_at_the_end_a_step_is_evaluated():
    dataset = draw(reverse, SMALL.examples, seed=0)
    model = new(dataset)
    steps = list(train(model, dataset, SMALL))
    assert [step.step for step in steps] == [1, 2, 3, 4]
    assert [step.exact_match is not None for step in steps] == [False, False, True, True]
    assert [step.lr for step in steps] == [learning_rate(n, SMALL) for n in (1, 2, 3, 4)]
    last = evaluate(model, dataset)
    assert (steps[-1].exact_match, steps[-1].expected_mass) == (last.exact_match, last.expected_mass.max())


def test_a_new_model_leaves_the_global_generator_alone():
    torch.rand(1)  # or it may stand where the last new model would leave it
    before = torch.random.get_rng_state()
    new(draw(reverse, 200, seed=0))
    assert torch.random.get_rng_state().equal(before)


def test_a_loss_that_is_no_number_ends_the_training():
    dataset = draw(reverse, SMALL.examples, seed=0)
    model = new(dataset)
    torch.nn.init.constant_(model.unembedding.bias, torch.nan)
    with pytest.raises(InputError, match=r"^the loss is nan after 1 steps"):
        list(train(model, dataset, SMALL))
