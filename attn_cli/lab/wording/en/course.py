"""The sentences of labs, in English."""

SENTENCES = {
    "number": "number",
    "word": "word",
    "says": "{text}",
    "not_a_number": "{got} is not a number; give one number.",
    "number_too_coarse": "{got} is too coarse to judge; give more digits.",
    "number_wrong": "{got} is not right.",
    "word_wrong": "{got} is not the answer.",
    "word_tied": "So are: {others}. These numbers cannot tell them apart.",
    # a student's folder
    "lab_answer_file": "Answer file: `{file}`",
    "lab_points": "{points} points",
    "lab_point": "1 point",
    "lab_worth": "{title} ({points})",
    "lab_exercise": "Exercise {i}: {title}",
    "lab_student": "Numbers of: {student}",
    "lab_laid": "{folder}: {title}, {n} exercises. Read README.md there, write answers, then: cd {folder} && attn lab check",
    "lab_data": "Data",
    # the state of things
    "lab_open": "{title}: no answer yet in {file}.",
    "lab_total": "{score} of {max} points, {right} of {n} exercises right.",
    "lab_next": "Next: {title}, in {file}.",
    "lab_all_right": "All {n} exercises are right.",
    "lab_watching": "Judging at each save; Ctrl-C ends.",
    "lab_hint": "Hint {i} of {n}. {text}",
    "lab_last_hint": "That is the last hint.",
    "lab_hint_right": "{title} is right already.",
    # worksheets
    "lab_name": "Name: ",
    "lab_your_answer": "Your answer:",
    "lab_right_answer": "Right answer:",
    "lab_one_of": " or ",
    "lab_key": "Answers",
    "lab_own": "It follows from the student's own training.",
}
