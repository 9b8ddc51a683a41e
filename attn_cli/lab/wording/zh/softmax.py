"""Mistakes between scores and weights, in Chinese."""

from ..text import Text

TEXTS = {
    "softmax_over_queries": Text(
        "softmax 沿查询做，而不是沿键做",
        "exp(S) / Σ（对查询求和）exp(S)",
        "应由每个查询把注意力分给各个键；这里却把每个键分给了各个查询，输出不再是加权平均。",
        "每一列之和为 1，而每一行之和不为 1。",
        "沿最后一维做 softmax：softmax(scores, dim=-1)。",
    ),
    "softmax_over_all": Text(
        "softmax 对整个矩阵做",
        "exp(S) / Σ（对查询和键求和）exp(S)",
        "每个查询各有总和为 1 的权重可分；这里所有查询合用一个 1。",
        "一个头的整个矩阵之和为 1。",
        "只沿最后一维求和，并保留这一维：sum(axis=-1, keepdims=True)。",
    ),
    "softmax_over_heads": Text(
        "softmax 沿头做",
        "exp(S) / Σ（对头求和）exp(S)",
        "各头互不相干，每个头都要把总和为 1 的权重分给各个键。",
        "对每一对查询和键，各头的权重之和为 1。",
        "沿最后一维做 softmax：softmax(scores, dim=-1)。",
    ),
    "sum_without_exp": Text(
        "分数直接除以它们的和，没有取指数",
        "S / Σ S",
        "分数可以为负，其和可能接近 0：权重会是负数或大于 1。",
        "每一行之和为 1，但有的权重为负或大于 1。",
        "先取 exp(scores)，再除以每一行之和。",
    ),
    "raw_scores": Text(
        "把分数当成了权重",
        "S",
        "没有 softmax，权重既不为正，和也不固定。",
        "权重就是分数本身。",
        "沿键做 softmax。",
    ),
    "log_softmax": Text(
        "把 softmax 的对数当成了权重",
        "ln softmax(S)",
        "对数概率用于损失；加权平均要用概率本身。",
        "所有权重为负，取指数后每一行之和为 1。",
        "把 log_softmax 换成 softmax。",
    ),
    "exp_only": Text(
        "取了指数，没有除以它们的和",
        "exp(S)",
        "不做除法，每一行之和就不是 1，输出随键的个数增大。",
        "所有权重为正，许多大于 1。",
        "把每一行除以它的和。",
    ),
    "sigmoid": Text(
        "用 sigmoid 代替了 softmax",
        "1 / (1 + exp(−S))",
        "每个权重各自决定，键与键之间没有竞争，每一行之和不为 1。",
        "所有权重在 0 与 1 之间，分数为 0 处是 ½；每一行之和不为 1。",
        "沿键做 softmax。",
    ),
    "softmax_twice": Text(
        "softmax 做了两次",
        "softmax(softmax(S))",
        "第二次 softmax 看到的是 0 到 1 之间的数，会把它们变得几乎相等；被遮住的键又有了权重。",
        "同一行的权重彼此相差不超过 e 倍。",
        "只做一次 softmax；看看所调用的函数里是否已经有了。",
    ),
    "overflow": Text(
        "没有减去最大的分数，指数溢出",
        "用 float32 计算 exp(S) / Σ exp(S)",
        "exp(89) 在 float32 中是无穷大，∞ / ∞ 是 NaN。减去每一行的最大值不会改变任何权重。",
        "分数大于 88 处是 NaN，旁边是 0。",
        "取指数之前先减去每一行的最大值。",
    ),
    "softmin": Text(
        "分数的符号反了",
        "softmax(−S)",
        "与查询最不相符的键得到最大的权重；在指数里写成 max − S 就是这样。",
        "每一行中键的次序颠倒：任意两个权重之比的对数是应有值的 −1 倍。",
        "用分数减去最大值，而不是用最大值减去分数。",
    ),
    "base_2": Text(
        "取的是 2 的幂，而不是 e 的幂",
        "2^S / Σ 2^S",
        "exp2 更快，但分数要先乘以 log₂ e。",
        "任意两个权重之比的对数是应有值的 ln 2 = 0.693 倍。",
        "用 exp，或者先把分数乘以 log₂ e = 1.4427。",
    ),
    "cosine_scores": Text(
        "分数用的是查询与键的余弦",
        "softmax(q·k / (‖q‖ ‖k‖))",
        "向量的长度表示查询有多确定；余弦只在 −1 与 1 之间，所以权重过于平均。",
        "同一行的权重彼此相差不超过 e² 倍。",
        "不要把向量归一化；点积除以 √{d_head}。",
    ),
}
