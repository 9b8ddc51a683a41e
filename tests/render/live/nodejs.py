"""A script in Node.js, given JSON and giving JSON."""

import json
import shutil
import subprocess
from pathlib import Path

from attn_cli.render.page import page as page_module

NODE = shutil.which("node")
ASSETS = Path(page_module.__file__).parent / "assets"


def in_node(script, asked):
    command = [NODE, str(Path(__file__).with_name(script)), str(ASSETS)]
    done = subprocess.run(command, input=json.dumps(asked), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
