"""Mistakes between scores and weights, in English."""

from ..text import Text

TEXTS = {
    "softmax_over_queries": Text(
        "The softmax runs over the queries, not over the keys",
        "exp(S) / Σ over queries of exp(S)",
        "A query shares its attention among keys; here a key is shared among queries, and outputs are no averages.",
        "Columns sum to 1, and rows do not.",
        "Take the softmax over the last axis: softmax(scores, dim=-1).",
    ),
    "softmax_over_all": Text(
        "The softmax runs over the whole matrix",
        "exp(S) / Σ over queries and keys of exp(S)",
        "Every query must share out a weight of 1 by itself; here all queries share one.",
        "The whole matrix of a head sums to 1.",
        "Sum over the last axis only, and keep the axis: sum(axis=-1, keepdims=True).",
    ),
    "softmax_over_heads": Text(
        "The softmax runs over the heads",
        "exp(S) / Σ over heads of exp(S)",
        "Heads attend independently of each other; each must share out a weight of 1 among the keys.",
        "For every query and key, the weights of all heads sum to 1.",
        "Take the softmax over the last axis: softmax(scores, dim=-1).",
    ),
    "sum_without_exp": Text(
        "The scores are divided by their sum, without the exponential",
        "S / Σ S",
        "Scores may be negative, and their sum near 0: weights become negative or larger than 1.",
        "Rows sum to 1, but some weights are negative or above 1.",
        "Take exp(scores) first, then divide by the sum of each row.",
    ),
    "raw_scores": Text(
        "The scores are taken for the weights",
        "S",
        "Without a softmax the weights are not positive and sum to no fixed number.",
        "Weights are the scores themselves.",
        "Apply the softmax over the keys.",
    ),
    "log_softmax": Text(
        "The logarithm of the softmax is taken for the weights",
        "ln softmax(S)",
        "Log-probabilities are for losses; an average needs the probabilities themselves.",
        "All weights are negative, and their exponentials sum to 1 in every row.",
        "Use softmax instead of log_softmax.",
    ),
    "exp_only": Text(
        "The exponentials are not divided by their sum",
        "exp(S)",
        "Without the division the rows do not sum to 1, and outputs grow with the number of keys.",
        "All weights are positive, many above 1.",
        "Divide each row by its sum.",
    ),
    "sigmoid": Text(
        "A sigmoid stands in place of the softmax",
        "1 / (1 + exp(−S))",
        "Each weight is decided by itself, so that keys do not compete and rows do not sum to 1.",
        "All weights are between 0 and 1, ½ where the score is 0; rows do not sum to 1.",
        "Use the softmax over the keys.",
    ),
    "softmax_twice": Text(
        "The softmax is taken twice",
        "softmax(softmax(S))",
        "The second softmax sees numbers between 0 and 1 and makes them nearly equal; masked keys get weight again.",
        "All weights of a row are within a factor of e of each other.",
        "Take the softmax once; see whether the function that you call has it already.",
    ),
    "overflow": Text(
        "The largest score is not subtracted, so that exponentials overflow",
        "exp(S) / Σ exp(S) in float32",
        "exp(89) is infinite in float32, and ∞ / ∞ is NaN. Subtracting the row's maximum changes no weight.",
        "NaN where a score is above 88, 0 beside it.",
        "Subtract the maximum of each row before the exponential.",
    ),
    "softmin": Text(
        "The sign of the scores is turned",
        "softmax(−S)",
        "The key that answers a query least gets the largest weight; so it is with max − S in the exponent.",
        "The order of the keys is reversed in every row: the logarithm of every ratio is −1 times what it should be.",
        "Subtract the maximum from the scores, not the scores from the maximum.",
    ),
    "base_2": Text(
        "Powers of 2 are taken instead of powers of e",
        "2^S / Σ 2^S",
        "exp2 is fast, but the scores must be multiplied by log₂ e first.",
        "The logarithm of every ratio of two weights is ln 2 = 0.693 times what it should be.",
        "Use exp, or multiply the scores by log₂ e = 1.4427 first.",
    ),
    "cosine_scores": Text(
        "The score is the cosine of query and key",
        "softmax(q·k / (‖q‖ ‖k‖))",
        "Lengths of vectors carry how sure a query is; cosines lie between −1 and 1, so the weights are too even.",
        "No two weights of a row differ by more than a factor of e².",
        "Do not normalize the vectors; divide the dot product by √{d_head}.",
    ),
}
