"""Mistakes with heads and shapes, in English."""

from ..text import Text

TEXTS = {
    "heads_by_view": Text(
        "Heads are cut by a view alone, without a transpose",
        "x.view(n_heads, T, d_head)",
        "The memory holds one position after the other, so that each head gets a piece of the sequence, not of the width.",
        "Recomputed with this shape, the numbers agree exactly.",
        "View as [T, {n_heads}, {d_head}] first, then exchange the first two axes.",
    ),
    "heads_strided": Text(
        "A head takes every n-th number of a vector",
        "x.view(T, d_head, n_heads)",
        "Heads are neighbouring columns of the projection; a head of every n-th column is another head.",
        "Recomputed with this shape, the numbers agree exactly.",
        "View as [T, {n_heads}, {d_head}], heads before their width.",
    ),
    "heads_merged_wrong": Text(
        "The heads' outputs are merged by a reshape alone",
        "(heads of shape [n_heads, T, d_head]).reshape(T, d_model)",
        "Without a transpose, numbers of different positions come to stand in one row.",
        "The weights are right, and the output has the right numbers at wrong places.",
        "Exchange the first two axes before reshaping: transpose(1, 2).contiguous().view(…).",
    ),
    "heads_averaged": Text(
        "The heads' weights are averaged",
        "mean over heads of A",
        "Each head attends in its own way; their mean is none of them. nn.MultiheadAttention returns it unless told.",
        "There is one matrix where there should be one for each head: the mean of the right ones.",
        "Hand in every head: average_attn_weights=False.",
    ),
    "outputs_averaged": Text(
        "The heads' outputs are averaged, not put side by side",
        "mean over heads of A V",
        "What the heads found is mixed up before the output matrix can weigh it; the width shrinks to d_head.",
        "The output is as wide as one head, not as the model.",
        "Concatenate the heads along the last axis.",
    ),
    "heads_one_wide": Text(
        "There is one head of the full width",
        "softmax(Q Kᵀ / √d_model), not cut into heads",
        "One softmax over the whole width cannot look at several places at once.",
        "There is one matrix where there should be one for each head, and it is not their mean.",
        "Cut query, key and value into {n_heads} heads of width {d_head}.",
    ),
    "head_first_only": Text(
        "Only the first head is handed in",
        "A of head 0",
        "The other heads attend to something else.",
        "There is one matrix where there should be one for each head: the first of them.",
        "Hand in all {n_heads} heads.",
    ),
    "heads_reversed": Text(
        "The heads stand in the opposite order",
        "heads n − 1, …, 1, 0",
        "By themselves the heads are right, and for the weights any order is the same attention; W_o wants theirs.",
        "The matrices are right in another order.",
        "Head 0 is made of the first {d_head} columns.",
    ),
    "key_reshaped": Text(
        "K is reshaped where it should be transposed",
        "Q · K.reshape(d_head, T)",
        "A reshape keeps the order of the numbers, so that columns are no keys.",
        "Recomputed with this shape, the numbers agree exactly; with one number per head it is the same.",
        "Exchange the last two axes of K: K.T, K.mT or transpose(-2, -1).",
    ),
    "gqa_tiled": Text(
        "Key/value heads are repeated in the wrong order",
        "kv heads 0 1 0 1 … instead of 0 0 1 1 …",
        "Neighbouring query heads share one key/value head.",
        "Exchanging the key/value heads makes the numbers agree exactly.",
        "Use repeat_interleave, not repeat or tile.",
    ),
    "batch_first": Text(
        "Batch and sequence are exchanged",
        "attention over the batch, for each position by itself",
        "Every position sees the same position of other examples, and never its own sentence.",
        "The matrices have the batch's size; with a batch of one, all weights are 1.",
        "Pass batch_first=True, or exchange the first two axes.",
    ),
    "dropout_on": Text(
        "Dropout is still on",
        "A ⊙ (0 or 1/(1 − p))",
        "Dropout is for training only; in evaluation weights must not be dropped.",
        "Some weights are 0, all others 1/(1 − p) times what they should be.",
        "Call model.eval(), or pass dropout_p=0.",
    ),
}
