import hashlib

from cellcarve.progress import Silent
from cellcarve.record import Stopwatch, fingerprint


def test_small_file_is_hashed_whole(tmp_path):
    file = tmp_path / "small"
    file.write_bytes(b"abc")
    assert fingerprint(file)["sha256_of_ends"] == hashlib.sha256(b"abc").hexdigest()


def test_fingerprint_sees_both_ends_of_a_large_file(tmp_path):
    mib = 2**20
    file = tmp_path / "large"
    content = bytearray(3 * mib)
    file.write_bytes(content)
    plain = fingerprint(file)
    assert plain["sha256_of_ends"] == hashlib.sha256(bytes(2 * mib)).hexdigest()
    content[-1] = 1
    file.write_bytes(content)
    assert fingerprint(file)["sha256_of_ends"] != plain["sha256_of_ends"]


def test_file_between_one_and_two_mib_is_hashed_once_over(tmp_path):
    file = tmp_path / "middling"
    file.write_bytes(b"x" * (2**20 + 5))
    assert fingerprint(file)["sha256_of_ends"] == hashlib.sha256(b"x" * (2**20 + 5)).hexdigest()


def test_stopwatch_times_each_stage_once():
    watch = Stopwatch(Silent())
    watch.stage("a")
    watch.stage("b")
    watch.stop()
    watch.stop()
    assert [t["stage"] for t in watch.timings] == ["a", "b"]
    assert all(t["seconds"] >= 0 for t in watch.timings)


def test_same_note_is_told_once():
    watch = Stopwatch(Silent())
    watch.note("x")
    watch.note("x")
    assert watch.notes == ["x"]
