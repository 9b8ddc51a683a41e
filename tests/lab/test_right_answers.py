"""No false alarms: what is right stays right, in whatever precision, order and library it was computed."""

import functools
import itertools

import numpy as np
import pytest
import torch
from attn_cli.lab.exercise import Exercise, Rope, TableExercise
from attn_cli.lab.judging import Judge
from attn_cli.variants.posenc import sinusoidal
from attn_cli.variants.projections import Projection
from hypothesis import settings

N_EXERCISES = 60 if settings.default.max_examples >= 1000 else 30  # each size with each mask
SIZES = [(5, 7, 2, 3), (6, 6, 2, 4), (1, 9, 4, 2), (3, 3, 1, 8), (12, 12, 3, 5), (4, 4, 4, 4)]
MASKS = ["", "causal", "window:size=3", "padding:length=2", "causal+padding:length=3"]


@functools.cache
def exercise(seed):
    draw = np.random.default_rng(seed)
    n_query, n_key, n_heads, d_head = SIZES[seed % len(SIZES)]
    masks = tuple(filter(None, MASKS[seed % len(MASKS)].split("+")))
    width, spread = n_heads * d_head, draw.choice([0.3, 1.0, 2.0])
    x, context = (draw.normal(size=(n, width)) * spread for n in (n_query, n_key))
    matrices = [draw.normal(size=(width, width)) / width**0.5 for _ in range(4)]
    biases = [draw.normal(size=width) * 0.3 for _ in range(4)]
    if seed % 2:
        return Exercise(x, context, context, n_heads, None, Projection(*matrices, *biases), masks)
    return Exercise(x, context, draw.normal(size=(n_key, width)), n_heads, masks=masks)


@functools.cache
def judge_of(seed):
    return Judge(exercise(seed))


def heads_of(x):
    """Query, key and value of every head, as torch computes them in float64."""
    parts = []
    for vectors, part in zip(x.inputs, "qkv", strict=True):
        W, b = getattr(x.projection, f"W_{part}"), getattr(x.projection, f"b_{part}")
        made = (
            torch.tensor(vectors) if W is None else torch.tensor(vectors) @ torch.tensor(W) + torch.tensor(b)
        )
        parts.append(made.unflatten(-1, (x.n_heads, -1)).transpose(0, 1))
    return parts


def mask_of(x):
    at = np.arange(x.n_key - x.n_query, x.n_key)[:, None]
    seen = np.ones((x.n_query, x.n_key), bool)
    for mask in x.masks:
        seen &= mask(at, np.arange(x.n_key))
    return torch.tensor(seen)


def in_torch(x, dtype, fill=-torch.inf):
    """All in one precision: scores, softmax, output."""
    q, k, v = (part.to(dtype) for part in heads_of(x))
    scores = q @ k.mT / q.shape[-1] ** 0.5
    mask = mask_of(x)
    weights = scores.masked_fill(~mask, fill).softmax(-1).masked_fill(~mask.any(-1, keepdim=True), 0)
    out = (weights @ v).transpose(0, 1).flatten(1)
    if x.projection.W_o is not None:
        out = out @ torch.tensor(x.projection.W_o).to(dtype) + torch.tensor(x.projection.b_o).to(dtype)
    return {"scores": numbers(scores), "weights": numbers(weights), "output": numbers(out)}


def numbers(tensor):
    return (tensor if tensor.dtype == torch.float64 else tensor.float()).numpy()


def by_sdpa(x):
    """torch's own attention, in float32, as far as it goes without the output matrix."""
    q, k, v = (part.float()[None] for part in heads_of(x))
    mask = mask_of(x)
    if x.projection.W_o is not None or not mask.any(-1).all():
        return {}
    out = torch.nn.functional.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    return {"output": out[0].transpose(0, 1).flatten(1).numpy()}


def in_another_order(x):
    """Sums from the last to the first, the query scaled first, a mask of −1e9, weights divided at the end."""
    q, k, v = (part.numpy() for part in heads_of(x))
    q = q / np.sqrt(q.shape[-1])
    scores = np.zeros((x.n_heads, x.n_query, x.n_key))
    for c in reversed(range(q.shape[-1])):
        scores += q[:, :, None, c] * k[:, None, :, c]
    mask = mask_of(x).numpy()
    parts = np.exp(scores) * mask
    total = parts[..., ::-1].cumsum(-1)[..., -1:]
    weights = np.divide(parts, total, out=np.zeros_like(parts), where=total > 0)
    out = np.zeros((x.n_query, x.n_heads * v.shape[-1]))
    for h, j in itertools.product(range(x.n_heads), reversed(range(x.n_key))):
        out[:, h * v.shape[-1] : (h + 1) * v.shape[-1]] += weights[h, :, j, None] * v[h, j]
    if x.projection.W_o is not None:
        out = out @ x.projection.W_o + x.projection.b_o
    return {"scores": scores, "weights": weights, "output": out}


WAYS = {
    "float64": lambda x: in_torch(x, torch.float64),
    "float32": lambda x: in_torch(x, torch.float32),
    "bfloat16": lambda x: in_torch(x, torch.bfloat16),
    "float16": lambda x: in_torch(x, torch.float16),
    "−1e9": lambda x: in_torch(x, torch.float32, -1e9),
    "sdpa": by_sdpa,
    "another order": in_another_order,
    **{f"{n} decimals": functools.partial(lambda x, n: rounded(in_torch(x, torch.float64), n), n=n) for n in (2, 3, 4, 6)},
    **{f"{n} digits": functools.partial(lambda x, n: significant(in_torch(x, torch.float64), n), n=n) for n in (3, 5)},
}  # fmt: skip


def rounded(stages, n):
    return {stage: array.round(n) for stage, array in stages.items()}


def significant(stages, n):
    """As `%.3g` prints: a number of significant digits."""
    return {
        stage: np.array([float(f"{y:.{n}g}") for y in array.ravel()]).reshape(array.shape)
        for stage, array in stages.items()
    }


@pytest.mark.parametrize("way", WAYS)
def test_right_answers_are_right(way):
    judged = 0
    for seed in range(N_EXERCISES):
        judge = judge_of(seed)
        for stage, answer in WAYS[way](exercise(seed)).items():
            verdict = judge(answer, what=stage)
            assert verdict.right, (seed, stage, verdict.message())
            judged += 1
    assert judged >= (N_EXERCISES // 3 if way == "sdpa" else 3 * N_EXERCISES)


def test_right_answers_are_right_all_together_and_without_names():
    for seed in range(0, N_EXERCISES, 4):
        answer = rounded(in_torch(exercise(seed), torch.float64), 2)
        judge = Judge(exercise(seed))
        assert judge(answer).right, judge(answer).message()
        assert judge({"O": answer["output"], "A": answer["weights"]}).right
        assert judge(answer["weights"]).right


def test_what_goes_on_from_rounded_numbers_is_right():
    """Weights from scores of two decimals, an output from weights of two decimals: as one does by hand."""
    for seed in range(0, N_EXERCISES, 4):
        x = exercise(seed)
        _, _, v = (part.numpy() for part in heads_of(x))
        scores = in_torch(x, torch.float64)["scores"].round(2)
        masked = torch.tensor(scores).masked_fill(~mask_of(x), -torch.inf)
        weights = np.nan_to_num(masked.softmax(-1).numpy()).round(2)
        out = (weights @ v).swapaxes(0, 1).reshape(x.n_query, -1)
        if x.projection.W_o is not None:
            out = out @ x.projection.W_o + x.projection.b_o
        verdict = Judge(x)({"scores": scores, "weights": weights, "output": out.round(2)})
        assert verdict.right, (seed, verdict.message())


def test_rotary_query_is_right():
    x = Exercise(np.random.default_rng(0).normal(size=(6, 8)), n_heads=2, rope=Rope())
    q = torch.tensor(x.query).unflatten(-1, (2, 4)).transpose(0, 1)
    z = torch.view_as_complex(torch.stack([q[..., :2], q[..., 2:]], -1).contiguous())
    turned = z * torch.polar(
        torch.ones(1, dtype=torch.float64), torch.arange(6.0)[:, None].double() / torch.tensor([1.0, 100.0])
    )
    answer = torch.cat([turned.real, turned.imag], -1).numpy()
    assert Judge(x)(answer.round(4), what="query").right


@pytest.mark.parametrize("length", [6, 200, 5000])
def test_a_table_of_float32_is_right(length):
    """As in The Annotated Transformer, whose wavelengths are exponentials of logarithms in float32."""
    position = torch.arange(length).unsqueeze(1)
    div_term = torch.exp(torch.arange(0, 16, 2) * -(np.log(10000.0) / 16))
    pe = torch.zeros(length, 16)
    pe[:, 0::2], pe[:, 1::2] = torch.sin(position * div_term), torch.cos(position * div_term)
    assert Judge(TableExercise("sinusoidal", length, 16))(pe.numpy()).right
    assert Judge(TableExercise("sinusoidal", length, 16))(sinusoidal(length, 16).round(3)).right


def test_the_lab_computes_what_attn_computes():
    from attn_cli.attention.vectors import attend

    for seed in range(12):
        x = exercise(seed)
        with np.errstate(all="raise"):
            ours = Judge(x).predictions.right
        with pytest.warns(match="may attend to no key") if not mask_of(x).any(-1).all() else nothing():
            theirs = attend(*x.inputs, heads=x.n_heads, project=x.projection, mask=[[m] for m in MASKS[seed % len(MASKS)].split("+") if m])  # fmt: skip
        np.testing.assert_allclose(ours.work["weights"], theirs.weights[0], atol=1e-12)
        np.testing.assert_allclose(ours.work["output"], theirs.output[0], atol=1e-12)


def nothing():
    import contextlib

    return contextlib.nullcontext()
