"""`attn` without the wait: a process that has loaded torch and matplotlib forks for each command.

A command gets the streams, the folder and the environment that it was typed with, and a process of its own.
Only what an interpreter reads when it starts (LC_ALL, PYTHON…) has no effect; test_run.py compares the rest
with a process that starts from nothing.

    python warm.py SOCKET    # serves until its standard input ends
"""

import contextlib
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import subprocess
import sys
import traceback

sys.path.append(
    os.path.join(os.path.dirname(os.path.abspath(__file__)), "render")
)  # of the fixtures in conftest

from conftest import run_attn

# What is typed: it hands its streams over, waits, and ends as the command did. Kept free of slow imports.
CLIENT = """#!{python} -IS
import json, os, socket, sys
with socket.socket(socket.AF_UNIX) as server:
    server.connect({path!r})
    socket.send_fds(server, [b"x"], [0, 1, 2])
    server.sendall(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode())
    server.shutdown(socket.SHUT_WR)
    code = server.recv(1)
sys.exit(code[0])
"""


@contextlib.contextmanager
def server(folder):
    """The path of an `attn` that runs warm as long as the context is open."""
    path = str(folder / "socket")
    process = subprocess.Popen(
        [sys.executable, __file__, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout.read(1), "the server ended before it began"
        attn = folder / "attn"
        attn.write_text(CLIENT.format(python=sys.executable, path=path))
        attn.chmod(0o755)
        yield str(attn)
        process.stdin.close()


def serve(path):
    """Load every module, those too that a first command and a first picture load, then fork for whoever calls."""
    package = importlib.import_module("attn_cli")
    for module in pkgutil.walk_packages(package.__path__, "attn_cli."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    for name in ("png", "pdf"):
        run_attn("heatmap", "--text", "a b 注意", "--format", name)
    gc.freeze()  # a collection in a fork would copy all of this
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks how the forks end but who called
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        os.write(1, b"x")
        while sys.stdin not in (ready := select.select([listener, sys.stdin], [], [])[0]):
            assert ready
            call, _ = listener.accept()
            if os.fork() == 0:
                listener.close()
                _answer(call)
            call.close()


def _answer(call):
    """In the fork: be the process that was called for, and say with which code it ended."""
    code = 1
    try:
        code = _run(*_received(call))
    except BaseException:
        traceback.print_exc()
    finally:
        call.sendall(bytes([code]))
        os._exit(code)


def _received(call):
    streams = socket.recv_fds(call, 1, 3)[1]
    with call.makefile("rb") as message:
        arguments, folder, environment = json.load(message)
    return streams, arguments, folder, environment


def _run(streams, arguments, folder, environment):
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    sys.stdin, sys.stdout, sys.stderr = (
        open(number, mode, encoding="utf-8", buffering=1 if os.isatty(number) else -1, closefd=False)  # noqa: SIM115
        for number, mode in enumerate("rww")
    )
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    from attn_cli.cli import main

    try:
        main(arguments)
    except SystemExit as left:
        return left.code
    finally:
        sys.stdout.flush()
        sys.stderr.flush()


if __name__ == "__main__":
    serve(sys.argv[1])
