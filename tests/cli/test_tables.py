import ast
from pathlib import Path

from cellcarve import cli
from cellcarve.cli.app import VERBS
from cellcarve.cli.tables import flat, shown, side_by_side


def test_nested_measures_are_joined_and_lists_left_out():
    assert flat({"a": 1, "of_truth": {"f1": 0.5, "bins": [1]}}) == {"a": 1, "of truth f1": 0.5}


def test_numbers_are_readable():
    assert [shown(v) for v in (None, 0.12345, 12345.6, 12345, True, "x")] == [
        "-",
        "0.123",
        "12,346",
        "12,345",
        "True",
        "x",
    ]


def test_each_measure_is_one_row_over_all_segmentations(capsys):
    side_by_side({"one": {"f1": 0.5}, "two": {"f1": 0.25, "ari": 1.0}})
    rows = [line.split("│")[1:-1] for line in capsys.readouterr().out.splitlines() if line.startswith("│")]
    cells = [[cell.strip() for cell in row] for row in rows]
    assert cells == [["f1", "0.500", "0.250"], ["ari", "-", "1.000"]]


def test_summaries_are_those_of_the_verbs():
    folder = Path(cli.__file__).parent
    for verb, summary in VERBS.items():
        tree = ast.parse((folder / f"{verb}.py").read_text())
        (function,) = (n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == verb)
        assert ast.get_docstring(function).splitlines()[0] == summary
