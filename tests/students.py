"""What students who make a mistake get, one number at a time: written apart from the catalogue, and sharing nothing with it.

`work_of(spec, exercise)` gives every stage that the student reaches, `work_of("", exercise)` the right ones. Where a
mistake can be made in several ways that no exercise asks apart (what becomes of a row that it blinds), `ways_of`
gives all of them.
"""

from __future__ import annotations

import math

import numpy as np
from attn_cli.lab.exercise import MaskExercise, TableExercise

NAN, INF = math.nan, math.inf
BLIND = ("zero", "nan", "filled", "added")  # what becomes of a row that sees nothing


class CannotRunError(Exception):
    """The mistake does not run with the shapes of this exercise."""


def ways_of(spec, x):
    """Every outcome of a mistake: several only where it blinds a row that the exercise does not."""
    name, options = parse(spec)
    if isinstance(x, TableExercise):
        return [{"table": table(name, options, x)}]
    if isinstance(x, MaskExercise):
        return [{"mask": mask_of(name, options, x).astype(float)}]
    of_masks = name.startswith(
        ("mask_inverted", "mask_upper", "mask_excl", "mask_one", "window", "padding", "causal")
    )
    blinds = of_masks and bool(x.masks) and not mask_of(name, options, x).any(-1).all()
    right_blinds = bool(x.masks) and not mask_of("", {}, x).any(-1).all()
    fates = BLIND if blinds and not right_blinds else ("zero",)
    return [work(name, {**options, "fate": fate}, x) for fate in fates]


def work_of(spec, x):
    return ways_of(spec, x)[0]


def parse(spec):
    name, _, tail = spec.partition(":")
    return name, dict(item.split("=") for item in tail.split(",") if item)


# ---- attention -------------------------------------------------------------------------------------------


def work(name, options, x):
    """Stages by name; what cannot be reached is left out."""
    inputs = x.inputs
    if x.positions is not None:
        kind = x.positions
        inputs = [
            v + table(name, options, TableExercise(kind.kind, *v.shape[-2:], kind.base)) for v in inputs
        ]
    if x.query.ndim == 3:
        return batched(name, options, x, *inputs)
    if name == "batch_first":
        return alone(x, *inputs)
    return of_one(name, options, x, *inputs)


def batched(name, options, x, query, key, value):
    if name == "batch_first":
        if len({len(query[0]), len(key[0]), len(value[0])}) > 1:
            return {}
        each = [of_one("", options, x, query[:, t], key[:, t], value[:, t]) for t in range(query.shape[1])]
        found = {stage: np.stack([one[stage] for one in each]) for stage in each[0]}
        return {**found, "output": found["output"].swapaxes(0, 1)}
    each = [of_one(name, options, x, *rows) for rows in zip(query, key, value, strict=True)]
    return {stage: np.stack([one[stage] for one in each]) for stage in each[0] if stage != "mask"}


def alone(x, query, key, value):
    """Every position by itself, as with a batch of one: all weights are 1."""
    if x.masks or not len(query) == len(key) == len(value):
        return {}
    each = [of_one("", {}, x, query[t : t + 1], key[t : t + 1], value[t : t + 1]) for t in range(len(query))]
    found = {stage: np.stack([one[stage] for one in each]) for stage in each[0]}
    return {**found, "output": found["output"].swapaxes(0, 1)}


def of_one(name, options, x, query, key, value):
    made = {}
    try:
        with np.errstate(all="ignore"):
            made.update(stages(name, options, x, query, key, value))
    except (CannotRunError, IndexError):
        pass
    return made


def stages(name, options, x, query, key, value):
    n_heads, n_kv = x.n_heads, x.n_kv_heads or x.n_heads
    if name == "context_from_query":
        key = value = query
    one_head = name == "heads_one_wide"
    n_q = 1 if one_head else n_heads
    n_k = 1 if one_head else n_kv
    first = 0 if name == "causal_top_left" else len(key) - len(query)
    Q = cut(name, project(name, options, x, query, "q"), n_q)
    K = cut(name, project(name, options, x, key, "k"), n_k)
    if x.rope is not None:
        Q, K = ([rotate(name, options, h, at, x.rope) for h in heads] for heads, at in ((Q, first), (K, 0)))
    group = n_q // n_k
    owner = [h % n_k if name == "gqa_tiled" else h // group for h in range(n_q)]
    K, Q = np.stack([K[o] for o in owner]), np.stack(Q)
    yield "query", Q
    yield "key", K
    if Q.shape[-1] != K.shape[-1]:
        raise CannotRunError
    dots = np.stack([dot_products(name, q, k) for q, k in zip(Q, K, strict=True)])
    yield "dots", dots
    d_head = Q.shape[-1]
    scores = dots * factor(name, options, x, d_head, dots.shape)
    if x.alibi:
        scores = scores + np.stack(
            [
                alibi(name, h, n_q, dots.shape[1:], -first if name == "query_key_swapped" else first)
                for h in range(n_q)
            ]
        )
    yield "scores", scores
    mask = mask_of(name, options, x, first) if x.masks else np.ones(scores.shape[1:], bool)
    if mask.shape != scores.shape[1:]:
        raise CannotRunError
    yield "mask", mask
    masked = np.stack([hide(name, options, s, mask) for s in scores]) if x.masks else scores
    yield "masked", masked
    weights = normalised(name, options, masked)
    if name == "mask_after_softmax" and x.masks:
        weights = weights * mask
    if name == "scale_after_softmax":
        weights = weights / math.sqrt(d_head)
    shown = {"heads_averaged": sum(weights) / n_q, "head_first_only": weights[0]}.get(name, weights)
    yield "weights", shown
    heads = cut(name, value if name == "value_missing" else project(name, options, x, value, "v"), n_k)
    V = np.stack([heads[o] for o in owner])
    yield "value", V
    if weights.shape[-1] != V.shape[1]:
        raise CannotRunError
    of_heads = np.stack(
        [w @ (k if name == "value_is_key" else v) for w, k, v in zip(weights, K, V, strict=True)]
    )
    yield "head_output", of_heads
    yield "output", output(name, options, x, of_heads, query, key, d_head)


def project(name, options, x, rows, part):
    W, b = (getattr(x.projection, f"{letter}_{part}") for letter in "Wb")
    touched = options.get("of", "all") in (part, "all")
    if name == "projections_missing":
        return rows
    out = []
    for row in rows:
        y = list(row)
        if W is not None:
            matrix = [list(line) for line in W]
            if name == "weight_transposed" and touched:
                matrix = [list(line) for line in zip(*matrix, strict=True)]
            if len(matrix) != len(row):
                raise CannotRunError
            y = [sum(row[i] * matrix[i][j] for i in range(len(row))) for j in range(len(matrix[0]))]
        if b is not None and not (name == "bias_missing" and touched):
            if len(b) != len(y):
                raise CannotRunError
            y = [a + c for a, c in zip(y, b, strict=True)]
        out.append(y)
    return np.array(out)


def cut(name, rows, n):
    """Rows [T, n·d] → n heads [T, d]."""
    T, width = rows.shape
    if width % n:
        raise CannotRunError
    d = width // n
    flat = rows.reshape(-1)
    heads = [np.empty((T, d)) for _ in range(n)]
    for h in range(n):
        for t in range(T):
            for c in range(d):
                if name == "heads_by_view":
                    heads[h][t, c] = flat[h * T * d + t * d + c]
                elif name == "heads_strided":
                    heads[h][t, c] = rows[t, c * n + h]
                elif name == "heads_reversed":
                    heads[h][t, c] = rows[t, (n - 1 - h) * d + c]
                else:
                    heads[h][t, c] = rows[t, h * d + c]
    return heads


def dot_products(name, q, k):
    T_q, T_k, d = len(q), len(k), len(q[0])
    if name == "query_key_swapped":
        return np.array([[sum(k[j] * q[i]) for i in range(T_q)] for j in range(T_k)])
    if name == "cosine_scores":
        return np.array([[cosine(q[i], k[j]) for j in range(T_k)] for i in range(T_q)])
    if name == "key_reshaped":
        flat = k.reshape(-1)
        return np.array(
            [[sum(q[i, c] * flat[c * T_k + j] for c in range(d)) for j in range(T_k)] for i in range(T_q)]
        )
    return np.array([[sum(q[i] * k[j]) for j in range(T_k)] for i in range(T_q)])


def cosine(a, b):
    lengths = math.sqrt(sum(a * a)) * math.sqrt(sum(b * b))
    return sum(a * b) / lengths if lengths else 0.0


def factor(name, options, x, d, shape):
    right = 1 / math.sqrt(d) if x.scale is None else x.scale
    length = shape[2] if options.get("of") == "keys" else shape[1]
    return {
        "no_scale": 1.0,
        "scale_after_softmax": 1.0,
        "cosine_scores": 1.0,
        "scale_d_model": 1 / math.sqrt(x.query.shape[-1]),
        "scale_n_heads": 1 / math.sqrt(x.n_heads),
        "scale_d_k_not_root": 1 / d,
        "scale_twice": 1 / d,
        "scale_multiplied": math.sqrt(d),
        "scale_length": 1 / math.sqrt(length),
        "scale_fourth_root": 1 / math.sqrt(math.sqrt(d)),
    }.get(name, right)


def hide(name, options, scores, mask):
    out = np.array(scores)
    for i in range(len(out)):
        blind = not mask[i].any()
        for j in range(len(out[0])):
            seen = mask[i, j]
            if name == "mask_after_softmax":
                continue
            if name == "mask_times_scores":
                out[i, j] *= 1.0 if seen else 0.0
            elif name == "mask_added":
                out[i, j] += 1.0 if seen else 0.0
            elif name == "fill_1e-9":
                out[i, j] = out[i, j] if seen else -1e-9
            elif not seen:
                fate = options.get("how") if name == "fill_uniform_blind_row" else options.get("fate")
                out[i, j] = {"filled": -1e9, "added": out[i, j] - 1e9}.get(fate, -INF) if blind else -INF
    return out


def normalised(name, options, masked):
    n_heads, T_q, T_k = masked.shape
    weights = np.empty(masked.shape)
    nan = name == "nan_blind_row" or options.get("fate") == "nan"
    with np.errstate(all="ignore"):
        for h in range(n_heads):
            for i in range(T_q):
                row = masked[h, i]
                if (row == -INF).all():
                    weights[h, i] = NAN if nan else 0.0
                    continue
                for j in range(T_k):
                    weights[h, i, j] = weight(name, masked, h, i, j)
    return weights


def weight(name, masked, h, i, j):
    s, row = masked[h, i, j], masked[h, i]
    among = {
        "softmax_over_queries": masked[h, :, j],
        "softmax_over_all": masked[h].reshape(-1),
        "softmax_over_heads": masked[:, i, j],
    }.get(name, row)
    return WEIGHTS.get(name, lambda s, row: ratio(s, among))(s, row)


def float32(s, row):
    return float(np.exp(np.float32(s)) / np.float32(sum(np.exp(np.float32(y)) for y in row)))


WEIGHTS = {
    "sum_without_exp": lambda s, row: np.float64(finite(s)) / np.float64(sum(map(finite, row))),
    "raw_scores": lambda s, row: s,
    "log_softmax": lambda s, row: np.log(ratio(s, row)),
    "exp_only": lambda s, row: np.exp(s),
    "sigmoid": lambda s, row: 1 / (1 + np.exp(-s)),
    "softmax_twice": lambda s, row: math.exp(ratio(s, row)) / sum(math.exp(ratio(y, row)) for y in row),
    "overflow": float32,
    "softmin": lambda s, row: 0.0 if s == -INF else ratio(-s, [-y for y in row if y != -INF]),
    "base_2": lambda s, row: sum(2.0 ** (y - s) for y in row if y > -INF) ** -1 if s > -INF else 0.0,
}


def finite(s):
    return 0.0 if s == -INF else s


def ratio(s, among):
    most = max(among)
    return NAN if most == -INF else math.exp(s - most) / sum(math.exp(y - most) for y in among)


def output(name, options, x, heads, query, key, d):
    n, T, width = heads.shape
    if name == "heads_merged_wrong":
        merged = np.array(
            [[heads.reshape(-1)[t * n * width + c] for c in range(n * width)] for t in range(T)]
        )
    elif name == "outputs_averaged":
        merged = sum(heads) / n
    else:
        merged = np.array([[v for h in range(n) for v in heads[h, t]] for t in range(T)])
    if name == "output_projection_missing":
        return merged
    if name in ("chained_projections", "elementwise_value"):
        return no_attention(name, x, query, key, d)
    return project(name, options, x, merged, "o")


def no_attention(name, x, query, key, d):
    if query.shape != key.shape:
        raise CannotRunError
    if name == "elementwise_value":
        q, v = project("", {}, x, query, "q"), project("", {}, x, query, "v")
        return np.array([[ratio(y, row) for y in row] for row in q]) * v
    rows = query
    for part in "qkv":
        rows = project("", {}, x, rows, part)
    rows = rows / math.sqrt(d)
    return np.array([[ratio(y, row) for y in row] for row in rows])


# ---- masks -----------------------------------------------------------------------------------------------


def mask_of(name, options, x, first=None):
    first = (0 if name == "causal_top_left" else x.n_key - x.n_query) if first is None else first
    seen = np.array([[all(may(name, options, mask, i + first, j, i) for mask in x.masks) for j in range(x.n_key)] for i in range(x.n_query)])  # fmt: skip
    if name == "mask_inverted":
        return ~seen
    return np.ones_like(seen) if name == "mask_missing" else seen


def may(name, options, mask, i, j, row):
    if isinstance(mask, np.ndarray):
        return mask[row, j]
    kind, given = mask.name, mask.options
    if kind == "causal":
        return {"mask_upper": j >= i, "mask_excludes_self": j < i, "mask_one_ahead": j <= i + 1}.get(
            name, j <= i
        )
    if kind == "window":
        size = given["size"]
        return {"window_one_more": 0 <= i - j <= size, "window_both_ways": abs(i - j) < size}.get(
            name, 0 <= i - j < size
        )
    if kind == "padding":
        key, query = j < given["length"], i < given["length"]
        if name != "padding_on_queries":
            return key
        return query and (key or options.get("on") != "both")
    if kind == "prefix":
        return j < given["length"] or j <= i
    raise NotImplementedError(kind)


# ---- positions -------------------------------------------------------------------------------------------


def table(name, options, x):
    """A table of positions, one number at a time."""
    out = np.empty((x.seq_len, x.dim))
    for t in range(x.seq_len):
        for c in range(x.dim):
            out[t, c] = TABLES[x.kind](name, options, x, t, c)
    return out


def sinusoid(name, options, x, t, c):
    d, pos = x.dim, t + (name == "pe_from_one")
    base = float(options["base"]) if name == "pe_base" else x.base
    if name == "pe_without_waves":
        return (-1) ** c * base ** (2 * t / d + c % 2)
    if x.concatenated != (name == "pe_halves"):
        n_sines = (d + 1) // 2
        pair, is_cosine = (c, False) if c < n_sines else (c - n_sines, True)
    else:
        pair, is_cosine = c // 2, c % 2 == 1
    angle = pos / base ** exponent(name, options, pair, is_cosine != (name == "pe_cos_first"), d)
    return math.cos(angle) if is_cosine != (name == "pe_cos_first") else math.sin(angle)


def exponent(name, options, pair, is_cosine, d):
    if name == "pe_constant":
        return 0.0
    if name == "pe_exponent":
        return 2 * (2 * pair + is_cosine) / d
    if name == "pe_cos_next" and is_cosine:
        return (2 * pair + (2 if options["next"] == "pair" else 1)) / d
    return 2 * pair / d


def rope_table(name, options, x, t, c):
    base = float(options["base"]) if name == "pe_base" else x.base
    if name == "pe_without_waves":
        return (-1) ** c * base ** (2 * t / x.dim + c % 2)
    is_sine = c % 2 == 1
    angle = (t + (name == "pe_from_one")) / base ** exponent(name, options, c // 2, not is_sine, x.dim)
    angle = -angle if name == "rope_sign" else angle
    return math.sin(angle) if is_sine else math.cos(angle)


def alibi_table(name, options, x, t, c):
    if name == "pe_without_waves":
        return (-1) ** c * x.base ** (2 * t / x.dim + c % 2)
    bias = slope(name, c, x.dim) * (t + (name == "pe_from_one"))
    return bias if name == "alibi_sign" else -bias


TABLES = {"sinusoidal": sinusoid, "rope": rope_table, "alibi": alibi_table}


def slope(name, h, n):
    power = 2 ** math.floor(math.log2(n))
    up = 2 ** (8 / power) if name == "alibi_slope_first" else 1.0
    if h < power:
        return up * 2 ** (-8 * (h + 1) / power)
    return up * 2 ** (-8 * (2 * (h - power) + 1) / (2 * power))


def alibi(name, h, n, shape, first):
    sign = 1 if name == "alibi_sign" else -1
    return np.array(
        [[sign * slope(name, h, n) * abs(i + first - j) for j in range(shape[1])] for i in range(shape[0])]
    )


def rotate(name, options, rows, first, rope):
    d, out = len(rows[0]), np.array(rows)
    base = float(options["base"]) if name == "pe_base" else rope.base
    for t, x in enumerate(rows):
        pos = first + t + (name == "pe_from_one")
        theta = [pos / base ** exponent(name, options, pair, False, d) for pair in range(d // 2)]
        theta = [-angle for angle in theta] if name == "rope_sign" else theta
        for c in range(d):
            if name == "rope_mixed":
                other = -x[c + d // 2] if c < d // 2 else x[c - d // 2]
                out[t, c] = x[c] * math.cos(theta[c // 2]) + other * math.sin(theta[c // 2])
                continue
            if rope.interleaved != (name == "rope_halves"):
                pair, other = c // 2, -x[c + 1] if c % 2 == 0 else x[c - 1]
            else:
                pair, other = c % (d // 2), -x[c + d // 2] if c < d // 2 else x[c - d // 2]
            out[t, c] = x[c] * math.cos(theta[pair]) + other * math.sin(theta[pair])
    return out
