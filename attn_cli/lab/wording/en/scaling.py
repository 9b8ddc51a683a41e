"""Mistakes of scale, in English."""

from ..text import Text

TEXTS = {
    "no_scale": Text(
        "The scores are not scaled",
        "softmax(Q Kᵀ)",
        "Dot products grow with √d_head, so that the softmax saturates and its gradients vanish.",
        "The logarithm of every ratio of two weights is √d_head times what it should be.",
        "Divide the scores by √d_head = √{d_head} before the softmax.",
        "the scores are not divided by √d_head = √{d_head}",
    ),
    "scale_d_model": Text(
        "The scores are divided by √d_model instead of √d_head",
        "softmax(Q Kᵀ / √d_model)",
        "A dot product sums the d_head numbers of one head, not all d_model; the weights become too even.",
        "The logarithm of every ratio of two weights is 1/√n_heads of what it should be, in all heads alike.",
        "Divide by √{d_head}, the root of the width of one head.",
        "divided by √d_model = √{d_model} instead of √d_head = √{d_head}",
    ),
    "scale_n_heads": Text(
        "The scores are divided by √n_heads instead of √d_head",
        "softmax(Q Kᵀ / √n_heads)",
        "How many heads there are has nothing to do with how large the dot product of one head grows.",
        "The logarithm of every ratio of two weights is √(d_head / n_heads) times what it should be.",
        "Divide by √{d_head}, the root of the width of one head.",
        "divided by √n_heads = √{n_heads} instead of √d_head = √{d_head}",
    ),
    "scale_d_k_not_root": Text(
        "The scores are divided by d_head, not by its root",
        "softmax(Q Kᵀ / d_head)",
        "A sum of d_head products of variance 1 has the standard deviation √d_head; d_head makes the weights too even.",
        "The logarithm of every ratio of two weights is 1/√d_head of what it should be.",
        "Take the square root: divide by √{d_head}.",
        "divided by d_head = {d_head} instead of √d_head = √{d_head}",
    ),
    "scale_multiplied": Text(
        "The scores are multiplied by √d_head, not divided",
        "softmax(Q Kᵀ · √d_head)",
        "Dividing by d_head^(−1/2) is multiplying: the softmax becomes nearly one-hot.",
        "The logarithm of every ratio of two weights is d_head times what it should be.",
        "Divide by √{d_head}, or multiply by {d_head}^(−1/2), not both.",
        "multiplied by √d_head = √{d_head}, where it should be divided",
    ),
    "scale_length": Text(
        "The scores are divided by the root of the sequence length",
        "softmax(Q Kᵀ / √T)",
        "The dot product is taken over features, not over positions; the weights would depend on padding.",
        "The logarithm of every ratio of two weights is √(d_head / T) times what it should be.",
        "Divide by √{d_head}, the root of the last axis of the query, not of its second to last.",
        "divided by the root of a length ({n_query} queries, {n_key} keys) instead of √d_head = √{d_head}",
    ),
    "scale_fourth_root": Text(
        "The scores are divided by d_head^¼",
        "softmax(Q Kᵀ / d_head^¼)",
        "d_head^¼ is right if query and key are each divided by it; one of the two was left out.",
        "The logarithm of every ratio of two weights is d_head^¼ times what it should be.",
        "Divide both query and key by {d_head}^¼, or the scores by √{d_head}.",
        "divided by d_head^¼ = {d_head}^¼ once, instead of √d_head = √{d_head}",
    ),
    "scale_after_softmax": Text(
        "The weights are divided by √d_head, the scores are not",
        "softmax(Q Kᵀ) / √d_head",
        "The scale must act before the softmax; after it, the rows no longer sum to 1.",
        "Every row sums to 1/√d_head.",
        "Divide by √{d_head} before the softmax, not after it.",
        "the weights were divided by √d_head = √{d_head} after the softmax, the scores not at all",
    ),
    "scale_twice": Text(
        "The scores are scaled twice",
        "softmax((Q / √d_head) Kᵀ / √d_head)",
        "One of query, initialization and scores was already scaled; together it is 1/d_head.",
        "The logarithm of every ratio of two weights is 1/√d_head of what it should be.",
        "Divide by √{d_head} in one place only.",
        "divided by √d_head = √{d_head} twice",
    ),
}
