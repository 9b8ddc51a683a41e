"""Recording programs: fused, of torch's own modules, flexible, and written by hand, against NumPy and torch's own words."""

import math

import numpy as np
import pytest
import torch
from attn_cli.attention.recorder import record
from attn_cli.errors import AttnNote
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn.attention.bias import causal_lower_right
from torch.nn.attention.flex_attention import create_block_mask, flex_attention
from torch.nn.functional import scaled_dot_product_attention


def softmax(scores):
    e = np.exp(scores - scores.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def vectors(*shape, seed=0, grad=False):
    x = torch.tensor(np.random.default_rng(seed).normal(size=shape), dtype=torch.float32)
    return x.requires_grad_(grad)


def weights_of(seen, **chosen):
    return seen.attention(**chosen).weights


# ---- the fused function ---------------------------------------------------------------------------------------


def test_weights_that_one_can_work_out():
    """q = [0, √2], keys [1, 0] and [0, 1]: scores 0 and 1, weights 1 / (1 + e) and e / (1 + e)."""
    q, k = torch.tensor([[[[0.0, 2**0.5]]]]), torch.eye(2)[None, None]
    with record() as seen:
        scaled_dot_product_attention(q, k, k)
    np.testing.assert_allclose(
        weights_of(seen)[0, 0, 0], [1 / (1 + math.e), math.e / (1 + math.e)], rtol=1e-6
    )


@given(
    n_query=st.integers(1, 5),
    n_key=st.integers(1, 5),
    groups=st.sampled_from([1, 2]),
    mask=st.sampled_from(["none", "causal", "allowed", "added", "of heads"]),
    scale=st.sampled_from([None, 0.3]),
    example=st.integers(0, 1),
)
def test_the_fused_function_in_all_its_forms(n_query, n_key, groups, mask, scale, example):
    q, k = vectors(2, 4, n_query, 6), vectors(2, 4 // groups, n_key, 6, seed=1)
    options = {"scale": scale, "enable_gqa": groups > 1}
    wide = np.repeat(k.numpy(), groups, axis=1)
    scores = np.einsum("bhqd,bhkd->bhqk", q.numpy(), wide).astype(float) * (scale or 6**-0.5)
    if mask == "causal":
        options["is_causal"] = True
        scores[:, :, np.arange(n_query)[:, None] < np.arange(n_key)] = -np.inf
    elif mask == "allowed":
        allowed = np.random.default_rng(2).random((2, 1, n_query, n_key)) < 0.6
        allowed[..., 0] = True
        options["attn_mask"] = torch.tensor(allowed)
        scores[~np.broadcast_to(allowed, scores.shape)] = -np.inf
    elif mask in ("added", "of heads"):
        shape = (n_query, n_key) if mask == "added" else (4, n_query, n_key)
        options["attn_mask"] = vectors(*shape, seed=3)
        scores = scores + options["attn_mask"].numpy()
    with record(example=example) as seen:
        scaled_dot_product_attention(q, k, k, **options)
    np.testing.assert_allclose(weights_of(seen)[0], softmax(scores)[example], atol=1e-6)


def test_half_a_mask_of_numbers_so_low_that_they_forbid_but_not_a_whole_row():
    """As the softmax of the program: equal weights, where all keys of a query are as low."""
    low = torch.finfo(torch.float32).min
    mask = torch.tensor([[0.0, low], [low, low]])
    with record() as seen:
        scaled_dot_product_attention(
            vectors(1, 1, 2, 3), vectors(1, 1, 2, 3), vectors(1, 1, 2, 3), attn_mask=mask
        )
    assert weights_of(seen)[0, 0].tolist() == [[1, 0], [0.5, 0.5]]


def test_a_causal_bias_that_aligns_the_ends():
    q, k = vectors(1, 2, 2, 4), vectors(1, 2, 5, 4)
    with record() as seen:
        scaled_dot_product_attention(q, k, k, attn_mask=causal_lower_right(2, 5))
    assert (weights_of(seen)[0, :, 0] > 0).tolist() == [[True] * 4 + [False]] * 2
    assert seen[0].masked == "causal"


def test_dropout_is_named_and_the_weights_are_those_before_it():
    x = vectors(1, 1, 4, 2)
    with record() as seen:
        scaled_dot_product_attention(x, x, x, dropout_p=0.5)
    np.testing.assert_allclose(weights_of(seen).sum(-1), 1, rtol=1e-6)
    assert seen[0].dropout == 0.5
    assert "weights before dropout" in seen.attention().provenance


def test_two_and_three_axes():
    x = vectors(5, 3)
    with record() as seen:
        scaled_dot_product_attention(x, x, x)
    with record() as of_a_batch:
        scaled_dot_product_attention(x[None], x[None], x[None])
    assert weights_of(seen).shape == (1, 1, 5, 5)
    np.testing.assert_array_equal(weights_of(of_a_batch), weights_of(seen))


def test_autocast_halves_what_it_halves():
    q, k = vectors(1, 1, 3, 8), vectors(1, 1, 3, 8, seed=1)
    with torch.autocast("cpu", torch.bfloat16), record() as seen:
        scaled_dot_product_attention(q, k, k)
    halves = [x.bfloat16().float().numpy()[0, 0] for x in (q, k)]
    np.testing.assert_allclose(weights_of(seen)[0, 0], softmax(halves[0] @ halves[1].T / 8**0.5), atol=1e-6)


# ---- torch's own modules --------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize(
    "form", ["plain", "added keys", "other widths", "masks", "padding", "of heads", "no batch"]
)
def test_multi_head_attention_gives_what_it_says_itself(form, batch_first):
    torch.manual_seed(0)
    extra = {"add_bias_kv": True, "add_zero_attn": True} if form == "added keys" else {}
    extra |= {"kdim": 5, "vdim": 7} if form == "other widths" else {}
    mha = nn.MultiheadAttention(8, 4, batch_first=batch_first, **extra)
    for parameter in mha.parameters():
        nn.init.normal_(parameter)
    q, k, v = (
        vectors(2, n, d, seed=n) for n, d in ((3, 8), (6, extra.get("kdim", 8)), (6, extra.get("vdim", 8)))
    )
    options = {}
    if form == "masks":
        options = {"attn_mask": torch.ones(3, 6).triu(2).bool()}
    elif form == "padding":
        padding = torch.tensor([[0.0] * 6, [0.0] * 4 + [-torch.inf] * 2])
        options = {"key_padding_mask": padding, "attn_mask": vectors(3, 6)}
    elif form == "of heads":
        options = {"attn_mask": vectors(8, 3, 6)}
    if form == "no batch":
        q, k, v = q[1], k[1], v[1]
    elif not batch_first:
        q, k, v = (x.transpose(0, 1) for x in (q, k, v))
    _, wanted = mha(q, k, v, average_attn_weights=False, **options)
    for needed in (True, False):
        with record(example=1) as seen:
            mha(q, k, v, need_weights=needed, **options)
        found = seen.attention()
        np.testing.assert_allclose(
            found.weights[0], wanted[-1 if form != "no batch" else slice(None)].detach(), atol=1e-6
        )
        assert found.kind == "cross"


def test_self_attention_is_known_where_query_and_key_are_the_same_or_equal():
    mha, x = nn.MultiheadAttention(8, 2, batch_first=True), vectors(1, 4, 8)
    with record() as seen:
        mha(x, x, x)
        mha(x + 0, x + 0, x)
        mha(x, x.flip(1), x)
    assert [seen.attention(step=step).kind for step in range(3)] == ["self"] * 3  # by the first call
    with record() as crossing:
        mha(x, x.flip(1), x)
    assert crossing.attention().kind == "cross"


@pytest.mark.filterwarnings("ignore:PyTorch does not take:attn_cli.errors.AttnNote")
@pytest.mark.parametrize("training", [True, False])
def test_a_transformer_in_training_and_in_evaluation(training):
    torch.manual_seed(0)
    model = nn.Transformer(8, 2, 2, 2, 16, dropout=0.2, batch_first=True).train(training)
    source, target = vectors(2, 5, 8), vectors(2, 3, 8, seed=1)
    mask = nn.Transformer.generate_square_subsequent_mask(3)
    wanted, hooks = {}, []
    for name, part in model.named_modules():
        if isinstance(part, nn.MultiheadAttention):
            hooks.append(part.register_forward_pre_hook(asks_for_weights(wanted, name), with_kwargs=True))
    model(source, target, tgt_mask=mask)
    for hook in hooks:
        hook.remove()
    torch.manual_seed(7)
    alone = model(source, target, tgt_mask=mask)
    torch.manual_seed(7)
    with record() as seen:
        watched = model(source, target, tgt_mask=mask)
    assert torch.equal(alone, watched)
    assert {row.module for row in seen} == set(wanted)
    assert {row.kind for row in seen} == {"encoder", "decoder", "cross"}
    if not training:  # where dropout makes later layers others each time
        for name, weights in wanted.items():
            np.testing.assert_allclose(weights_of(seen, module=name)[0], weights, atol=1e-6)


def asks_for_weights(found, name):
    def ask(part, given, options):
        options = {**options, "need_weights": True, "average_attn_weights": False}
        found[name] = part.forward(*given, **options)[1][0].detach()

    return ask


def test_the_fast_path_is_noticed_and_said():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    model, x = nn.TransformerEncoder(layer, 2).eval(), vectors(2, 5, 8)
    with torch.no_grad():
        alone = model(x)
        with pytest.warns(AttnNote, match="fast path"), record() as seen:
            watched = model(x)
    torch.testing.assert_close(alone, watched, rtol=0, atol=1e-6)
    assert len(seen) == 2
    with record() as quiet:
        model.train()(x)
    assert not quiet.remarks


# ---- flexible attention ---------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("compiled", [False, True])
def test_flexible_attention_with_functions_for_scores_and_masks(compiled):
    q, k = vectors(2, 4, 8, 16), vectors(2, 2, 8, 16, seed=1)
    slope = torch.tensor([0.5, 0.25, 0.125, 0.0625])
    mask = create_block_mask(lambda b, h, i, j: j <= i + b, None, None, 8, 8, device="cpu")
    attend = torch.compile(flex_attention, backend="eager") if compiled else flex_attention
    options = {
        "score_mod": lambda s, b, h, i, j: s - slope[h] * (i - j),
        "block_mask": mask,
        "enable_gqa": True,
    }
    alone = flex_attention(q, k, k, **options)
    with record(example=1) as seen:
        watched = attend(q, k, k, **options)
    assert torch.equal(alone, watched)
    i, j = np.arange(8)[:, None], np.arange(8)
    scores = np.einsum("hqd,hkd->hqk", q[1].numpy(), np.repeat(k[1].numpy(), 2, 0)) / 4
    scores = np.where(j <= i + 0, scores - slope.numpy()[:, None, None] * (i - j), -np.inf)
    if mask.mask_mod(
        torch.tensor(1), torch.tensor(0), torch.tensor(0), torch.tensor(1)
    ):  # the mask of example 1
        plus = np.einsum("hqd,hkd->hqk", q[1].numpy(), np.repeat(k[1].numpy(), 2, 0)) / 4
        scores = np.where(j <= i + 1, plus - slope.numpy()[:, None, None] * (i - j), -np.inf)
    np.testing.assert_allclose(weights_of(seen)[0], softmax(scores), atol=1e-6)
    assert seen[0].masked == "mask function + score function"
    assert seen[0].kv_heads == 2


# ---- written by hand ------------------------------------------------------------------------------------------


class ByHand(nn.Module):
    """Attention in the manner of minGPT; how softmax, dropout and the product are written is chosen."""

    def __init__(self, manner, n_heads=4, d=8):
        super().__init__()
        self.manner, self.n_head = manner, n_heads
        self.c_attn, self.drop = nn.Linear(d, 3 * d), nn.Dropout(0.3, inplace="in place" in manner)

    def forward(self, x):
        q, k, v = (
            part.unflatten(-1, (self.n_head, -1)).transpose(1, 2) for part in self.c_attn(x).chunk(3, dim=-1)
        )
        scores = (q @ k.transpose(-2, -1)) / math.sqrt(k.shape[-1])
        scores = scores.masked_fill(torch.ones(x.shape[1], x.shape[1]).triu(1).bool(), -torch.inf)
        return MANNERS[self.manner](self, scores, v)


def folded(module, scores, v):
    weights = module.drop(scores.flatten(0, 1).softmax(-1))
    return torch.bmm(weights, v.flatten(0, 1)).unflatten(0, v.shape[:2])


def turned(module, scores, v):
    weights = nn.Softmax(dim=-1)(scores).flatten(0, 1)
    return (
        torch.bmm(v.flatten(0, 1).transpose(1, 2), module.drop(weights).permute(0, 2, 1))
        .unflatten(0, v.shape[:2])
        .mT
    )


def heads_last(module, scores, v):
    weights = torch.softmax(scores.permute(0, 2, 1, 3), dim=3)  # [batch, query, head, key]
    return torch.einsum("bqhk,bhkd->bhqd", module.drop(weights), v)


def of_any_axis(module, scores, v):
    weights = nn.functional.softmax(
        scores.permute(2, 3, 0, 1), dim=1
    )  # [query, key, batch, head], as in Transformer-XL
    return torch.einsum("ijbn,bnjd->bnid", (module.drop(weights), v))


MANNERS = {
    "@": lambda m, s, v: m.drop(nn.functional.softmax(s, dim=-1)) @ v,
    "in place": lambda m, s, v: m.drop(nn.functional.softmax(s, dim=-1)) @ v,
    "torch.matmul": lambda m, s, v: torch.matmul(m.drop(torch.softmax(s, -1)), v),
    "cast": lambda m, s, v: m.drop(nn.functional.softmax(s, dim=-1, dtype=torch.float64).to(v.dtype)).matmul(
        v
    ),
    "type_as": lambda m, s, v: m.drop(nn.functional.softmax(s.float(), dim=-1).type_as(s)) @ v,
    "einsum": lambda m, s, v: torch.einsum("b h i j, b h j d -> b h i d", m.drop(s.softmax(dim=-1)), v),
    "einsum, dots": lambda m, s, v: torch.einsum("...qk,...kd->...qd", m.drop(s.softmax(-1)), v),
    "by name": lambda m, s, v: torch.matmul(input=m.drop(s.softmax(-1)), other=v),
    "masked again": lambda m, s, v: torch.where(s > -torch.inf, m.drop(s.softmax(-1)).tril() + 0, 0) @ v,
    "bmm": folded,
    "bmm, turned": turned,
    "einsum, heads last": heads_last,
    "einsum, axis 1": of_any_axis,
}


@pytest.mark.parametrize("manner", MANNERS)
def test_attention_written_by_hand_in_every_manner(manner):
    torch.manual_seed(0)
    module, x = ByHand(manner), vectors(3, 6, 8)
    torch.manual_seed(1)
    alone = module(x)
    torch.manual_seed(1)
    with record(example=2) as seen:
        watched = module(x)
    assert torch.equal(alone, watched)
    q, k, _ = (
        part.unflatten(-1, (4, -1)).transpose(1, 2) for part in module.c_attn(x).detach().chunk(3, dim=-1)
    )
    scores = (q @ k.mT)[2].numpy() / math.sqrt(2)
    scores[:, np.triu(np.ones((6, 6), bool), 1)] = -np.inf
    found = seen.attention()
    np.testing.assert_allclose(found.weights[0], softmax(scores), atol=1e-6)
    np.testing.assert_array_equal(found.mask[0, 0], np.tril(np.ones((6, 6), bool)))
    assert (seen[0].masked, found.kind, len(seen)) == ("causal", "decoder", 1)


class Loop(ByHand):
    """A head after the other, in one module: its weights are cut out, or made for each alone."""

    def forward(self, x):
        q, k, v = (part.unflatten(-1, (4, -1)).transpose(1, 2) for part in self.c_attn(x).chunk(3, dim=-1))
        all_weights = (q @ k.mT * 2**-0.5).softmax(-1)
        for head in range(4):
            if self.manner == "alone":
                weights = (q[:, head] @ k[:, head].mT * 2**-0.5).softmax(-1)
            elif self.manner == "unbind":
                weights = all_weights.unbind(1)[head]
            else:
                weights = self.drop(all_weights)[:, head]
            weights @ v[:, head]
        return x


@pytest.mark.parametrize("manner", ["alone", "unbind", "index"])
@pytest.mark.parametrize("n_batch", [3, 4])  # a batch of as many as there are heads is no layer of heads
def test_heads_of_a_loop_are_heads_of_one_layer(manner, n_batch):
    model, x = nn.ModuleList([Loop(manner)]), vectors(n_batch, 6, 8)
    with record(example=2) as seen:
        model[0](x)
    with record(example=2, heads=[1, 3]) as chosen:
        model[0](x)
    q, k, _ = (part.unflatten(-1, (4, -1)).mT for part in model[0].c_attn(x).detach().chunk(3, dim=-1))
    wanted = softmax(np.einsum("qdh,kdh->hqk", q[2].numpy(), k[2].numpy()) / math.sqrt(2))
    np.testing.assert_allclose(seen.attention().weights, wanted[None], atol=1e-6)
    np.testing.assert_allclose(chosen.attention().weights, wanted[None, [1, 3]], atol=1e-6)
    assert (chosen.attention().heads, seen[3].cells()[5]) == ((1, 3), "head 3")


class Merged(ByHand):
    """Batch and heads in one axis from the start; nothing in the module says how many heads there are."""

    def forward(self, x):
        n_batch, n, _ = x.shape
        q, k, v = self.c_attn(x).view(n_batch, n, 3, 4, 2).permute(2, 0, 3, 1, 4).reshape(3, -1, n, 2)
        if self.manner == "fused":
            return scaled_dot_product_attention(q, k, v)
        return torch.bmm(torch.softmax(torch.bmm(q, k.mT) / math.sqrt(2), dim=-1), v)


@pytest.mark.parametrize("manner", ["fused", "bmm"])
def test_what_a_module_is_given_tells_its_heads_from_its_batch(manner):
    module, x = Merged(manner), vectors(3, 6, 8)
    for name in ("n_head", "num_heads", "n_heads"):
        vars(module).pop(name, None)
    with record(example=2) as seen:
        module(x)
    q, k, _ = (part.unflatten(-1, (4, -1)).transpose(1, 2) for part in module.c_attn(x).detach().chunk(3, -1))
    np.testing.assert_allclose(
        seen.attention().weights[0], softmax((q @ k.mT)[2].numpy() / math.sqrt(2)), atol=1e-6
    )
    assert seen.attention().provenance.endswith("example 2 of 3")


def test_a_softmax_over_the_queries_is_said_to_be_one():
    with pytest.warns(AttnNote, match="its softmax over the queries"), record() as seen:
        vectors(2, 3, 3).softmax(dim=1) @ vectors(2, 3, 4)
    assert len(seen) == 0


class Head(nn.Module):
    """One head that is a module, as in many a lesson."""

    def __init__(self, d, size):
        super().__init__()
        self.key, self.query, self.value = (nn.Linear(d, size, bias=False) for _ in range(3))

    def forward(self, x):
        scores = self.query(x) @ self.key(x).transpose(-2, -1) * self.key(x).shape[-1] ** -0.5
        return nn.functional.softmax(scores, dim=-1) @ self.value(x)


class Heads(nn.Module):
    def __init__(self, d, n):
        super().__init__()
        self.heads = nn.ModuleList(Head(d, d // n) for _ in range(n))

    def forward(self, x):
        return torch.cat([head(x) for head in self.heads], dim=-1)


def test_heads_that_are_modules_are_heads_of_one_layer():
    torch.manual_seed(0)
    model, x = nn.Sequential(Heads(8, 4), Heads(8, 4)), vectors(2, 5, 8)
    with record() as seen:
        model(x)
    with record(heads=[2]) as chosen:
        model[0](x)
    found = seen.attention()
    assert found.weights.shape == (2, 4, 5, 5)
    assert chosen.attention().heads == (2,)
    np.testing.assert_array_equal(chosen.attention().weights[0, 0], found.weights[0, 2])
    head = model[0].heads[2]
    wanted = softmax((head.query(x) @ head.key(x).mT * 2**-0.5)[0].detach().numpy())
    np.testing.assert_allclose(found.weights[0, 2], wanted, atol=1e-6)


def test_a_softmax_that_is_multiplied_with_no_values_is_no_attention():
    x = vectors(4, 3)
    with record() as seen:
        nn.functional.softmax(x, -1).sum()
        nn.functional.softmax(x, -1) * 2
        x @ x.T
        x.T @ nn.functional.softmax(x, -1)  # a sum over the queries
    assert len(seen) == 0


def test_a_softmax_after_which_a_sink_is_cut_off():
    """Rows sum to less than 1, as heads may attend to nothing."""
    scores, v = vectors(1, 2, 3, 4), vectors(1, 2, 3, 5)
    with record() as seen:
        nn.functional.softmax(scores, dim=-1)[..., :-1] @ v
    np.testing.assert_allclose(weights_of(seen)[0], softmax(scores[0].numpy())[..., :-1], atol=1e-6)
