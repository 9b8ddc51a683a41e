"""Toy tasks that show what attention learns, and the loop that trains a small Transformer on them."""
