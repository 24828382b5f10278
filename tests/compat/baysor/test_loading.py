"""Columns, genes and depth of the table, and priors laid over it."""

import numpy as np
import pandas as pd
import pytest

from cellcarve.compat.baysor.genes import excluded
from cellcarve.compat.baysor.loading import load
from cellcarve.errors import InputError, SettingsError


def write(path, frame):
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False)
    return path


@pytest.mark.parametrize("name", ["m.csv", "m.csv.gz", "m.parquet"])
def test_every_form_gives_the_same_molecules(tmp_path, ask, log, molecules, name):
    found = load(ask(write(tmp_path / name, molecules)), log)
    assert len(found) == len(molecules) == found.rows
    assert found.table.x == pytest.approx(molecules.x.to_numpy(), abs=1e-4)
    assert [found.table.genes[g] for g in found.table.gene[:50]] == molecules.gene[:50].tolist()
    assert found.table.z is not None


def test_columns_are_renamed_and_the_ones_in_the_way_reserved(tmp_path, ask, log, molecules):
    frame = molecules.rename(columns={"x": "x_um"}).assign(x=1.0, x_reserved=2.0)
    options = ask(write(tmp_path / "m.csv", frame), data__x="x_um")
    found = load(options, log)
    names = dict(found.mapping.written)
    assert names["x_um"] == "x"
    assert names["x"] == "x_reserved"
    assert "x_reserved" not in names
    assert found.table.x == pytest.approx(molecules.x.to_numpy(), abs=1e-4)


def test_z_goes_where_it_says_nothing_or_is_not_wanted(tmp_path, ask, log, molecules):
    flat = write(tmp_path / "flat.csv", molecules.assign(z=2.0))
    deep = write(tmp_path / "deep.csv", molecules)
    none = write(tmp_path / "none.csv", molecules.drop(columns="z"))
    gaps = write(tmp_path / "gaps.csv", molecules.assign(z=np.nan))
    cases = [(flat, {}), (none, {}), (deep, {"data__force_2d": "true"}), (gaps, {"data__force_2d": "true"})]
    for path, given in cases:
        found = load(ask(path, **given), log)
        assert found.table.z is None
        assert "z" not in [name for _, name in found.mapping.written]


def test_a_missing_column_is_named_with_the_nearest(tmp_path, ask, log, molecules):
    path = write(tmp_path / "m.csv", molecules.rename(columns={"gene": "genes"}))
    with pytest.raises(InputError, match=r"no column 'gene'; did you mean 'genes'.*--gene-column"):
        load(ask(path), log)
    with pytest.raises(InputError, match="no column 'depth'"):
        load(ask(path, data__gene="genes", data__z="depth"), log)


def test_a_wrong_prior_column_is_named_with_the_nearest(table_file, ask, log):
    with pytest.raises(InputError, match="no column 'nuclei'; did you mean 'nucleus'"):
        load(ask(table_file, prior_segmentation=":nuclei"), log)


def test_nan_is_refused_with_its_row(tmp_path, ask, log, molecules):
    molecules.loc[17, "y"] = np.nan
    with pytest.raises(InputError, match=r"column 'y', row 18.*missing or not a number"):
        load(ask(write(tmp_path / "m.csv", molecules)), log)


def test_rare_and_unwanted_genes_go_and_rows_are_remembered(tmp_path, ask, log, molecules):
    frame = molecules.copy()
    frame.loc[[3, 5], "gene"] = "Blank-1"
    frame.loc[9, "gene"] = "rare"
    options = ask(
        write(tmp_path / "m.csv", frame),
        "--config.data.exclude-genes=Blank*",
        "--config.data.min-molecules-per-gene=2",
    )
    found = load(options, log)
    assert found.row.tolist() == [i for i in range(len(frame)) if i not in (3, 5, 9)]
    assert found.rows == len(frame)
    assert not {"Blank-1", "rare"} & set(found.table.genes)
    assert np.array(found.table.genes)[found.table.gene].tolist() == frame.gene.drop([3, 5, 9]).tolist()


def test_nothing_left_is_refused(table_file, ask, log):
    with pytest.raises(InputError, match="none of 1,200 molecules is left"):
        load(ask(table_file, "--config.data.exclude-genes=G*"), log)


def test_molecules_without_a_gene_are_called_missing(tmp_path, ask, log, molecules):
    molecules.loc[4, "gene"] = None
    found = load(ask(write(tmp_path / "m.csv", molecules)), log)
    assert found.table.genes[found.table.gene[4]] == "missing"
    assert found.table.genes == sorted(found.table.genes)
    assert found.table.genes[found.table.gene[5]] == molecules.gene[5]


def test_words_for_missing_values_are_names_of_genes(tmp_path, ask, log, molecules):
    molecules["gene"] = np.where(molecules.index % 2, "nan", "NA")
    assert load(ask(write(tmp_path / "m.csv", molecules)), log).table.genes == ["NA", "nan"]


def test_duplicates_are_told(tmp_path, ask, log, molecules):
    load(ask(write(tmp_path / "m.csv", pd.concat([molecules, molecules.iloc[:7]]))), log)
    assert any("7 molecules have the same position and gene" in text for text in log.warnings)


def test_no_rows_are_refused(tmp_path, ask, log, molecules):
    with pytest.raises(InputError, match="holds no molecules"):
        load(ask(write(tmp_path / "m.parquet", molecules.iloc[:0])), log)


GENES = ["Blank-1", "Blank-22", "Blankx", "Cd4", "Cd44", "NegControlProbe_1", "my.gene", "myXgene"]


@pytest.mark.parametrize(
    ("patterns", "compat", "gone"),
    [
        ("Blank*", "", {"Blank-1", "Blank-22", "Blankx"}),
        ("Cd4", "", {"Cd4"}),
        ("Cd4", "0.7", {"Cd4", "Cd44"}),
        ("regex:Cd4", "", {"Cd4", "Cd44"}),
        ("my.gene", "", {"my.gene"}),
        ("my.gene", "0.7", {"my.gene", "myXgene"}),
        ("Blank-?", "", {"Blank-1"}),
        ("^Neg, Cd4[4]", "", {"NegControlProbe_1", "Cd44"}),
        (" , ", "", set()),
    ],
)
def test_patterns(log, patterns, compat, gone):
    assert set(np.array(GENES)[excluded(GENES, patterns, compat, log)]) == gone


def test_idle_patterns_and_both_readings_are_told(tmp_path, log):
    excluded(GENES, "Cd4,nothing*", "", log)
    assert log.warnings == ["exclude_genes: no gene matches nothing*"]
    assert "as a regular expression it would take 1 genes more" in (tmp_path / "a_log.log").read_text()


def test_a_faulty_regular_expression_is_refused(log):
    with pytest.raises(SettingsError, match="no regular expression"):
        excluded(GENES, "(", "", log)
