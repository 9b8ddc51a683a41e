"""What a recording is as a whole: steps, tokens, choices, bounds, and that the program does not feel it."""

import copy
import math
import threading

import numpy as np
import pytest
import torch
from attn_cli.attention import layers
from attn_cli.attention.recorder import label, record, recording
from attn_cli.attention.recording.store import Memory, Wanted
from attn_cli.errors import AttnNote, InputError
from attn_cli.records.attention import Attention
from torch import nn
from torch.autograd import Variable
from torch.nn.functional import cross_entropy, scaled_dot_product_attention
from torch.utils.checkpoint import checkpoint


class Block(nn.Module):
    """Causal attention, fused or by hand, with a cache if one is given."""

    def __init__(self, d=8, n_heads=2, by_hand=False, dropout=0.0):
        super().__init__()
        self.qkv, self.out, self.n_heads = nn.Linear(d, 3 * d), nn.Linear(d, d), n_heads
        self.by_hand, self.dropout = by_hand, nn.Dropout(dropout)

    def forward(self, x, cache=None):
        q, k, v = (y.unflatten(-1, (self.n_heads, -1)).transpose(1, 2) for y in self.qkv(x).chunk(3, dim=-1))
        if cache is not None:
            k, v = (
                torch.cat([old, new], dim=2)
                for old, new in zip(cache.get(self, (k[:, :, :0], v[:, :, :0])), (k, v), strict=True)
            )
            cache[self] = k, v
        allowed = torch.ones(q.shape[2], k.shape[2]).tril(k.shape[2] - q.shape[2]).bool()
        if self.by_hand:
            scores = (q @ k.mT / math.sqrt(q.shape[-1])).masked_fill(~allowed, -torch.inf)
            y = self.dropout(scores.softmax(-1)) @ v
        else:
            y = scaled_dot_product_attention(
                q, k, v, attn_mask=allowed, dropout_p=self.dropout.p if self.training else 0.0
            )
        return x + self.out(y.transpose(1, 2).flatten(2))


class Model(nn.Module):
    def __init__(self, n_layers=2, **options):
        super().__init__()
        torch.manual_seed(0)
        self.token = nn.Embedding(11, 8)
        self.blocks = nn.ModuleList(Block(**options) for _ in range(n_layers))
        self.head = nn.Linear(8, 11)

    def forward(self, tokens, cache=None):
        x = self.token(tokens)
        for block in self.blocks:
            x = block(x, cache)
        return self.head(x)


TOKENS = torch.tensor([[3, 1, 4, 1, 5], [9, 2, 6, 5, 3]])


def write(model, tokens, n, cache=True):
    """Greedy, token by token."""
    model.eval()
    kept = {} if cache else None
    with torch.no_grad():
        for _ in range(n):
            seen = 0 if not kept else next(iter(kept.values()))[0].shape[2]
            tokens = torch.cat([tokens, model(tokens[:, seen:], kept)[:, -1:].argmax(-1)], dim=1)
    return tokens


# ---- the program does not feel it -----------------------------------------------------------------------------


def train(model, steps=3):
    """A training as it leaves everything: losses, gradients, weights, moments, and the next random number."""
    torch.manual_seed(1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    left = []
    for _ in range(steps):
        tokens = torch.randint(11, (2, 6))
        loss = cross_entropy(model(tokens[:, :-1]).flatten(0, 1), tokens[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        left += [loss.detach(), *(p.grad.clone() for p in model.parameters())]
    moments = [x for state in optimizer.state.values() for x in state.values()]
    return [*left, *(p.detach() for p in model.parameters()), *moments, torch.rand(4)]


@pytest.mark.parametrize("by_hand", [False, True])
@pytest.mark.parametrize("keep", ["maps", "rows", "figures"])
def test_a_training_is_the_same_to_the_last_bit(by_hand, keep):
    alone = train(Model(by_hand=by_hand, dropout=0.2))
    with record(keep=keep) as seen:
        watched = train(Model(by_hand=by_hand, dropout=0.2))
    assert all(map(torch.equal, alone, watched))
    assert seen[0].calls == 3
    assert seen.steps == [0, 1, 2]


@pytest.mark.parametrize("by_hand", [False, True])
def test_writing_is_the_same_and_is_one_step(by_hand):
    model = Model(by_hand=by_hand)
    alone = write(model, TOKENS, 6)
    with record() as seen:
        watched = write(model, TOKENS, 6)
    assert torch.equal(alone, watched)
    with record() as at_once, torch.no_grad():
        model(alone[:, :-1])
    assert seen.steps == [0]
    found, wanted = seen.attention(), at_once.attention()
    np.testing.assert_allclose(found.weights, wanted.weights, atol=1e-6)
    np.testing.assert_array_equal(found.mask, wanted.mask)
    assert seen[0].queries == (1, 5)


def test_what_goes_wrong_in_a_program_goes_wrong_and_what_was_seen_stays():
    model, seen = Model(), None

    def program():
        nonlocal seen
        with record() as seen:
            model(TOKENS)
            model(torch.tensor([[11]]))

    with pytest.raises(IndexError):
        program()
    assert seen.attention().weights.shape == (2, 2, 5, 5)
    with record() as again:
        model(TOKENS)
    assert again[0].module == "blocks.0"


def test_nothing_stays_behind():
    model, compile_ = Model(), torch.compile
    with record() as seen:
        model(TOKENS)
    before = seen[0].calls
    model(TOKENS)
    assert seen[0].calls == before
    assert torch.compile is compile_
    assert torch._C._len_torch_function_stack() == 0
    assert not torch.nn.modules.module._global_forward_hooks


def test_a_softmax_written_as_exp_and_sum_is_not_seen_and_the_cure_is_said():
    x = torch.rand(1, 3, 4)
    with record() as seen:
        e = (x @ x.mT).exp()
        weights = e / e.sum(-1, keepdim=True)
        assert (weights @ x).shape == x.shape
    with pytest.raises(
        InputError, match=r"no attention was recorded; .* attn.Attention.of\(weights, tokens\)$"
    ):
        seen.attention()
    assert Attention.of(weights, "a b c").weights.shape == (1, 1, 3, 3)


def test_what_cannot_be_recorded_does_not_stop_the_program():
    nan = torch.full((1, 1, 2, 2), torch.nan)
    with pytest.warns(AttnNote, match="not recorded .its weights are not finite"), record() as seen:
        scaled_dot_product_attention(nan, nan, nan)
    assert len(seen.remarks) == 1
    with pytest.raises(InputError, match="no attention was recorded"):
        seen.attention()


@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors")
def test_a_nested_tensor_is_recorded_as_long_as_its_example_is():
    examples = torch.rand(3, 4), torch.rand(2, 4)
    nested = (
        torch.nested.nested_tensor(list(examples), layout=torch.jagged).unflatten(-1, (2, 2)).transpose(1, 2)
    )
    with record(example=1) as seen:
        scaled_dot_product_attention(nested, nested, nested)
    x = examples[1].unflatten(-1, (2, 2)).transpose(0, 1)
    np.testing.assert_allclose(seen.attention().weights[0], (x @ x.mT / 2**0.5).softmax(-1), atol=1e-6)


def by_the_engine(loss):
    """As a program that calls autograd's engine itself: PyTorch's own functions switch watching off before."""
    Variable._execution_engine.run_backward(
        (loss,), (torch.ones(()),), False, False, (), allow_unreachable=True, accumulate_grad=True
    )


@pytest.mark.parametrize("reentrant", [False, True])
@pytest.mark.parametrize("backward", [torch.Tensor.backward, by_the_engine])
def test_what_a_checkpoint_computes_again_is_not_seen_again(backward, reentrant):
    class Twice(Model):
        def forward(self, tokens):
            x = self.token(tokens)
            for block in self.blocks:
                x = checkpoint(block, x, use_reentrant=reentrant)
            return self.head(x)

    model = Twice()
    with record() as seen:
        backward(model(TOKENS).sum())
    assert [row.calls for row in seen] == [1, 1]


def test_other_threads_do_not_disturb():
    model, other = Model(), Model()

    def watched():
        with record() as seen:
            thread = threading.Thread(target=lambda: other(TOKENS))
            thread.start()
            model(TOKENS)
            thread.join()
        return seen

    with pytest.warns(AttnNote, match="ran in another thread were not recorded"):
        seen = watched()
    assert [row.module for row in seen] == ["blocks.0", "blocks.1"]


def in_thread(task):
    thread = threading.Thread(target=task)
    thread.start()
    thread.join()


def test_of_a_whole_program_threads_are_followed_one_after_the_other():
    model, written = Model(), []

    def fails():
        with pytest.raises(IndexError):
            model(TOKENS + 100)

    with recording(Memory(Wanted()), threads=True) as seen:
        model(TOKENS)
        in_thread(lambda: written.append(write(model, TOKENS[:, :2], 3)))
        model(TOKENS)
        in_thread(fails)
    assert [row.calls for row in seen] == [5, 5]
    assert [seen.attention(step=step).weights.shape[2] for step in seen.steps] == [5, 4, 5]
    assert torch.equal(written[0], write(model, TOKENS[:, :2], 3))


def test_threads_at_once_are_not_mixed_up():
    model, other = Model(), Model(n_layers=1)
    model.blocks[0].register_forward_hook(lambda *_: in_thread(lambda: other(TOKENS)))

    def watched():
        with recording(Memory(Wanted()), threads=True) as seen:
            model(TOKENS)
        return seen

    with pytest.warns(AttnNote, match="in several threads at once: only one"):
        seen = watched()
    assert [(row.module, row.calls) for row in seen] == [("blocks.0", 1), ("blocks.1", 1)]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_compiled_code_runs_uncompiled_and_says_so():
    before = torch.compile(Model(), backend="eager")
    with pytest.warns(AttnNote, match=r"torch\.compile"), record() as seen:
        watched = torch.compile(Model(), backend="eager")(TOKENS)
    assert torch.equal(watched, Model()(TOKENS))
    assert [row.module for row in seen] == ["blocks.0", "blocks.1"]
    with pytest.warns(AttnNote, match=r"torch\.compile"), record() as seen:
        before(TOKENS)
    assert [row.module for row in seen] == ["blocks.0", "blocks.1"]
    function = torch.compile(lambda x: nn.functional.scaled_dot_product_attention(x, x, x), backend="eager")
    with pytest.warns(AttnNote, match=r"torch\.compile"), record() as seen:
        function(torch.eye(3)[None])
    assert len(seen) == 1
    assert torch._dynamo.eval_frame._stance.stance == "default"


# ---- steps ----------------------------------------------------------------------------------------------------


def test_steps_of_a_training_stay_apart_and_one_is_picked():
    model, x = Model(), TOKENS
    wanted = []
    with record() as seen:
        for _ in range(3):
            model(x)
            with record() as one:
                model(x)
            wanted.append(one.attention().weights)
            with torch.no_grad():
                model.token.weight += 0.5
    # each step was computed twice: the recorder within saw one of them, as did that around it
    assert seen.steps == list(range(6))
    np.testing.assert_array_equal(seen.attention(step=2).weights, wanted[1])
    np.testing.assert_array_equal(seen.attention().weights, wanted[2])
    assert "step 2" in seen.attention(step=2).provenance
    with pytest.raises(InputError, match="no step 7"):
        seen.attention(step=7)


def test_two_texts_are_two_steps_even_if_they_begin_alike():
    model = Model()
    with record() as seen:
        first = write(model, TOKENS[:, :2], 3)
        second = write(model, TOKENS[:, :2], 5)
    assert seen.steps == [0, 1]
    assert seen.attention(step=0).weights.shape[2] == first.shape[1] - 1
    assert seen.attention(step=1).weights.shape[2] == second.shape[1] - 1


def test_a_text_is_one_step_where_gradients_were_not_switched_off():
    model = Model().eval()
    cache, tokens = {}, TOKENS[:, :2]
    with record() as seen:
        for _ in range(3):
            n_seen = 0 if not cache else next(iter(cache.values()))[0].shape[2]
            tokens = torch.cat([tokens, model(tokens[:, n_seen:], cache)[:, -1:].argmax(-1)], dim=1)
    assert (seen.steps, seen.attention().weights.shape[2:]) == ([0], (4, 4))


def test_texts_that_change_places_are_said_to():
    model, cache = Model().eval(), {}

    def written():
        with record(), torch.no_grad():
            model(TOKENS[:, :2], cache)
            cache.update({block: tuple(x.flip(0) for x in pair) for block, pair in cache.items()})
            model(TOKENS[:, 2:3], cache)

    with pytest.warns(AttnNote, match="num_beams=1"):
        written()


def test_without_a_cache_every_token_is_a_step():
    with record() as seen:
        write(Model(), TOKENS[:, :2], 3, cache=False)
    assert [seen.attention(step=step).weights.shape[2] for step in seen.steps] == [2, 3, 4]


def test_choices():
    model = Model(n_layers=3)
    with record(layers=[0, 2], heads=1, steps=slice(2, 8), every=3) as seen:
        for _ in range(10):
            model(TOKENS)
    with record() as one:
        model(TOKENS)
    assert seen.steps == [2, 5]
    found = seen.attention()
    assert (found.layers, found.heads) == ((0, 2), (1,))
    np.testing.assert_array_equal(found.weights, one.attention().weights[[0, 2]][:, [1]])
    assert [row.kept for row in seen] == [2, 0, 2]
    assert [row.calls for row in seen] == [10] * 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"every": 0},
        {"keep": "all"},
        {"layers": []},
        {"heads": -1},
        {"example": -1},
        {"steps": slice(0, 9, 2)},
    ],
)
def test_choices_that_cannot_be(wrong):
    with pytest.raises(InputError), record(**wrong):
        pass


def test_ever_fewer_steps_are_kept_when_they_take_too_much_memory():
    model = Model()
    one = 2 * (2 * 5 * 5 * 4 + 25)  # layers · (heads · queries · keys · 4 bytes, and the mask)
    with pytest.warns(AttnNote, match="every 4th step"), record(most_bytes=5 * one) as seen:
        [model(TOKENS) for _ in range(16)]
    assert seen.steps == [0, 4, 8, 12]
    assert [(row.calls, row.kept) for row in seen] == [(16, 4), (16, 4)]
    with pytest.warns(AttnNote, match="one step takes more"), record(most_bytes=100) as seen:
        model(TOKENS)
    assert len(seen) == 2


# ---- maps, rows, figures --------------------------------------------------------------------------------------


@pytest.mark.parametrize("by_hand", [False, True])
def test_many_weights_are_pooled_from_the_calls_own_vectors(by_hand, monkeypatch):
    model, tokens = Model(by_hand=by_hand), torch.randint(11, (1, 70))
    with record() as every:
        model(tokens)
    monkeypatch.setattr(layers, "MOST_DENSE", 100)
    with record() as pooled:
        model(tokens)
    with record(keep="rows") as rows:
        model(tokens)
    weights, maps, coarse = (seen.attention() for seen in (every, pooled, rows))
    np.testing.assert_allclose(maps.weights, weights.weights, atol=1e-6)  # 70 tokens have a cell each
    assert coarse.weights.shape == (2, 2, 32, 32)
    assert coarse.pooled
    for record_ in (maps, coarse):
        np.testing.assert_allclose(record_.mass, weights.weights.sum(2), atol=1e-5)
        np.testing.assert_allclose(record_.top_weights[..., 0], weights.weights.max(-1), atol=1e-6)
    cells = [
        sum(weights.weights[..., i, :].mean(-1) for i in cell) / len(cell) for cell in coarse.query_cells
    ]
    np.testing.assert_allclose(coarse.weights.mean(-1)[..., 0], cells[0], atol=2e-3)


def test_figures_of_each_head_at_each_step():
    model = Model()
    with record() as every:
        model(TOKENS)
    with record(keep="figures") as seen:
        model(TOKENS)
        model(TOKENS)
    rows, weights = list(seen.figures().rows()), every.attention().weights
    assert len(rows) == 2 * 2 * 2
    assert (rows[3]["step"], rows[3]["module"], rows[3]["head"]) == (0, "blocks.1", 1)
    np.testing.assert_allclose(rows[3]["first key"], weights[1, 1, :, 0].mean(), atol=1e-6)
    np.testing.assert_allclose(rows[3]["heaviest"], weights[1, 1].max(-1).mean(), atol=1e-6)
    entropy = -(weights * np.log(np.where(weights == 0, 1, weights))).sum(-1)
    np.testing.assert_allclose(rows[3]["entropy"], entropy[1, 1].mean(), atol=1e-6)
    with pytest.raises(InputError, match="only figures"):
        seen.attention()


# ---- tokens and places ----------------------------------------------------------------------------------------


def test_tokens_are_given_or_told_or_numbers():
    model = Model()
    with record() as seen:
        model(TOKENS)
        label("abcde")
        model(TOKENS)
        label("ABCDE")
        model(TOKENS)
        label(["too", "short"])
        model(TOKENS[:, :3])
    names = ["".join(seen.attention(step=step).query_tokens) for step in range(4)]
    assert names == ["abcde", "abcde", "ABCDE", "012"]
    assert seen.attention(list("vwxyz"), step=0).key_tokens == tuple("vwxyz")
    with pytest.raises(InputError, match="2 tokens for 5"):
        seen.attention(["a", "b"], step=0)


def test_tokens_of_both_sides():
    q, k = torch.rand(1, 1, 2, 4), torch.rand(1, 1, 3, 4)
    with record() as seen:
        label("xyz")
        label("ab")
        scaled_dot_product_attention(q, k, k)
    found = seen.attention()
    assert (found.kind, found.query_tokens, found.key_tokens) == ("cross", tuple("ab"), tuple("xyz"))
    assert seen.attention(["1", "2"], ["3", "4", "5"]).key_tokens == tuple("345")


def test_code_without_a_module_is_called_by_its_function():
    def attend(x):
        return scaled_dot_product_attention(x, x, x)

    with record(name="lesson.py") as seen:
        attend(torch.rand(1, 2, 3, 4))
        attend(torch.rand(1, 2, 3, 4))
    assert seen[0].module.startswith("attend (test_recorder.py:")
    assert (len(seen), seen.steps) == (1, [0, 1])
    assert seen.attention().provenance.startswith("recorded from lesson.py: attend (")


def test_several_models_are_told_apart():
    with record() as seen:
        Model()(TOKENS)
        other = Model(n_heads=4)
        other(TOKENS)
    assert [row.module for row in seen] == [
        "Model.blocks.0",
        "Model.blocks.1",
        "Model 2.blocks.0",
        "Model 2.blocks.1",
    ]
    assert seen.attention(module="Model 2.*").weights.shape[1] == 4
    with pytest.warns(
        AttnNote, match=r"2 layers of 4 heads, .* \(Model 2.blocks.0\); choose with module NAME"
    ):
        assert seen.attention().weights.shape[1] == 2
    with pytest.raises(InputError, match="no module 'x'"):
        seen.attention(module="x")


def test_a_part_that_ran_alone_first_is_called_as_in_the_whole():
    model = Model()
    with record() as seen:
        model.blocks[1](torch.rand(1, 3, 8))
        model(TOKENS)
    assert {row.module for row in seen} == {"blocks.0", "blocks.1"}


def test_one_module_that_serves_several_layers():
    class Shared(Model):
        def forward(self, tokens):
            x = self.token(tokens)
            for _ in range(3):
                x = self.blocks[0](x)
            return x

    with record() as seen:
        Shared(n_layers=1)(TOKENS)
    assert seen.attention().layers == (0, 1, 2)


def test_two_attentions_in_one_module():
    class Both(nn.Module):
        def forward(self, x, y):
            scaled_dot_product_attention(x, x, x)
            return scaled_dot_product_attention(x, y, y)

    with record() as seen:
        Both()(torch.rand(1, 1, 3, 4), torch.rand(1, 1, 5, 4))
    assert [(row.module, row.kind) for row in seen] == [("Both", "self"), ("Both", "cross")]


def test_the_list_as_a_table():
    with record() as seen:
        Model()(TOKENS)
    lines = repr(seen).splitlines()
    assert " ".join(lines[0].split()) == "module layer kind calls kept heads queries keys mask computed by on"
    found = "blocks.0 0 decoder 1 1 2 5 5 causal scaled_dot_product_attention cpu float32"
    assert " ".join(lines[1].split()) == found


def test_models_can_be_copied_and_forgotten_while_they_are_recorded():
    with record() as seen:
        for _ in range(3):
            copy.deepcopy(Model())(TOKENS)
    assert len(seen) == 6
