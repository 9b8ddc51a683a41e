"""The sentences of labs, in Chinese."""

SENTENCES = {
    "number": "数",
    "word": "词",
    "says": "{text}",
    "not_a_number": "{got} 不是数；请写一个数。",
    "number_too_coarse": "{got} 太粗略，无法判断；请多写几位数字。",
    "number_wrong": "{got} 不对。",
    "word_wrong": "{got} 不是答案。",
    "word_tied": "以下答案同样正确：{others}。仅凭这些数无法区分它们。",
    # a student's folder
    "lab_answer_file": "答案文件：`{file}`",
    "lab_points": "{points} 分",
    "lab_point": "1 分",
    "lab_worth": "{title}（{points}）",
    "lab_exercise": "练习 {i}：{title}",
    "lab_student": "学生：{student}",
    "lab_laid": "{folder}：{title}，共 {n} 道练习。请阅读其中的 README.md，写好答案，然后运行：cd {folder} && attn lab check",
    "lab_data": "数据",
    # the state of things
    "lab_open": "{title}：{file} 中还没有答案。",
    "lab_total": "得分 {score} / {max}，{n} 道练习中 {right} 道正确。",
    "lab_next": "下一题：{title}（写入 {file}）。",
    "lab_all_right": "{n} 道练习全部正确。",
    "lab_watching": "每次保存后自动判断；按 Ctrl-C 结束。",
    "lab_hint": "提示 {i}/{n}：{text}",
    "lab_last_hint": "这是最后一条提示。",
    "lab_hint_right": "{title}：已经正确。",
    # worksheets
    "lab_name": "姓名：",
    "lab_your_answer": "你的答案：",
    "lab_right_answer": "正确答案：",
    "lab_one_of": "或",
    "lab_key": "答案",
    "lab_own": "由学生自己的训练决定。",
}
