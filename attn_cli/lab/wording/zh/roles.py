"""Mistakes with roles and projections, in Chinese."""

from ..text import Text

TEXTS = {
    "query_key_swapped": Text(
        "查询与键互换了",
        "softmax(K Qᵀ / √d_head)",
        "行属于查询，由查询分配注意力；这里却由键来分配。",
        "分数沿对角线对称地换了位置。",
        "用 Q 乘以 Kᵀ，使行对应查询。",
    ),
    "value_is_key": Text(
        "输出用的是键，而不是值",
        "A · K",
        "键说明凭什么找到一个词元，值才是它传出去的内容。",
        "权重正确，输出不对。",
        "用权重乘以 V。",
    ),
    "value_missing": Text(
        "漏了值的投影",
        "A · X，应为 A · X W_v",
        "词元传出去的内容有自己的矩阵。",
        "权重正确，输出不对。",
        "值用 X W_v + b_v。",
    ),
    "output_projection_missing": Text(
        "漏了输出投影",
        "各头拼接起来，没有乘 W_o",
        "W_o 把各头找到的内容混合起来；没有它，各头互不相干。",
        "权重正确，输出就是拼接起来的各头。",
        "拼接后的各头乘以 W_o，再加 b_o。",
    ),
    "projections_missing": Text(
        "没有用任何投影",
        "Q = K = V = X",
        "没有 W_q 和 W_k，词元最关注的是与自己相像的，而不是自己需要的。",
        "序列与自身的分数是对称的。",
        "用 X W_q、X W_k、X W_v，最后用 W_o。",
    ),
    "weight_transposed": Text(
        "权重矩阵转置了",
        "x Wᵀ，应为 x W，或者相反",
        "nn.Linear 存的是 [out, in]，计算 x Wᵀ；以 [in, out] 给出的矩阵则直接相乘。",
        "用转置后的矩阵重算，各数完全一致。",
        "这里向量是行，矩阵是 [in, out]：x @ W。",
    ),
    "bias_missing": Text(
        "漏了偏置",
        "x W，应为 x W + b",
        "没有它，所有的查询、键或值都平移了。只漏键的偏置不会改变任何权重。",
        "查询、键、值或输出的每一行都与应有值差同一个向量。",
        "乘积之后加上偏置。",
    ),
    "context_from_query": Text(
        "键和值由查询自己的向量得出",
        "本应是交叉注意力，却做了自注意力",
        "交叉注意力中，键和值来自另一个序列。",
        "矩阵的列数本应是键的个数，这里却是查询的个数。",
        "用上下文来算键和值。",
    ),
    "chained_projections": Text(
        "这不是注意力：投影一个接一个，再对特征做 softmax",
        "softmax(((x W_q) W_k) W_v / √d_head)",
        "没有任何查询与键相遇：每个词元只看到自己。",
        "输出的每一行之和为 1。",
        "W_q、W_k、W_v 分别作用于 x，再用 Q 乘以 Kᵀ。",
    ),
    "elementwise_value": Text(
        "这不是注意力：对查询的特征做 softmax，再与值逐个相乘",
        "softmax(x W_q) ⊙ x W_v",
        "没有任何查询与键相遇：每个词元只看到自己。",
        "别的词元变了，这个词元的输出却不变。",
        "用 Q 乘以 Kᵀ，沿键做 softmax，再与 V 做矩阵乘法。",
    ),
}
