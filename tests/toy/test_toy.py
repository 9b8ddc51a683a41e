"""Tasks, what a model is measured by, and the training loop; a whole training is in test_train_toy.py."""

import math

import numpy as np
import pytest
import torch
from attn_cli.errors import InputError
from attn_cli.toy.batches import IGNORED, Numbered, order
from attn_cli.toy.evaluation import entities, evaluate
from attn_cli.toy.optimizer import Optimizer
from attn_cli.toy.pieces import new_tokenizer
from attn_cli.toy.resuming import resume, state
from attn_cli.toy.schedules import SCHEDULES, cosine
from attn_cli.toy.settings import Options, peak
from attn_cli.toy.tasks import TASKS, Dataset, Example, Recipe, draw, is_held_out, recipe, reverse
from attn_cli.toy.training import Training, new_model
from attn_cli.transformer.decoding import greedy
from attn_cli.transformer.model import Config
from torch.nn.functional import cross_entropy

SMALL = Options(steps=4, lr=0.01, seed=0, batch=8, evaluate_every=3, examples=200)


def new(dataset, seed=0):
    """A small untrained model for these examples."""
    config = Config(len(dataset.vocabulary), dataset.longest, d_model=8, n_heads=2, n_layers=2, d_ff=16)
    return new_model(config, seed)


def begin(dataset, seed=0, **options):
    """A small training of an encoder."""
    return Training(new(dataset, seed), dataset, Recipe(), Options(**vars(SMALL) | {"seed": seed} | options))


# ---- tasks: the contracts of all of them are in test_contracts.py -------------------------------------


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
    with pytest.raises(
        InputError, match=r"^1 different example is too few to hold one in twenty out; make the"
    ):
        draw(lambda rng: example, 100, seed=0)
    with pytest.raises(InputError, match=r"^longest 0"):
        draw(TASKS.parse("reverse:longest=0"), 100, seed=0)


def test_where_to_look_is_kept_of_what_is_held_out_alone():
    dataset = draw(reverse, 300, seed=0)  # of 20,000 examples with 600 positions it took 8 GB
    assert {example.expected is None for example in dataset.train + dataset.longer} == {True}
    assert {example.expected is None for example in dataset.held_out} == {False}


def test_a_task_that_cannot_be_longer_is_drawn_without():
    assert draw(TASKS.parse("induction:longest=26"), 300, seed=0).longer == ()
    assert draw(TASKS.parse("induction:longest=12"), 300, seed=0).longer


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
    data = Numbered([ONE, TWO], TINY, writes=False).batch([0, 1])
    assert data.source.tolist() == [[1, 0], [0, 1]]
    assert data.wanted.tolist() == [[1, IGNORED], [1, 0]]
    assert data.padding_mask.tolist() == [[True, False], [True, True]]
    assert data.written is None


PAIR = Example(("x",), ("b", "a"), start="[start]")
WRITTEN = Dataset((PAIR,), (PAIR,), ("[end]", "[start]", "a", "b", "x"))


def test_a_decoder_reads_what_it_should_have_written_a_place_later():
    data = Numbered([PAIR, Example(("x",), ())], WRITTEN, writes=True).batch([0, 1])
    assert data.wanted.tolist() == [[3, 2, 0], [0, IGNORED, IGNORED]]
    assert data.written[0].tolist() == [1, 3, 2]
    assert data.written[1, 0] == 1


def test_short_examples_share_a_row():
    short = Example(("x",), ("b",), start="[start]")
    long = Example(("a", "b", "x"), ("b", "a", "b"), start="[start]")
    packed = Numbered([short, long, short], WRITTEN, writes=True).packed([0, 1, 2])
    assert packed.source.tolist() == [[2, 3, 4], [4, 4, 0]]
    assert packed.document_ids.tolist() == [[1, 1, 1], [1, 2, 0]]
    assert packed.wanted.tolist() == [[3, 2, 3, 0], [3, 0, 3, 0]]
    assert packed.written.tolist() == [[1, 3, 2, 3], [1, 3, 1, 3]]
    assert packed.target_document_ids.tolist() == [[1, 1, 1, 1], [1, 1, 2, 2]]


def test_examples_do_not_share_a_row_that_only_one_of_their_sides_fits():
    short = Example(("x",), ("b",), start="[start]")
    long = Example(("a", "b", "x"), ("b",), start="[start]")
    assert Numbered([short, long, short], WRITTEN, writes=True).packed([0, 1, 2]).document_ids is None


@pytest.mark.parametrize("task", ["reverse", "induction", "sort"])
def test_rows_of_several_examples_teach_what_rows_of_one_do(task):
    """Loss and gradient of a step, of an encoder, a decoder and an encoder–decoder."""
    function = TASKS.parse(task)
    dataset, learner = draw(function, 200, seed=0), recipe(function)
    config = Config(
        len(dataset.vocabulary),
        dataset.longest,
        d_model=8,
        n_heads=2,
        n_layers=1,
        d_ff=16,
        stack=learner.stack,
    )
    model = new_model(config, seed=0).double()
    data = Numbered(dataset.train, dataset, writes=learner.stack == "both")
    gradients, losses, rows = [], [], []
    for batch in (data.batch(range(40)), data.packed(range(40))):
        logits = model(
            batch.source,
            batch.padding_mask,
            target=batch.written,
            document_ids=batch.document_ids,
            target_document_ids=batch.target_document_ids,
        )
        loss = cross_entropy(
            logits.flatten(0, 1), batch.wanted.flatten(), ignore_index=IGNORED, reduction="sum"
        )
        gradients.append(torch.autograd.grad(loss, list(model.parameters())))
        losses.append(loss.item())
        rows.append(len(batch.source))
    assert rows[1] < rows[0]
    assert losses[1] == pytest.approx(losses[0], rel=1e-12)
    for one, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-9)


def test_a_step_is_computed_on_rows_of_several_examples(monkeypatch):
    training = begin(draw(reverse, 200, seed=0))
    rows, forward = [], training._forward
    monkeypatch.setattr(training, "_forward", lambda x, *a, **k: rows.append(len(x)) or forward(x, *a, **k))
    next(training.run())
    assert rows[0] < SMALL.batch


def test_an_update_is_that_of_torchs_adamw_after_clipping():
    """With gradients longer and shorter than allowed, a rate that changes, and decay."""
    ours, theirs = (torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2)) for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    optimizer = Optimizer(ours, weight_decay=0.1, clip=1.0)
    reference = torch.optim.AdamW(theirs.parameters(), betas=(0.9, 0.98), weight_decay=0.1)
    lengths, generator = [], torch.Generator().manual_seed(0)
    for i in range(20):
        x = torch.randn(5, 3, generator=generator)
        lr = reference.param_groups[0]["lr"] = 0.1 / (1 + i)
        for model in (ours, theirs):
            model.zero_grad()
            ((0.001 if i % 2 else 1) * model(x).square().sum()).backward()
        lengths.append(torch.nn.utils.clip_grad_norm_(theirs.parameters(), 1.0).item())
        optimizer.step(lr)
        reference.step()
    assert min(lengths) < 1 < max(lengths)
    for one, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=0, atol=1e-5)


def test_an_epoch_sees_every_example_once():
    dataset = draw(reverse, 500, seed=0)
    data = Numbered(dataset.train, dataset, writes=False)
    first, second = (np.concatenate(order(data, 50, 0, epoch)) for epoch in (0, 1))
    assert len(first) == len(dataset.train) // 50 * 50 == len(set(first.tolist()))
    assert first.tolist() != second.tolist()
    assert first.tolist() == np.concatenate(order(data, 50, 0, 0)).tolist()
    data.by_length = True
    lengths = [set(data.lengths[batch]) for batch in order(data, 50, 0, 0)]
    assert max(max(found) - min(found) for found in lengths) <= 4  # of 2 to 20, as source and target count


def test_the_longest_texts_are_left_over_no_more_often_than_others():
    """Sorted by length before the rest is cut off, the longest would never be trained on."""
    texts = [Example(("a",) * n, ("a",) * n) for n in range(1, 38)]
    data = Numbered(texts, Dataset(tuple(texts), (), ("a",), tokenizer="{}"), writes=False)
    times = sum(np.bincount(np.concatenate(order(data, 8, 0, epoch)), minlength=37) for epoch in range(100))
    assert times.min() > 70  # of 100 epochs, which see 32 of 37


def test_evaluation_by_hand():
    measured = evaluate(looks_everywhere_and_answers_b(), TINY, Recipe())
    assert measured.exact_match == 1 / 2  # "b" is right as a whole, of "b a" only the first token
    assert measured.n_examples == 2
    assert measured.by_position.tolist() == [1, 0]
    # Logits 0 and 1: "b" has probability e / (1 + e), and is right in two places of three.
    assert measured.loss == pytest.approx(math.log(1 + math.e) - 2 / 3, rel=1e-6)
    # Three queries: one looks at its only key, two at one of two keys.
    np.testing.assert_allclose(measured.expected_mass, [[(1 + 1 / 2 + 1 / 2) / 3] * 2], rtol=1e-15)
    assert measured.uniform_mass == pytest.approx(2 / 3, rel=1e-15)


def test_evaluation_in_several_batches_is_that_of_all_together():
    dataset = draw(reverse, 4000, seed=0)
    model = new(dataset)
    assert len(dataset.held_out) > 128
    whole = evaluate(model, dataset, Recipe())
    single = [
        evaluate(model, Dataset((), (example,), dataset.vocabulary), Recipe()) for example in dataset.held_out
    ]
    n_queries = [len(example.source) for example in dataset.held_out]
    np.testing.assert_allclose(
        whole.expected_mass,
        np.average([one.expected_mass for one in single], axis=0, weights=n_queries),
        rtol=1e-5,
    )
    assert whole.exact_match == np.mean([one.exact_match for one in single])


def test_all_tokens_right_after_the_right_ones_is_what_greedy_writing_gives():
    """What `exact_match` counts, seen by letting a model write that is right about as often as not."""
    drawn = draw(lambda rng: reverse(rng, longest=4), 900, seed=0)
    words = tuple(sorted({*drawn.vocabulary, "[start]", "[end]"}))
    dataset = Dataset(drawn.train, drawn.held_out, words)
    size = len(dataset.vocabulary)
    config = Config(size, dataset.longest, d_model=16, n_heads=2, n_layers=1, d_ff=32, stack="both")
    recipe = Recipe(stack="both", attends="cross")
    training = Training(new_model(config, 0), dataset, recipe, Options(steps=100, lr=0.01, seed=0, batch=32))
    for _ in training.run():
        pass
    reached = training.finish()
    assert 0.05 < reached.exact_match < 0.95
    number = {token: i for i, token in enumerate(dataset.vocabulary)}
    right = 0
    for example in dataset.held_out:
        source = torch.tensor([[number[token] for token in example.source]])
        start = torch.tensor([number["[start]"]])
        (wrote,) = greedy(training.model, source, None, start, number["[end]"], longest=6)
        right += [dataset.vocabulary[i] for i in wrote] == list(example.target)
    assert right / len(dataset.held_out) == reached.exact_match


def test_entities_by_hand():
    assert entities(["B-PER", "I-PER", "O", "B-LOC", "B-LOC"]) == {
        ("PER", 0, 2),
        ("LOC", 3, 4),
        ("LOC", 4, 5),
    }
    assert entities(["I-PER", "I-LOC"]) == {("PER", 0, 1), ("LOC", 1, 2)}
    assert entities(["O"]) == set()


# ---- training ---------------------------------------------------------------------------------------


def test_the_learning_rate_rises_to_its_peak_and_falls_to_nothing():
    rates = {step: cosine(step, 110) for step in (1, 11, 44, 110)}
    assert rates[1] == 1 / 11
    assert rates[11] == 1
    assert rates[44] == pytest.approx((1 + math.cos(math.pi / 3)) / 2, rel=1e-15)  # a third of the way down
    assert rates[110] == 0
    assert cosine(1, 1) == 1


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_schedule_begins_low_and_never_passes_the_peak(name):
    rates = [SCHEDULES[name](step, 200) for step in range(1, 201)]
    assert rates[0] == 1 / 20
    assert max(rates) == 1 == rates[19]
    assert min(rates) >= 0


def test_the_peak_falls_with_the_width():
    assert [peak(d_model) for d_model in (16, 64, 128)] == [0.006, 0.006, 0.003]


def test_training_repeats_bit_for_bit():
    dataset = draw(reverse, SMALL.examples, seed=0)

    def trained(seed):
        training = begin(dataset, seed)
        return list(training.run()), training.model.state_dict()

    (steps, weights), (again, same_weights), (other, _) = trained(0), trained(0), trained(1)
    assert steps == again
    assert all(same_weights[name].equal(weight) for name, weight in weights.items())
    assert steps[0].loss != other[0].loss


def test_every_so_often_and_at_the_end_a_step_is_evaluated():
    dataset = draw(reverse, SMALL.examples, seed=0)
    training = begin(dataset)
    steps = list(training.run())
    assert [step.step for step in steps] == [1, 2, 3, 4]
    assert [step.exact_match is not None for step in steps] == [False, False, True, True]
    assert [step.lr for step in steps] == [SMALL.lr * cosine(n, 4) for n in (1, 2, 3, 4)]
    last = training.finish()
    assert (steps[-1].exact_match, steps[-1].expected_mass) == (last.exact_match, last.expected_mass.max())
    assert steps[-1].held_out_loss == last.loss


def test_a_new_model_leaves_the_global_generator_alone():
    torch.rand(1)  # or it may stand where the last new model would leave it
    before = torch.random.get_rng_state()
    new(draw(reverse, 200, seed=0))
    assert torch.random.get_rng_state().equal(before)


def test_a_loss_that_is_no_number_ends_the_training():
    training = begin(draw(reverse, SMALL.examples, seed=0))
    torch.nn.init.constant_(training.model.unembedding.bias, torch.nan)
    with pytest.raises(InputError, match=r"^the loss is nan after 1 steps"):
        list(training.run())


def test_a_running_mean_of_the_weights_is_what_is_kept():
    dataset = draw(reverse, SMALL.examples, seed=0)
    training = begin(dataset, average=0.9)
    mean = {name: x.clone() for name, x in training.model.state_dict().items()}
    for n, _ in enumerate(training.run(), start=1):
        decay = min(0.9, (1 + n) / (10 + n))
        mean = {name: decay * x + (1 - decay) * training.model.state_dict()[name] for name, x in mean.items()}
    training.finish()
    for name, x in training.model.state_dict().items():
        torch.testing.assert_close(x, mean[name], rtol=1e-5, atol=1e-7)


def test_patience_ends_a_training_that_no_longer_helps_and_keeps_the_best():
    dataset = draw(reverse, SMALL.examples, seed=0)
    training = begin(dataset, steps=400, lr=1.0, patience=2, evaluate_every=1)
    losses = [step.held_out_loss for step in training.run()]
    assert len(losses) < 400
    assert len(losses) - 1 - losses.index(min(losses)) == 2
    assert training.finish().loss == pytest.approx(min(losses), rel=1e-6)


def test_a_training_goes_on_as_if_nothing_had_happened():
    dataset = draw(reverse, SMALL.examples, seed=0)
    config = Config(10, dataset.longest, d_model=8, n_heads=2, n_layers=2, d_ff=16, dropout=0.2)
    options = Options(steps=9, lr=0.01, seed=0, batch=16, evaluate_every=2, average=0.9, patience=5)

    def new_training():
        return Training(new_model(config, 0), dataset, Recipe(), options)

    whole = new_training()
    steps = list(whole.run())
    first, second = new_training(), new_training()
    going = first.run()
    for _ in range(5):
        next(going)
    tensors, figures = state(first)
    resume(second, {name: x.clone() for name, x in tensors.items()}, figures)
    assert list(second.run()) == steps[5:]
    assert second.history == steps
    for name, x in state(whole)[0].items():
        assert state(second)[0][name].equal(x), name


def test_pieces_of_a_batch_give_the_gradient_of_the_whole():
    dataset = draw(reverse, SMALL.examples, seed=0)
    losses = [[step.loss for step in begin(dataset, accumulate=n, batch=8).run()] for n in (1, 4)]
    np.testing.assert_allclose(losses[0], losses[1], rtol=1e-5)


def test_a_tokenizer_is_the_same_however_rare_characters_are_spelled():
    """Where é was spelled with two characters, chance decided which of the rarest had a piece."""
    sentences = ["ab ab▁ab▁ab e\u0301 e\u0301", *(chr(0x4E00 + i) for i in range(50))]
    several = [new_tokenizer(sentences, 100) for _ in range(5)]
    assert len({tokenizer.to_str() for tokenizer in several}) == 1
    assert set(several[0].get_vocab()) == {*"abé▁", "[unk]", "ab", "▁ab", "▁é"}
