import io
import json

import pytest

from cellcarve.console import Bars, Lines, Quiet, console


def lines(stream):
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_one_line_per_stage_with_its_units():
    stream = io.StringIO()
    with Lines(stream) as shown:
        shown.stage("read", 10, "rows")
        shown.advance(10)
        shown.note("5 µm found")
        shown.stage("write")
    first, second, third = lines(stream)
    assert first == {"note": "5 µm found"}
    assert (second["stage"], second["total"], second["unit"]) == ("read", 10, "rows")
    assert third["stage"] == "write"
    assert third["seconds"] >= 0


def test_the_line_of_a_stage_tells_how_it_stood_last():
    stream = io.StringIO()
    with Lines(stream) as shown:
        shown.stage("sampling", 20, "sweeps")
        shown.stand("half")
        shown.stand("most")
        shown.stage("write")
    first, second = lines(stream)
    assert first["stands"] == "most"
    assert "stands" not in second


def test_stage_that_failed_is_not_reported_as_done():
    stream = io.StringIO()

    def fail():
        with Lines(stream) as shown:
            shown.stage("read")
            raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert lines(stream) == []


def test_display_suits_the_stream(monkeypatch):
    monkeypatch.setattr("sys.stderr", io.StringIO())
    assert isinstance(console(quiet=False), Lines)
    assert isinstance(console(quiet=True), Quiet)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert isinstance(console(quiet=False), Bars)


def test_bars_show_stage_note_and_rate(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    with Bars() as shown:
        shown.stage("assign", 100, "transcripts")
        shown.advance(50)
        shown.note("[3] notes are shown as they are")
        shown.stand("log-likelihood -5")
        shown.advance(50)
    assert "s; log-likelihood -5" in stream.getvalue()
    assert "assign:" in stream.getvalue()
    assert "[3] notes" in stream.getvalue()
