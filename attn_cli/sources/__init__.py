"""Anything → `Attention`, for the command line and for Python alike: one road, and a group of options for each source.

`resolve` looks at what was given, a record, numbers, a text, an image, and hands it to the one source that
takes it, with that source's own options and nothing else.
"""
