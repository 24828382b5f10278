"""The shape of the source: sizes, arguments, imports, docstrings. One parametrised test per rule and file."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "cellcarve"
FILES = sorted(SOURCE.rglob("*.py"))
HEAVY = {"anndata", "geopandas", "matplotlib", "scanpy", "skimage", "spatialdata"}
MOST_LINES, MOST_FUNCTION_LINES, MOST_ARGUMENTS, MOST_KERNEL_ARGUMENTS = 400, 60, 6, 8
DEEPEST, DEEPEST_KERNEL = 3, 5

# Who may import whom inside the package; single files of the package's root count as "root".
# Data flows read -> priors -> method -> summarise -> write -> report, and no stage looks at a later one.
FOUNDATION = {"data", "errors", "fresh", "memory", "progress", "settings", "staged", "validate"}
MAY_IMPORT = {
    "data": {"data", "errors"},
    "read": FOUNDATION | {"read"},
    "priors": FOUNDATION | {"priors", "read"},
    "settings": {"settings", "validate", "memory", "errors"},
    "carve": FOUNDATION | {"carve"},
    "chain": {"__version__", "chain", "data", "errors", "progress"},
    "voxels": FOUNDATION | {"voxels", "chain"},
    "mixture": FOUNDATION | {"mixture", "chain"},
    "summarise": FOUNDATION | {"summarise"},
    "convert": FOUNDATION | {"convert"},
    "write": FOUNDATION | {"write", "report", "record"},
    "report": FOUNDATION | {"report", "write"},
    "evaluate": FOUNDATION | {"evaluate", "read", "write"},
    "simulate": FOUNDATION | {"simulate"},
    "nuclei": FOUNDATION | {"nuclei"},
}

each_file = pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))


def compiled(function: ast.FunctionDef) -> bool:
    return any("njit" in ast.unparse(decorator) for decorator in function.decorator_list)


def body_lines(function: ast.FunctionDef) -> int:
    first = function.body[0]
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return function.end_lineno - (body[0].lineno if body else first.lineno) + 1


def depth(node: ast.AST) -> int:
    """Levels of loops, conditions, with and try below a node; elif counts as its if."""
    deepest = 0
    for name, child in ast.iter_fields(node):
        for item in child if isinstance(child, list) else [child]:
            if isinstance(item, ast.FunctionDef | ast.ClassDef) or not isinstance(item, ast.AST):
                continue
            step = isinstance(item, ast.For | ast.While | ast.If | ast.With | ast.Try)
            chained = isinstance(node, ast.If) and name == "orelse" and isinstance(item, ast.If)
            deepest = max(deepest, depth(item) + int(step and not chained))
    return deepest


def imports(node: ast.AST) -> set[str]:
    """Dotted names imported by a statement."""
    if isinstance(node, ast.Import):
        return {alias.name for alias in node.names}
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return {f"{node.module}.{alias.name}" for alias in node.names}
    return set()


def all_imports(tree: ast.AST) -> set[str]:
    return set().union(*(imports(node) for node in ast.walk(tree)))


@each_file
def test_file_is_short(path):
    assert len(path.read_text().splitlines()) <= MOST_LINES


@each_file
def test_functions_are_short_and_flat(path):
    for function in functions(parsed(path)):
        assert body_lines(function) <= MOST_FUNCTION_LINES, function.name
        assert depth(function) <= (DEEPEST_KERNEL if compiled(function) else DEEPEST), function.name


@each_file
def test_few_arguments(path):
    for function in functions(parsed(path)):
        given = function.args
        names = {a.arg for a in given.posonlyargs + given.args + given.kwonlyargs} - {"self", "cls"}
        most = MOST_KERNEL_ARGUMENTS if compiled(function) else MOST_ARGUMENTS
        assert len(names) <= most, f"{function.name}{names}"


@each_file
def test_public_things_have_docstrings(path):
    tree = parsed(path)
    assert ast.get_docstring(tree), "module"
    holders = [tree, *(n for n in tree.body if isinstance(n, ast.ClassDef) and not n.name.startswith("_"))]
    for holder in holders:
        for node in holder.body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
                assert ast.get_docstring(node), node.name


@each_file
def test_user_input_is_not_asserted(path):
    """An assert vanishes under -O and tells the user nothing: errors are raised."""
    assert not [node.lineno for node in ast.walk(parsed(path)) if isinstance(node, ast.Assert)]


@each_file
def test_heavy_libraries_load_only_where_used(path):
    at_top = set().union(*(imports(node) for node in parsed(path).body))
    assert not {name for name in at_top if name.split(".")[0] in HEAVY}


@each_file
def test_compiled_loops_are_safe(path):
    """Writing a field inside prange is lost without an error, and parallel kernels break reproducibility."""
    tree = parsed(path)
    assert "parallel=True" not in ast.unparse(tree)
    for loop in (n for n in ast.walk(tree) if isinstance(n, ast.For) and "prange" in ast.unparse(n.iter)):
        stores = [n for n in ast.walk(loop) if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)]
        assert not stores, ast.unparse(stores[0])


@each_file
def test_layers(path):
    layer = path.relative_to(SOURCE).parts[0]
    if layer not in MAY_IMPORT:
        return
    inside = {name.split(".")[1] for name in all_imports(parsed(path)) if name.startswith("cellcarve.")}
    assert inside - MAY_IMPORT[layer] == set()


def test_every_stage_has_its_layer():
    folders = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists()}
    assert folders - {"cli", "compat"} <= set(MAY_IMPORT)


def settings_fields() -> list[str]:
    """Names of the fields of every settings class, as "Class.field"."""
    files = [path for path in FILES if path.parent.name == "settings" or path.name == "settings.py"]
    classes = [node for path in files for node in parsed(path).body if isinstance(node, ast.ClassDef)]
    return [f"{c.name}.{n.target.id}" for c in classes for n in c.body if isinstance(n, ast.AnnAssign)]


def read_names() -> tuple[set[str], tuple[str, ...]]:
    """Attributes read by name outside the settings, and endings of names that getattr puts together."""
    files = [path for path in FILES if path.parts[len(SOURCE.parts)] not in {"settings", "config.py"}]
    nodes = [node for path in files for node in ast.walk(parsed(path))]
    names = {n.attr for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Load)}
    calls = [n for n in nodes if isinstance(n, ast.Call) and ast.unparse(n.func) == "getattr"]
    composed = [n.args[1].values[-1] for n in calls if isinstance(n.args[1], ast.JoinedStr)]
    return names, tuple(str(part.value) for part in composed if isinstance(part, ast.Constant))


def test_every_option_is_read():
    """An option that nothing reads promises what does not happen."""
    names, endings = read_names()
    unread = [field for field in settings_fields() if field.split(".")[1] not in names]
    assert [field for field in unread if not field.endswith(endings)] == []


def inner_loops(function: ast.FunctionDef) -> Iterator[ast.For]:
    """Loops that hold no other loop."""
    for loop in ast.walk(function):
        if isinstance(loop, ast.For) and not any(
            isinstance(n, ast.For | ast.While) for s in loop.body for n in ast.walk(s)
        ):
            yield loop


def sums_and_stores(loop: ast.For) -> bool:
    targets = [
        target
        for node in ast.walk(loop)
        if isinstance(node, ast.Assign | ast.AugAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
    ]
    added = any(
        isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name) for node in ast.walk(loop)
    )
    return added and any(isinstance(target, ast.Subscript) for target in targets)


@each_file
def test_sums_in_any_order_are_taken_where_nothing_is_stored(path):
    """Else the machine asks at run time how arrays lie in memory, and adds up in one order or in another."""
    wrong = [
        function.name
        for function in functions(parsed(path))
        if any("fastmath" in ast.unparse(decorator) for decorator in function.decorator_list)
        and any(sums_and_stores(loop) for loop in inner_loops(function))
    ]
    assert not wrong
