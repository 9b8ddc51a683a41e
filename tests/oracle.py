"""What attention is, in NumPy float64 and written for reading: one query, one key, one number at a time.

Nothing here is shared with the program, and nothing is fast. Variants are named by the program's specs.
"""

import ast
import functools
import math
from dataclasses import dataclass

import numpy as np


@dataclass
class Result:
    scores: np.ndarray  # [query, key], before the mask
    weights: np.ndarray  # [query, key]
    output: np.ndarray  # [query, d_value]


def attention(
    q,
    k,
    v,
    *,
    score="scaled_dot",
    position=None,
    mask=None,
    normalise="softmax",
    scale=None,
    temperature=1.0,
    softcap=None,
    top_k=None,
    files=None,
    head=0,
    n_heads=1,
):
    """Attention of one head. `mask` is a boolean matrix or None; `files` holds the arrays that specs name."""
    n_query, n_key = len(q), len(k)
    first = n_key - n_query  # the last query stands at the last key
    place = Place(head, n_heads)
    scores = np.empty((n_query, n_key))
    weights = np.zeros((n_query, n_key))
    output = np.zeros((n_query, v.shape[1]))
    for i in range(n_query):
        for j in range(n_key):
            s = positioned(score, position, scale, files or {}, q[i], k[j], i + first, j, place)
            if softcap is not None:
                s = softcap * math.tanh(s / softcap)
            scores[i, j] = s / temperature
        seen = [j for j in range(n_key) if mask is None or mask[i, j]]
        if top_k is not None and len(seen) > top_k:
            least = sorted(scores[i, seen])[-top_k]
            seen = [j for j in seen if scores[i, j] >= least]
        if seen:
            weights[i, seen] = normalised(normalise, scores[i, seen], place)
        for j in seen:
            output[i] += weights[i, j] * v[j]
    return Result(scores, weights, output)


@dataclass
class Place:
    """Which head this is, of how many."""

    head: int
    n_heads: int


def parse(spec):
    """`name:key=value,…` → name, {key: value}."""
    name, _, tail = spec.partition(":")
    pairs = (item.split("=") for item in tail.split(",") if item)
    return name, {key: literal(text) for key, text in pairs}


@functools.cache  # the same few texts are asked for with every number
def literal(text):
    if text in ("true", "false"):
        return text == "true"
    if "+" in text:
        return [literal(part) for part in text.split("+")]
    try:
        return ast.literal_eval(text)
    except ValueError:
        return text


# ---- scores: one query vector, one key vector → a number -------------------------------------------------


def score_of(spec, scale, files, q, k):
    name, options = parse(spec)
    arrays = files.get(options.pop("file", None))
    if name == "scaled_dot":
        return np.dot(q, k) * (1 / math.sqrt(len(q)) if scale is None else scale)
    return SCORES[name](q, k, arrays, **options) * (1 if scale is None else scale)


def dot(q, k, arrays):
    return sum(a * b for a, b in zip(q, k, strict=True))


def cosine(q, k, arrays):
    lengths = math.hypot(*q) * math.hypot(*k)
    return np.dot(q, k) / lengths if lengths else 0.0


def euclidean(q, k, arrays):
    return -math.dist(q, k)


def gaussian(q, k, arrays, sigma=1.0):
    return -(math.dist(q, k) ** 2) / (2 * sigma**2)


def general(q, k, arrays):
    return q @ arrays["W"] @ k


def additive(q, k, arrays):
    return arrays["v"] @ np.tanh(q @ arrays["W_q"] + k @ arrays["W_k"])


def linear(q, k, arrays):
    def phi(x):
        return np.array([x_i + 1 if x_i > 0 else math.exp(x_i) for x_i in x])

    return math.log(phi(q) @ phi(k))


SCORES = {f.__name__: f for f in (dot, cosine, euclidean, gaussian, general, additive, linear)}


# ---- positions inside the scores ---------------------------------------------------------------------------


def positioned(score, position, scale, files, q, k, i, j, place):
    """The score of query q at position i and key k at position j."""

    def plain(q, k):
        return score_of(score, scale, files, q, k)

    if position is None:
        return plain(q, k)
    name, options = parse(position)
    arrays = files.get(options.pop("file", None))
    return POSITIONS[name](plain, q, k, i, j, arrays, place, **options)


def rope(score, q, k, i, j, arrays, place, partial=1.0, pairing="half", **options):
    def turned(x, pos):
        x = x.copy()
        d = int(len(x) * partial)
        for pair in range(d // 2):
            a, b = (2 * pair, 2 * pair + 1) if pairing == "interleaved" else (pair, pair + d // 2)
            theta, stretch = rope_theta(pair, d, **options)
            cos, sin = stretch * math.cos(pos * theta), stretch * math.sin(pos * theta)
            x[a], x[b] = x[a] * cos - x[b] * sin, x[a] * sin + x[b] * cos
        return x

    return score(turned(q, i), turned(k, j))


def rope_theta(pair, d, base=10000.0, scaling="none", factor=1.0, original=2048):
    if scaling == "ntk":
        base *= factor ** (d / (d - 2))
    theta = base ** (-2 * pair / d)
    if scaling == "linear":
        return theta / factor, 1.0
    if scaling == "yarn":
        # The pair that makes t turns in the original length: original · θ / 2π = t, solved for the pair.
        def pair_of(turns):
            return d / 2 * math.log(original / (turns * 2 * math.pi)) / math.log(base)

        low, high = max(math.floor(pair_of(32)), 0), min(math.ceil(pair_of(1)), d - 1)
        ramp = min(max((pair - low) / (high - low or 0.001), 0), 1)  # 0: keep, 1: divide
        return (1 - ramp) * theta + ramp * theta / factor, 0.1 * math.log(factor) + 1
    return theta, 1.0


def alibi(score, q, k, i, j, arrays, place):
    return score(q, k) - alibi_slope(place.head, place.n_heads) * abs(i - j)


def alibi_slope(head, n_heads):
    power = 2 ** math.floor(math.log2(n_heads))
    if head < power:
        return 2 ** (-8 * (head + 1) / power)
    return 2 ** (-8 * (2 * (head - power) + 1) / (2 * power))


def t5(score, q, k, i, j, arrays, place, **options):
    return score(q, k) + arrays["bias"][t5_bucket(j - i, **options), place.head]


def t5_bucket(distance, buckets=32, farthest=128, bidirectional=True):
    start = 0
    if bidirectional:
        buckets //= 2
        start = buckets if distance > 0 else 0
        distance = abs(distance)
    else:
        distance = max(-distance, 0)
    exact = buckets // 2
    if distance < exact:
        return start + distance
    share = math.log(distance / exact) / math.log(farthest / exact)
    return start + min(exact + int(share * (buckets - exact) + 1e-9), buckets - 1)


def xl(score, q, k, i, j, arrays, place, base=10000.0):
    half = range((len(q) + 1) // 2)
    angles = [(i - j) / base ** (2 * pair / len(q)) for pair in half]
    R = np.array([math.sin(a) for a in angles] + [math.cos(a) for a in angles[: len(q) // 2]])
    return score(q + arrays["u"], k) + score(q + arrays["v"], R @ arrays["W_R"])


def clipped(score, q, k, i, j, arrays, place, clip=16):
    return score(q, k) + score(q, arrays["a"][max(-clip, min(clip, j - i)) + clip])


POSITIONS = {f.__name__: f for f in (rope, alibi, t5, xl, clipped)}


# ---- masks: may the query at position i attend to the key at position j? -----------------------------------


def mask_matrix(specs, q, k):
    """All of the specs, each of them any of its parts; q and k are for the masks that look at vectors."""
    first = len(k) - len(q)
    allowed = np.ones((len(q), len(k)), bool)
    for i in range(len(q)):
        for j in range(len(k)):
            for spec in specs:
                parts = (parse(part) for part in spec.split("|"))
                if not any(MASKS[name](i + first, j, q[i], k[j], **options) for name, options in parts):
                    allowed[i, j] = False
    return allowed


def causal(i, j, q, k):
    return j <= i


def prefix(i, j, q, k, length):
    return j <= i or j < length


def padding(i, j, q, k, length):
    return j < length


def document(i, j, q, k, lengths):
    def number(position):
        ends = np.cumsum(lengths)
        return next((n for n, end in enumerate(ends) if position < end), len(ends))

    return number(i) == number(j)


def window(i, j, q, k, size=4, ahead=0):
    return j in range(i + ahead - size + 1, i + ahead + 1)


def dilated(i, j, q, k, size=4, gap=2, ahead=0):
    return j in [i + gap * (ahead - step) for step in range(size)]


def block(i, j, q, k, size=4):
    return math.floor(i / size) == math.floor(j / size)


def global_(i, j, q, k, tokens=0):
    tokens = tokens if isinstance(tokens, list) else [tokens]
    return i in tokens or j in tokens


def strided(i, j, q, k, stride=4):
    return j in range(i - stride, i + 1) or j in range(i, -1, -stride)


def fixed(i, j, q, k, stride=4, summary=1):
    same = math.floor(i / stride) == math.floor(j / stride)
    return j <= i and (same or j % stride in range(stride - summary, stride))


def random(i, j, q, k, share=0.1, seed=0):
    """Splitmix64 in Python's whole numbers, cut to 64 bits at each step."""
    cut = 2**64
    h = (i * 0x9E3779B97F4A7C15 + j * 0xC2B2AE3D27D4EB4F + seed * 0xD6E8FEB86659FD93) % cut
    h = ((h ^ (h >> 30)) * 0xBF58476D1CE4E5B9) % cut
    h = ((h ^ (h >> 27)) * 0x94D049BB133111EB) % cut
    return (h ^ (h >> 31)) >> 11 < share * 2**53


def bigbird(i, j, q, k, block=1, window=3, first=1, share=0.1, seed=0):
    i, j = math.floor(i / block), math.floor(j / block)
    near = j in range(i - (window - 1) // 2, i + window // 2 + 1)
    return near or i < first or j < first or random(i, j, q, k, share, seed)


def lsh(i, j, q, k, buckets=4, rounds=1, seed=0):
    def bucket(x, R):
        return np.argmax([*(x @ R), *(-(x @ R))])

    rotations = np.random.Generator(np.random.PCG64(seed)).normal(size=(rounds, len(q), buckets // 2))
    return any(bucket(q, R) == bucket(k, R) for R in rotations)


MASKS = {
    f.__name__.rstrip("_"): f
    for f in (causal, prefix, padding, document, window, dilated, block, global_, strided, fixed, random, bigbird, lsh)
}  # fmt: skip


# ---- normalisations: the scores of the permitted keys of one row → their weights ---------------------------


def normalised(spec, scores, place):
    name, options = parse(spec)
    return NORMALISATIONS[name](scores, place, **options)


def softmax(scores, place):
    parts = [math.exp(s - max(scores)) for s in scores]
    return [part / sum(parts) for part in parts]


def softmax1(scores, place, sink=0.0):
    if isinstance(sink, list):
        sink = sink[place.head]
    return softmax([*scores, sink], place)[:-1]


def sparsemax(scores, place):
    """τ by bisection: the sum of max(s − τ, 0) falls from n (at max − n) to 0 (at max)."""
    low, high = max(scores) - 1.0, max(scores)
    for _ in range(60):
        tau = (low + high) / 2
        low, high = (tau, high) if sum(max(s - tau, 0) for s in scores) > 1 else (low, tau)
    return [max(s - low, 0) for s in scores]


def sigmoid(scores, place, bias=None):
    bias = -math.log(len(scores)) if bias is None else bias

    def one(x):
        return 1 / (1 + math.exp(-x)) if x > 0 else math.exp(x) / (1 + math.exp(x))

    return [one(s + bias) for s in scores]


NORMALISATIONS = {f.__name__: f for f in (softmax, softmax1, sparsemax, sigmoid)}
