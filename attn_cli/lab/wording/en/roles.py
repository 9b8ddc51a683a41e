"""Mistakes with roles and projections, in English."""

from ..text import Text

TEXTS = {
    "query_key_swapped": Text(
        "Query and key are swapped",
        "softmax(K Qᵀ / √d_head)",
        "Rows belong to queries, which share out their attention; here keys do.",
        "The scores are mirrored at the diagonal.",
        "Multiply Q by Kᵀ, so that rows are queries.",
    ),
    "value_is_key": Text(
        "The output is made of the keys, not of the values",
        "A · K",
        "A key says what a token is found by, a value what it passes on.",
        "The weights are right, the output is not.",
        "Multiply the weights by V.",
    ),
    "value_missing": Text(
        "The projection of the values is left out",
        "A · X instead of A · X W_v",
        "What a token passes on has a matrix of its own.",
        "The weights are right, the output is not.",
        "Use X W_v + b_v for the values.",
    ),
    "output_projection_missing": Text(
        "The output projection is left out",
        "the heads side by side, without W_o",
        "W_o mixes what the heads found; without it they stay apart.",
        "The weights are right, and the output is the heads side by side.",
        "Multiply the heads side by side by W_o, and add b_o.",
    ),
    "projections_missing": Text(
        "No projection is used",
        "Q = K = V = X",
        "Without W_q and W_k a token attends most to what resembles it, not to what it needs.",
        "The scores of a sequence with itself are symmetric.",
        "Use X W_q, X W_k, X W_v, and W_o at the end.",
    ),
    "weight_transposed": Text(
        "A weight matrix is transposed",
        "x Wᵀ instead of x W, or the other way round",
        "nn.Linear stores [out, in] and computes x Wᵀ; a matrix given as [in, out] is multiplied as it is.",
        "Recomputed with the transposed matrix, the numbers agree exactly.",
        "Here vectors are rows and matrices [in, out]: x @ W.",
    ),
    "bias_missing": Text(
        "A bias is left out",
        "x W instead of x W + b",
        "Without it all queries, keys or values are shifted. The key's bias alone changes no weight.",
        "Query, key, value or output differ from theirs by the same vector in every row.",
        "Add the bias after the product.",
    ),
    "context_from_query": Text(
        "Keys and values are made of the queries' own vectors",
        "self-attention instead of cross-attention",
        "In cross-attention the keys and values come from the other sequence.",
        "The matrix has as many columns as queries where it should have as many as keys.",
        "Make keys and values of the context.",
    ),
    "chained_projections": Text(
        "This is no attention: one projection after the other, then a softmax over features",
        "softmax(((x W_q) W_k) W_v / √d_head)",
        "No query meets a key: every token sees itself alone.",
        "Every row of the output sums to 1.",
        "Apply W_q, W_k and W_v to x each by itself, and multiply Q by Kᵀ.",
    ),
    "elementwise_value": Text(
        "This is no attention: a softmax over the query's features, times the value number by number",
        "softmax(x W_q) ⊙ x W_v",
        "No query meets a key: every token sees itself alone.",
        "The output of a token does not change when other tokens do.",
        "Multiply Q by Kᵀ, take the softmax over keys, and multiply by V as matrices.",
    ),
}
