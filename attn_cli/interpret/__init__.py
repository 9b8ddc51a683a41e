"""What a head does, and whether it matters: statistics, similarity, reductions, differences, faithfulness.

Pure NumPy in float64. Every method is one function with its formula and paper.
"""
