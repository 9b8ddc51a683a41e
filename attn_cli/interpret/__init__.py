"""What a head does, and whether it matters: statistics, similarity, reductions, differences, faithfulness.

Every method is one function with its formula and paper. What reads weights is NumPy in float64; what asks the model
again (gradients, value zeroing, ablation, leaving tokens out) goes through torch.
"""
