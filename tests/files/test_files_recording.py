"""Recordings in files: what was kept comes back, whatever happens to the program meanwhile."""

import io
import os
import signal
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest
import torch
from attn_cli import files
from attn_cli.attention.recorder import record
from attn_cli.attention.recording.recorder import Label, Recorder
from attn_cli.attention.recording.seen_calls import Seen
from attn_cli.attention.recording.store import Wanted
from attn_cli.errors import AttnNote, InputError
from attn_cli.files import npz
from attn_cli.files.fields import from_fields
from attn_cli.files.recording_store import Disk
from torch import nn

NAMES = [
    "type",
    "schema_version",
    "kind",
    "layers",
    "heads",
    "query_tokens",
    "key_tokens",
    "provenance",
    "weights",
]


def attend(model, *sizes):
    for n in sizes:
        model(torch.ones(1, n, 8))


@pytest.fixture
def model():
    torch.manual_seed(0)
    layer = nn.TransformerDecoderLayer(8, 2, 16, batch_first=True)

    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.TransformerDecoder(layer, 3)

        def forward(self, x):
            return self.layers(x, torch.ones(1, 4, 8))

    return Both().eval()


def same(one, other):
    assert (one.query_tokens, one.key_tokens, one.kind, one.layers) == (
        other.query_tokens,
        other.key_tokens,
        other.kind,
        other.layers,
    )
    assert one.provenance == other.provenance
    np.testing.assert_array_equal(one.weights, other.weights)


def on_disk(path, model, sizes, most_bytes=2**20, label=None):
    wanted = Wanted()
    store = Disk(str(path), f"{path}.parts", wanted, most_bytes)
    recorder = Recorder(wanted, store)
    with recorder.on():
        if label:
            recorder.labels.append(Label(tuple(label), 0))
        attend(model, *sizes)
    return store, Seen(recorder)


def test_a_recording_goes_through_a_file(model, tmp_path):
    with record() as seen:
        attend(model, 3, 5)
    path = tmp_path / "x.npz"
    files.write(str(path), files.recording_npz(seen.recording()))
    back = files.read_recording(str(path))
    assert back.steps == [0, 1]
    assert back.table == repr(seen)
    assert [(part.step, part.kind) for part in back.parts] == [
        (1, "self"),
        (0, "self"),
        (0, "cross"),
        (1, "cross"),
    ]
    for step in (0, 1):
        for kind in ("self", "cross"):
            same(back.pick(step, kind), seen.attention(step=step, kind=kind))
    same(back.pick(module="layers.layers.2"), seen.attention(module="layers.layers.2"))


def test_other_kinds_of_a_recording_are_named(model):
    with record() as seen:
        attend(model, 3)
    recording = seen.recording()
    with pytest.warns(AttnNote, match="^showing self; the recording also has cross; choose with kind$"):
        recording.pick()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        recording.pick(kind="self")
        recording.pick(module="layers.layers.2")


def test_what_reads_one_record_reads_that_of_the_last_step(model, tmp_path):
    with record() as seen:
        attend(model, 3, 5)
    path = tmp_path / "x.npz"
    files.write(str(path), files.recording_npz(seen.recording()))
    with path.open("rb") as file:
        same(from_fields(npz.as_fields(npz.load(file, NAMES))), seen.attention(kind="self"))
    assert np.load(path)["weights"].shape == (3, 2, 5, 5)


def test_nothing_that_was_seen_is_a_file_too(tmp_path):
    with record() as seen:
        pass
    path = tmp_path / "x.npz"
    files.write(str(path), files.recording_npz(seen.recording()))
    back = files.read_recording(str(path))
    assert back.parts == ()
    with pytest.raises(InputError, match="no attention was recorded"):
        back.pick()


def test_steps_go_to_the_disk_as_they_are_done_and_become_one_file(model, tmp_path):
    with record() as seen:
        attend(model, 3, 5, 3)
    path = tmp_path / "x.npz"
    store, watched = on_disk(path, model, (3, 5, 3))
    folder = tmp_path / "x.npz.parts"
    assert sorted(os.listdir(folder)) == ["000000.npz", "000001.npz", "000002.npz"]
    same(files.read_recording(str(folder)).pick(1, "self"), seen.attention(step=1, kind="self"))
    same(files.read(str(folder)).pick(kind="self"), seen.attention(kind="self"))
    assert all(not step.pieces for step in store.steps())  # no longer in memory
    store.finish(repr(watched), watched.remarks)
    assert os.listdir(tmp_path) == ["x.npz"]
    back = files.read_recording(str(path))
    for step in (0, 1, 2):
        same(back.pick(step, "cross"), seen.attention(step=step, kind="cross"))


def test_a_folder_that_is_there_is_not_written_over(tmp_path):
    (tmp_path / "x.npz.parts").mkdir()
    with pytest.raises(InputError, match="holds a recording that was stopped"):
        Disk(str(tmp_path / "x.npz"), str(tmp_path / "x.npz.parts"), Wanted(), 10)


def test_ever_fewer_steps_stay_on_the_disk(model, tmp_path):
    size = os.path.getsize
    path = tmp_path / "x.npz"
    store, _ = on_disk(path, model, (3,))
    one = size(tmp_path / "x.npz.parts" / "000000.npz")
    store.finish("", ())
    with pytest.warns(AttnNote, match="every 4th step"):
        store, _ = on_disk(path, model, (3,) * 16, most_bytes=6 * one)
    assert [step.number for step in store.steps()] == [0, 4, 8, 12]
    assert sum(size(entry) for entry in os.scandir(store.folder)) <= 6 * one
    store.finish("", ())
    assert files.read_recording(str(path)).steps == [0, 4, 8, 12]


def test_what_was_recorded_is_there_when_the_program_is_killed(tmp_path):
    program = """
        import os, signal, torch
        from attn_cli.attention.recording.recorder import Recorder
        from attn_cli.attention.recording.store import Wanted
        from attn_cli.files.recording_store import Disk
        mha, x = torch.nn.MultiheadAttention(8, 2), torch.ones(3, 1, 8)
        with Recorder(Wanted(), Disk("x.npz", "x.npz.parts", Wanted(), 2**20)).on():
            for i in range(5):
                mha(x, x, x)
            os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], cwd=tmp_path, check=False)
    assert done.returncode == -signal.SIGKILL
    found = files.read_recording(str(tmp_path / "x.npz.parts"))
    assert found.steps == [0, 1, 2, 3]  # but the one that was under way
    assert found.pick().weights.shape == (1, 2, 3, 3)


def test_tokens_that_a_program_has_told_go_with_them(model, tmp_path):
    store, _ = on_disk(tmp_path / "x.npz", model, (3,), label="abc")
    store.finish("", ())
    assert files.read(str(tmp_path / "x.npz")).pick(kind="self").query_tokens == tuple("abc")


def damaged(**columns):
    good = {
        "name": [""], "step": [0], "root": ["M"], "kind": ["self"], "module": ["m"], "layer": [0], "n_heads": [1],
        "n_query": [1], "n_key": [1],
    }  # fmt: skip
    held = {f"recording/{name}": np.asarray(values) for name, values in {**good, **columns}.items()}
    buffer = io.BytesIO()
    np.savez(buffer, **held, **{"recording/table": np.asarray("")})
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"step": [0, 1]}, "damaged"),
        ({"step": ["x"]}, "damaged"),
        ({"layer": [0.5]}, "damaged"),
        ({"name": [3]}, "damaged"),
        ({}, "holds no attention"),
        ({"name": ["../x"]}, "holds no attention"),
    ],
)
def test_a_damaged_recording_is_refused(tmp_path, columns, said):
    path = tmp_path / "x.npz"
    path.write_bytes(damaged(**columns))
    with pytest.raises(InputError, match=said):
        files.read_recording(str(path)).pick()


def test_a_folder_without_a_recording(tmp_path):
    with pytest.raises(InputError, match="is a directory"):
        files.read(str(tmp_path))
