"""Mistakes of scale, in Chinese."""

from ..text import Text

TEXTS = {
    "no_scale": Text(
        "分数没有缩放",
        "softmax(Q Kᵀ)",
        "点积随 √d_head 增大，softmax 会饱和，梯度随之消失。",
        "任意两个权重之比的对数是应有值的 √d_head 倍。",
        "在 softmax 之前把分数除以 √d_head = √{d_head}。",
        "分数没有除以 √d_head = √{d_head}",
    ),
    "scale_d_model": Text(
        "分数除以了 √d_model，而不是 √d_head",
        "softmax(Q Kᵀ / √d_model)",
        "点积只对一个头的 d_head 个数求和，而不是全部 d_model 个；这样权重过于平均。",
        "任意两个权重之比的对数是应有值的 1/√n_heads，所有的头都一样。",
        "除以 √{d_head}，即一个头的宽度的平方根。",
        "除以了 √d_model = √{d_model}，应除以 √d_head = √{d_head}",
    ),
    "scale_n_heads": Text(
        "分数除以了 √n_heads，而不是 √d_head",
        "softmax(Q Kᵀ / √n_heads)",
        "头的个数与一个头的点积有多大无关。",
        "任意两个权重之比的对数是应有值的 √(d_head / n_heads) 倍。",
        "除以 √{d_head}，即一个头的宽度的平方根。",
        "除以了 √n_heads = √{n_heads}，应除以 √d_head = √{d_head}",
    ),
    "scale_d_k_not_root": Text(
        "分数除以了 d_head，没有开平方",
        "softmax(Q Kᵀ / d_head)",
        "d_head 个方差为 1 的乘积之和，标准差是 √d_head；除以 d_head 会使权重过于平均。",
        "任意两个权重之比的对数是应有值的 1/√d_head。",
        "要开平方：除以 √{d_head}。",
        "除以了 d_head = {d_head}，应除以 √d_head = √{d_head}",
    ),
    "scale_multiplied": Text(
        "分数乘以了 √d_head，本应除以它",
        "softmax(Q Kᵀ · √d_head)",
        "除以 d_head^(−1/2) 就是乘：softmax 几乎变成独热。",
        "任意两个权重之比的对数是应有值的 d_head 倍。",
        "除以 √{d_head}，或者乘以 {d_head}^(−1/2)，不要两者都做。",
        "乘以了 √d_head = √{d_head}，应当除以它",
    ),
    "scale_length": Text(
        "分数除以了序列长度的平方根",
        "softmax(Q Kᵀ / √T)",
        "点积是对特征求和，不是对位置求和；这样权重会随填充的多少而变。",
        "任意两个权重之比的对数是应有值的 √(d_head / T) 倍。",
        "除以 √{d_head}：取查询最后一维的大小，不是倒数第二维的。",
        "除以了长度的平方根（{n_query} 个查询，{n_key} 个键），应除以 √d_head = √{d_head}",
    ),
    "scale_fourth_root": Text(
        "分数除以了 d_head^¼",
        "softmax(Q Kᵀ / d_head^¼)",
        "查询和键各除以 d_head^¼ 才对；这里漏了其中一个。",
        "任意两个权重之比的对数是应有值的 d_head^¼ 倍。",
        "查询和键都除以 {d_head}^¼，或者分数除以 √{d_head}。",
        "只除以了一次 d_head^¼ = {d_head}^¼，应除以 √d_head = √{d_head}",
    ),
    "scale_after_softmax": Text(
        "除以 √d_head 的是权重，不是分数",
        "softmax(Q Kᵀ) / √d_head",
        "缩放必须在 softmax 之前；放在之后，每一行之和就不再是 1。",
        "每一行之和为 1/√d_head。",
        "在 softmax 之前除以 √{d_head}，不要在之后。",
        "在 softmax 之后把权重除以了 √d_head = √{d_head}，分数则没有缩放",
    ),
    "scale_twice": Text(
        "分数缩放了两次",
        "softmax((Q / √d_head) Kᵀ / √d_head)",
        "查询、初始化和分数三处之一已经缩放过；合起来就是 1/d_head。",
        "任意两个权重之比的对数是应有值的 1/√d_head。",
        "只在一处除以 √{d_head}。",
        "除以了两次 √d_head = √{d_head}",
    ),
}
