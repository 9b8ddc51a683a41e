"""The lab: attention worked out step by step, as a student checks it by hand."""
