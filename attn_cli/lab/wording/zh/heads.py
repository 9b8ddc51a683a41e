"""Mistakes with heads and shapes, in Chinese."""

from ..text import Text

TEXTS = {
    "heads_by_view": Text(
        "只用 view 切分头，没有转置",
        "x.view(n_heads, T, d_head)",
        "内存里是一个位置接一个位置，这样每个头得到的是序列的一段，而不是宽度的一段。",
        "按这个形状重算，各数完全一致。",
        "先 view 成 [T, {n_heads}, {d_head}]，再交换前两维。",
    ),
    "heads_strided": Text(
        "一个头每隔 n 个数取一个",
        "x.view(T, d_head, n_heads)",
        "一个头对应投影中相邻的列；隔 n 列取一列就成了别的头。",
        "按这个形状重算，各数完全一致。",
        "view 成 [T, {n_heads}, {d_head}]，头在前，宽度在后。",
    ),
    "heads_merged_wrong": Text(
        "各头的输出只用 reshape 合并",
        "（形状为 [n_heads, T, d_head] 的各头）.reshape(T, d_model)",
        "没有转置，不同位置的数会落在同一行。",
        "权重正确，输出中的数也对，但位置不对。",
        "reshape 之前先交换前两维：transpose(1, 2).contiguous().view(…)。",
    ),
    "heads_averaged": Text(
        "对各头的权重取了平均",
        "A 对各头取平均",
        "每个头各看各的，平均之后哪个头都不是。nn.MultiheadAttention 默认返回平均值。",
        "本应每个头一个矩阵，这里只有一个：它们的平均。",
        "提交每个头：average_attn_weights=False。",
    ),
    "outputs_averaged": Text(
        "对各头的输出取了平均，而不是拼接",
        "A V 对各头取平均",
        "输出矩阵还没来得及加权，各头找到的东西就混在了一起；宽度缩成了 d_head。",
        "输出只有一个头那么宽，而不是模型的宽度。",
        "沿最后一维拼接各头。",
    ),
    "heads_one_wide": Text(
        "只有一个头，占满全部宽度",
        "softmax(Q Kᵀ / √d_model)，没有切分成头",
        "对整个宽度只做一次 softmax，就不能同时看几处。",
        "本应每个头一个矩阵，这里只有一个，而且不是它们的平均。",
        "把查询、键和值切分成 {n_heads} 个宽度为 {d_head} 的头。",
    ),
    "head_first_only": Text(
        "只提交了第一个头",
        "头 0 的 A",
        "其余的头看的是别处。",
        "本应每个头一个矩阵，这里只有一个：第一个。",
        "提交全部 {n_heads} 个头。",
    ),
    "heads_reversed": Text(
        "头的次序颠倒了",
        "头 n − 1、…、1、0",
        "每个头本身都对；就权重而言，什么次序都是同一个注意力，但 W_o 要求原来的次序。",
        "各矩阵都对，只是次序不同。",
        "头 0 对应前 {d_head} 列。",
    ),
    "key_reshaped": Text(
        "K 本应转置，却用了 reshape",
        "Q · K.reshape(d_head, T)",
        "reshape 保持数的先后次序，所以列不是键。",
        "按这个形状重算，各数完全一致；每个头只有一个数时两者相同。",
        "交换 K 的最后两维：K.T、K.mT 或 transpose(-2, -1)。",
    ),
    "gqa_tiled": Text(
        "键值头重复的次序不对",
        "键值头用了 0 1 0 1 …，应为 0 0 1 1 …",
        "相邻的查询头共用一个键值头。",
        "交换键值头之后各数完全一致。",
        "用 repeat_interleave，不用 repeat 或 tile。",
    ),
    "batch_first": Text(
        "批次与序列互换了",
        "对每个位置，沿批次做注意力",
        "每个位置看到的是别的样本中的同一位置，看不到自己的句子。",
        "矩阵的大小是批次的大小；批次为 1 时所有权重都是 1。",
        "传入 batch_first=True，或者交换前两维。",
    ),
    "dropout_on": Text(
        "dropout 没有关",
        "A ⊙ (0 或 1/(1 − p))",
        "dropout 只用于训练；评估时不能丢弃权重。",
        "有些权重为 0，其余都是应有值的 1/(1 − p) 倍。",
        "调用 model.eval()，或者传入 dropout_p=0。",
    ),
}
