import json
import re
import subprocess
import sys
import tomllib
from dataclasses import fields, is_dataclass

import pytest
from docstring_parser import parse_from_object

from cellcarve import __version__, cli
from cellcarve.errors import InputError, OutputError
from cellcarve.settings import OutputSettings, Settings


@pytest.fixture
def given(monkeypatch):
    """What the command hands to the run, which itself is left out."""
    seen = {}

    def run(source, settings, output, progress):
        seen.update(source=source, settings=settings, output=output, progress=progress)
        raise InputError("stop here")

    monkeypatch.setattr("cellcarve.run.segment", run)
    return seen


def parse(given, *flags):
    assert cli.status(["segment", "in", "-o", "out", *flags]) == 2
    return given["settings"]


def refused(capsys, *tokens):
    """The sentence with which a command line is refused."""
    assert cli.status(list(tokens)) == 2
    message = capsys.readouterr().err
    assert message.startswith("cellcarve: ")
    assert message.count("\n") == 1
    return message


def test_defaults_are_those_of_the_settings(given):
    assert parse(given) == Settings()
    assert given["output"] == OutputSettings(given["output"].output, False)


def test_every_group_of_flags_reaches_its_settings(given):
    settings = parse(
        given,
        *("--platform", "table", "--x-column", "px", "--min-qv", "12.5", "--prior", "none"),
        *("--prior-confidence", "0.5", "--purity", "pure", "--no-repair", "--no-new-cells", "--tile", "200"),
        *("--threads", "2", "--seed", "7", "--memory", "4G"),
    )
    assert (settings.read.platform, settings.read.x_column, settings.read.min_qv) == ("table", "px", 12.5)
    assert (settings.prior.prior, settings.prior.prior_confidence) == ("none", 0.5)
    assert settings.carve.purity == "pure"
    assert (settings.carve.repair, settings.carve.new_cells, settings.carve.tile) == (False, False, 200.0)
    assert (settings.compute.threads, settings.compute.seed, settings.compute.memory) == (2, 7, "4G")


def test_gene_lists_are_repeatable_and_comma_separated(given):
    settings = parse(given, "--genes-exclude", "A*,B", "--genes-exclude", "C")
    assert settings.read.genes_exclude == ("A*", "B", "C")


@pytest.mark.parametrize("flags", [["--roi", "-1,-2.5,3,4"], ["--roi=-1,-2.5,3,4"], ["--roi", "-.5,1,2,3"]])
def test_regions_may_begin_with_a_minus(given, flags):
    assert parse(given, *flags).read.roi == flags[-1].removeprefix("--roi=")


def test_file_gives_settings_and_the_command_line_wins(given, tmp_path):
    file = tmp_path / "mine.toml"
    file.write_text('min-qv = 30\npurity = "pure"\nrepair = false\ngenes-exclude = ["A", "B*"]\n')
    settings = parse(given, "--config", str(file), "--min-qv", "5")
    assert settings.read.min_qv == 5
    assert settings.carve.purity == "pure"
    assert settings.carve.repair is False
    assert settings.read.genes_exclude == ("A", "B*")


@pytest.mark.parametrize(
    ("content", "parts"),
    [
        ("min-qvv = 3", ["min-qvv", "--min-qv"]),
        ('min-qv = "high"', ["min-qv", "high"]),
        ('purity = "clean"', ["purity", "balanced"]),
        ("min-qv = = 3", ["line 1"]),
        ("prior-confidence = 3", ["prior_confidence", "between 0 and 1"]),
    ],
)
def test_mistakes_in_the_file_are_named(capsys, tmp_path, content, parts):
    file = tmp_path / "mine.toml"
    file.write_text(content)
    message = refused(capsys, "segment", "in", "-o", "out", "--config", str(file))
    assert all(part in message for part in parts)


@pytest.mark.parametrize(
    ("tokens", "parts"),
    [
        (["segment", "in", "-o", "out", "--min-qvv", "3"], ["--min-qvv", "--min-qv"]),
        (["segment", "in", "-o", "out", "--purity", "clean"], ["--purity", "balanced"]),
        (["segment", "in", "-o", "out", "--min-qv", "high"], ["--min-qv", "high"]),
        (["segment", "in", "-o", "out", "--min-qv", "-3"], ["min_qv", "at least 0"]),
        (["segment", "in", "-o", "out", "--config", "absent.toml"], ["absent.toml"]),
        (["segment", "in", "-o", "out", "--config", __file__], ["test_cli.py", "no TOML", "line 1"]),
        (["segment", "in"], ["--output"]),
        (["segment", "-o", "out"], ["SOURCE"]),
        (["segment", "in", "more", "-o", "out"], ["unexpected 'more'"]),
        (["segmnet", "in"], ["segmnet", "segment"]),
        (["segment", "in", "-o", "out", "--roi", "--min-qv", "3"], ["--roi"]),
    ],
)
def test_mistakes_on_the_command_line_are_named(capsys, tokens, parts):
    message = refused(capsys, *tokens)
    assert all(part in message for part in parts)


def fail(monkeypatch, error):
    def run(*_):
        raise error

    monkeypatch.setattr("cellcarve.run.segment", run)
    monkeypatch.delenv("CELLCARVE_DEBUG", raising=False)
    return cli.status(["segment", "in", "-o", "out", "--quiet"])


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (OutputError("'out' holds an earlier result"), 2, "'out' holds an earlier result"),
        (KeyboardInterrupt(), 130, "interrupted; nothing was written"),
        (MemoryError(), 2, "out of memory"),
        (OSError(28, "No space left on device", "out/x"), 2, "No space left on device: out/x"),
        (ValueError("odd"), 1, "this is a bug (ValueError: odd)"),
    ],
)
def test_failures_become_a_sentence_and_a_code(monkeypatch, capsys, error, code, sentence):
    assert fail(monkeypatch, error) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(f"cellcarve: {sentence}")
    assert shown.err.count("\n") == 1


def test_bugs_show_where_they_are_on_request(monkeypatch):
    monkeypatch.setenv("CELLCARVE_DEBUG", "1")
    monkeypatch.setattr("cellcarve.run.segment", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        cli.status(["segment", "in", "-o", "out"])


def test_version(capsys):
    assert cli.status(["--version"]) == 0
    assert capsys.readouterr().out.strip() == __version__


def test_help_names_every_setting_with_its_meaning(capsys):
    assert cli.status(["segment", "--help"]) == 0
    text = capsys.readouterr().out
    for word in (
        "Input",
        "Prior",
        "Method",
        "Compute",
        "Output",
        "--roi",
        "--no-repair",
        "--memory",
        "--config",
    ):
        assert word in text


def flags(text):
    return re.findall(r"^│[ *]*(--[a-z0-9-]+)", text, re.M)


def test_help_shows_the_flags_of_a_method_where_it_is_named(capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["cellcarve", "segment", "--help"])
    assert cli.status(["segment", "--help"]) == 0
    plain = capsys.readouterr().out
    assert len(flags(plain)) <= 45
    for method, own, other in (
        ("voxel", "--nhidden", "--cell-scale"),
        ("mixture", "--cell-scale", "--nhidden"),
    ):
        words = ["segment", "--method", method, "--help"]
        assert " ".join(words) in plain
        monkeypatch.setattr("sys.argv", ["cellcarve", *words])
        assert cli.status(words) == 0
        shown = flags(capsys.readouterr().out)
        assert own in shown
        assert other not in shown
        assert own not in flags(plain)


@pytest.mark.parametrize("stage", [kind for kind in vars(Settings()).values() if is_dataclass(kind)])
def test_every_setting_says_what_it_means(stage):
    """The help and the page on settings are made of these words."""
    told = {item.arg_name: item.description for item in parse_from_object(type(stage)).params}
    assert [item.name for item in fields(stage) if not told.get(item.name)] == []


def test_help_is_quick_because_nothing_heavy_is_imported():
    code = (
        "import sys, json; from cellcarve import cli\n"
        "cli.status(['segment', '--help'])\n"
        "print(json.dumps(sorted(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(json.loads(done.stderr.splitlines()[-1]))
    assert not loaded & {
        "numpy",
        "scipy",
        "numba",
        "pandas",
        "pyarrow",
        "anndata",
        "spatialdata",
        "matplotlib",
    }


def test_completion_can_be_installed(tmp_path, capsys):
    script = tmp_path / "cellcarve.sh"
    assert cli.status(["--install-completion", "--shell", "bash", "--output", str(script)]) == 0
    assert "segment" in script.read_text()


def test_broken_pipe_is_quiet(tmp_path):
    """A reader that leaves early, such as ``head``, gets no traceback."""
    command = f"{sys.executable} -m cellcarve segment --help | true"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)
    assert done.stderr == ""


def test_program_name_is_that_of_the_package():
    from pathlib import Path

    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    assert project["scripts"]["cellcarve"] == "cellcarve.cli:main"
    assert project["version"] == __version__
