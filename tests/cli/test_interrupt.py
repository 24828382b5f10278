import signal
import subprocess
import sys

import pandas as pd
import pytest


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGINT to send")
def test_interrupt_leaves_nothing(tissue, tmp_path, columns):
    """Ctrl-C in the middle of a run: one sentence, code 130, no file."""
    blocks = [tissue.assign(x=tissue.x + 80 * (i % 10), y=tissue.y + 80 * (i // 10)) for i in range(100)]
    large = pd.concat(blocks, ignore_index=True)
    large["transcript_id"] = range(len(large))
    large.to_parquet(tmp_path / "spots.parquet")
    command = [sys.executable, "-m", "cellcarve", "segment", "spots.parquet", "-o", "out", *columns]
    process = subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    lines = iter(process.stderr)
    assert any("rows read" in line for line in lines)
    process.send_signal(signal.SIGINT)
    last = list(lines)[-1]
    assert process.wait(timeout=60) == 130
    assert last == "cellcarve: interrupted; nothing was written\n"
    assert [path.name for path in tmp_path.iterdir()] == ["spots.parquet"]
