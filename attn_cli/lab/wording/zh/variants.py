"""What scores, positions, masks and normalisations do, in Chinese."""

TEXTS = {
    "scores:SCORES": {
        "scaled_dot": "缩放点积：q·kᵀ / √d_head。",
        "dot": "点积，不缩放：q·kᵀ。",
        "cosine": "查询与键夹角的余弦：q·kᵀ / (‖q‖ ‖k‖)；有一个为零向量时取 0。",
        "euclidean": "距离取负：−‖q − k‖。",
        "gaussian": "以查询为中心的高斯函数的指数：−‖q − k‖² / 2σ²。",
        "general": "双线性：q·W·kᵀ，所有的头共用一个 W [d_head, d_head]。",
        "additive": "加性注意力，一层 tanh：v·tanh(q·W_q + k·W_k)，W_q 和 W_k 为 [d_head, units]，v 为 [units]。",
        "linear": "线性注意力：log(φ(q)·φ(k)ᵀ)，其中 φ(x) = elu(x) + 1；它的 softmax 近似于 scaled_dot 的。",
    },
    "posenc.inside:POSITIONS": {
        "rope": "旋转位置编码：查询和键的第 i 对数旋转 pos · base^(−2i/d)，于是 q·k 取决于两者的距离。",
        "alibi": "线性偏置：分数 − slope · |key − query|，每个头一个斜率。",
        "t5": "距离分桶：分数 + bias[bucket(key − query), head]；bias [buckets, heads] 由文件给出。",
        "xl": "Transformer-XL：score(q + u, k) + score(q + v, R·W_R)，R 是 query − key 的正弦编码。",
        "clipped": "相对位置的键：score(q, k) + score(q, a[截断到 ±clip 的 key − query])，a 为 [2 clip + 1, d_head]。",
    },
    "masks:MASKS": {
        "causal": "每个查询看自己的位置和它之前的位置：key ≤ query。",
        "prefix": "前 `length` 个键所有查询都看，其余按因果掩码：key < length 或 key ≤ query。",
        "padding": "只有前 `length` 个键是真实的，后面的是填充：key < length。",
        "document": "几篇文档首尾相接，长度依次为 a+b+c；每篇只看自己，剩下的算作又一篇。",
        "window": "每个查询看相邻的 `size` 个键，包括自己；其中 `ahead` 个在它之后。",
        "dilated": "有空隙的窗口：每隔 `gap` 个位置取一个，共 `size` 个键，包括自己；其中 `ahead` 个在它之后。",
        "block": "序列按 `size` 分块，每块只看自己：⌊key / size⌋ = ⌊query / size⌋。",
        "global": "位置 a+b+c 上的词元看所有词元，也被所有词元看。",
        "strided": "因果：最近的 `stride` 个键，以及更早的每隔 `stride` 个取一个。",
        "fixed": "因果：查询所在的块（长 `stride`），以及之前每块的最后 `summary` 个键。",
        "random": "每一对位置以概率 `share` 允许，由这一对位置和种子的散列决定。",
        "bigbird": "按块：看相邻的 `window` 块、开头的 `first` 块（它们看所有块），再随机看一部分。",
        "lsh": "随机旋转后落进同一个桶的向量彼此可见，任何一轮都算。",
    },
    "normalisation:NORMALISATIONS": {
        "softmax": "取指数，再使每一行之和为 1：exp(s) / Σ exp(s)。",
        "softmax1": "可以什么都不看的 softmax：exp(s) / (exp(sink) + Σ exp(s))。",
        "sparsemax": "单纯形上最近的点，常有零：max(s − τ, 0)，τ 使每一行之和为 1。",
        "sigmoid": "每个权重各自决定，每一行之和不必为 1：1 / (1 + exp(−s − bias))。",
    },
}
