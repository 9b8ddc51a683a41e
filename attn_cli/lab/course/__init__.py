"""Labs: a folder with `lab.toml` and texts → exercises with numbers of one student → verdicts. Pure: reads no file."""
