"""Every file of a run: names, columns, round trips through readers that people use, and what they agree on."""

import json
import tomllib

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.sparse import csr_matrix, random

from cellcarve.compat.baysor import method
from cellcarve.compat.baysor.config import from_file, resolve
from cellcarve.compat.baysor.outputs.cell_stats import significant
from cellcarve.compat.baysor.outputs.loom import write_loom
from cellcarve.compat.baysor.outputs.mend import mend
from cellcarve.compat.baysor.outputs.polygons import collection, polygons_of
from cellcarve.errors import InputError, Interrupted, OutputError, SettingsError
from cellcarve.mixture.result import Rings
from cellcarve.staged import staged

STATS = ["cell", "x", "y", "z", "cluster", "n_transcripts", "density", "elongation", "area", "avg_confidence",
         "avg_assignment_confidence", "max_cluster_frac", "lifespan"]  # fmt: skip
NEW = ["molecule_id", "prior_segmentation", "confidence", "cluster", "cell", "assignment_confidence", "is_noise",
       "ncv_color"]  # fmt: skip


@pytest.fixture
def run(truth_as_method, table_file, tmp_path):
    """Run on the small table with more words; the folder."""

    def go(*more, prior=":nucleus", table=None):
        out = tmp_path / "out"
        out.mkdir(exist_ok=True)
        truth_as_method(
            ["run", "-m", "8", "-s", "4", "-o", f"{out}/", *more, str(table or table_file), prior]
        )
        return out

    return go


def read(out):
    return pd.read_csv(out / "segmentation.csv", dtype={"cell": str}, keep_default_na=False)


def test_the_files_of_a_run(run):
    out = run("--count-matrix-format", "loom,tsv,h5ad", "-p")
    assert {path.name for path in out.iterdir()} == {
        "segmentation.csv",
        "segmentation_cell_stats.csv",
        "segmentation_counts.loom",
        "segmentation_counts.tsv",
        "segmentation_counts.h5ad",
        "segmentation_polygons_2d.json",
        "segmentation_polygons_3d.json",
        "segmentation_params.dump.toml",
        "segmentation_log.log",
        "segmentation_diagnostics.html",
        "segmentation_borders.html",
    }


def test_the_table_keeps_the_input_and_adds_columns_in_order(run, molecules):
    found = read(run())
    assert list(found.columns) == [*molecules.columns, *NEW]
    pd.testing.assert_frame_equal(found[list(molecules.columns)], molecules)
    assert found.molecule_id.tolist() == list(range(1, len(molecules) + 1))
    assert ((found.cell == "") == found.is_noise).all()
    assert (found.is_noise == (molecules.truth == 0)).all()
    assert found.cell[~found.is_noise].str.fullmatch(r"CR[0-9a-f]{9}-\d+").all()
    assert (found.ncv_color == "#FF0010").all()
    assert found.confidence.equals(found.confidence.round(5))


def test_the_table_keeps_the_text_of_a_csv(run, table_file, tmp_path):
    """Numbers are not read and written again: 1.50 stays 1.50."""
    lines = table_file.read_text().splitlines()
    lines[1] = 'a "b", c,10.500,11.0000,1.50,G00,020.1,1,1'.replace('a "b", c', '"a ""b"", c"')
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    out = run(table=tmp_path / "t.csv")
    written = (out / "segmentation.csv").read_text().splitlines()
    assert written[2].startswith(lines[2])
    assert "10.500" in written[1]
    assert "020.1" in written[1]
    assert read(out).transcript_id[0] == 'a "b", c'


def test_words_that_mean_nothing_elsewhere_are_kept(run, molecules, tmp_path):
    """As in Baysor, only empty fields are missing; a gene may be called nan. Those without a name get one, as in counts."""
    words = ["NA", "nan", "NULL", ""] * 300
    molecules.assign(note=words, gene=words).to_csv(tmp_path / "t.csv", index=False)
    out = run("--count-matrix-format=tsv", table=tmp_path / "t.csv")
    found = read(out)
    assert found.note.tolist() == words
    assert found.gene.tolist() == [word or "missing" for word in words]
    counts = pd.read_csv(out / "segmentation_counts.tsv", sep="\t", keep_default_na=False)
    assert counts.gene.tolist() == ["NA", "NULL", "missing", "nan"]


def test_whole_numbers_among_others_keep_their_point(run, molecules, tmp_path):
    """So that a reader who looks at the first rows does not take the column for one of integers."""
    frame = molecules.assign(far=np.where(molecules.index == 700, 1.25, 2.0), huge=1e12, gap=np.nan)
    frame["narrow"] = frame.far.astype(np.float32)
    frame.to_parquet(tmp_path / "t.parquet")
    found = pd.read_csv(run(table=tmp_path / "t.parquet") / "segmentation.csv", dtype=str)
    for name in ("far", "narrow"):
        assert found[name].value_counts().to_dict() == {"2.0": 1199, "1.25": 1}
    assert set(found.huge.astype(float)) == {1e12}
    assert found.gap.isna().all()
    for name in ("x", "qv", "confidence", "assignment_confidence"):
        assert found[name].str.contains(r"\.|e", regex=True).all()


def test_names_are_plain_text_without_quotes(run):
    assert '"' not in (run() / "segmentation.csv").read_text()


def test_a_column_that_was_there_is_replaced_in_place(run, tmp_path, molecules):
    molecules.insert(1, "cell", "old")
    molecules["confidence"] = 7
    molecules["ncv_color"] = "#000000"
    molecules.to_csv(tmp_path / "t.csv", index=False)
    found = read(run(table=tmp_path / "t.csv"))
    assert list(found.columns)[:3] == ["transcript_id", "cell", "x"]
    assert found.columns.is_unique
    assert not (found.cell == "old").any()
    assert found.confidence.max() <= 1
    assert (found.ncv_color == "#FF0010").all()


def test_parquet_goes_in_with_all_of_its_columns(run, tmp_path, molecules):
    frame = molecules.assign(
        transcript_id=molecules.transcript_id.str.encode("utf8"), flag=molecules.qv > 30, gap=np.nan
    )
    frame["kind"] = pd.Categorical(np.where(frame.flag, "a", "b"))
    frame.to_parquet(tmp_path / "t.parquet")
    found = read(run(table=tmp_path / "t.parquet"))
    assert found.transcript_id.tolist() == molecules.transcript_id.tolist()
    assert found.flag.tolist() == frame.flag.tolist()
    assert found.kind.tolist() == frame.kind.tolist()
    assert (found.gap.astype(str).isin(["", "nan"])).all()


def test_rows_left_out_with_their_genes_are_not_written(run, molecules):
    found = read(run("--config.data.exclude-genes=G00"))
    assert found.transcript_id.tolist() == molecules.transcript_id[molecules.gene != "G00"].tolist()


def test_an_input_that_changes_meanwhile_is_found_out(run, truth_as_method, monkeypatch, table_file):
    known = method.segment

    def segment(molecules, *rest):
        done = known(molecules, *rest)
        table_file.write_text("\n".join(table_file.read_text().splitlines()[:-5]) + "\n")
        return done

    monkeypatch.setattr(method, "segment", segment)
    with pytest.raises(InputError, match="had 1200 rows when the run began and has 1195 now"):
        run()


def test_statistics_of_cells(run, molecules):
    out = run()
    stats = pd.read_csv(out / "segmentation_cell_stats.csv")
    found = read(out)
    assert list(stats.columns) == STATS
    inside = found[~found.is_noise]
    by_cell = inside.groupby("cell")
    assert dict(zip(stats.cell, stats.n_transcripts, strict=True)) == by_cell.size().to_dict()
    assert stats.set_index("cell").x.to_dict() == pytest.approx(by_cell.x.mean().to_dict(), abs=1e-3)


def test_files_agree_on_the_cells(run):
    out = run("--count-matrix-format", "loom,tsv,h5ad")
    cells = set(read(out).cell) - {""}
    assert set(pd.read_csv(out / "segmentation_cell_stats.csv").cell) == cells
    with h5py.File(out / "segmentation_counts.loom") as file:
        assert set(file["col_attrs/Name"].asstr()[:]) == cells
    assert set(pd.read_csv(out / "segmentation_counts.tsv", sep="\t", index_col=0).columns) == cells
    assert set(anndata.read_h5ad(out / "segmentation_counts.h5ad").obs_names) == cells
    shapes = json.loads((out / "segmentation_polygons_2d.json").read_text())["features"]
    assert {shape["id"] for shape in shapes} == cells
    deep = json.loads((out / "segmentation_polygons_3d.json").read_text())
    assert list(deep) == ["0.0", "1.5", "3.0"]
    assert {shape["id"] for layer in deep.values() for shape in layer["features"]} <= cells


def test_counts_are_those_of_the_table(run):
    out = run("--count-matrix-format", "loom,tsv,h5ad")
    found = read(out)
    inside = found[~found.is_noise]
    expected = pd.crosstab(inside.gene, inside.cell)
    tsv = pd.read_csv(out / "segmentation_counts.tsv", sep="\t", index_col=0)
    assert (tsv.loc[expected.index, expected.columns] == expected).all(axis=None)
    assert tsv.to_numpy().sum() == len(inside)
    ann = anndata.read_h5ad(out / "segmentation_counts.h5ad")
    assert (ann.to_df().T.loc[expected.index, expected.columns] == expected).all(axis=None)
    with h5py.File(out / "segmentation_counts.loom") as file:
        assert file["matrix"].dtype == np.int64
        genes, cells = file["row_attrs/Name"].asstr()[:], file["col_attrs/Name"].asstr()[:]
        loom = pd.DataFrame(file["matrix"][:], genes, cells)
        assert file["col_attrs/CellID"][:].tolist() == list(np.arange(1.0, len(cells) + 1))
        assert set(file["col_attrs"]) == {"CellID", "Name", *STATS} - {"cell"}
        assert file["attrs/LOOM_SPEC_VERSION"].asstr()[()] == "3.0.0"
        assert {"layers", "row_graphs", "col_graphs"} <= set(file)
    assert (loom.loc[expected.index, expected.columns] == expected).all(axis=None)


@pytest.mark.parametrize("shape", [(0, 0), (3, 0), (0, 4), (1, 1), (70, 70), (65, 5000)])
def test_looms_of_any_shape(tmp_path, shape):
    matrix = csr_matrix(random(*shape, density=0.05, random_state=1, data_rvs=lambda n: np.arange(1, n + 1)))
    matrix = matrix.astype(np.int64)
    write_loom(
        tmp_path / "a.loom", matrix, {"Name": np.arange(shape[0]).astype(str)}, {"n": np.arange(shape[1])}
    )
    with h5py.File(tmp_path / "a.loom") as file:
        assert np.array_equal(file["matrix"][:], matrix.toarray())


@pytest.mark.parametrize("form", ["FeatureCollection", "GeometryCollection", "GeometryCollectionLegacy"])
def test_polygons_in_every_form(run, form):
    out = run("--polygon-format", form)
    content = json.loads((out / "segmentation_polygons_2d.json").read_text())
    found = read(out)
    if form == "FeatureCollection":
        assert content["type"] == form
        marks = [feature["id"] for feature in content["features"]]
        assert marks == [feature["properties"]["cell"] for feature in content["features"]]
        shapes = [feature["geometry"] for feature in content["features"]]
    else:
        assert content["type"] == "GeometryCollection"
        shapes = content["geometries"]
        marks = [shape["cell"] for shape in shapes]
    cells = set(found.cell) - {""}
    if form == "GeometryCollectionLegacy":
        assert all(isinstance(mark, int) for mark in marks)
        assert {str(mark) for mark in marks} == {cell.split("-")[1] for cell in cells}
    else:
        assert set(marks) == cells
    for shape in shapes:
        ring = shape["coordinates"][0]
        assert shape["type"] == "Polygon"
        assert len(shape["coordinates"]) == 1
        assert ring[0] == ring[-1]
        assert len(ring) >= 4
        assert shapely.geometry.shape(shape).is_valid
        assert shapely.geometry.shape(shape).area > 0


def test_polygons_can_be_left_out(run):
    assert not list(run("--polygon-format", "none").glob("*polygons*"))


def test_tiny_coordinates_keep_their_polygons():
    """In millimetres a cell is a hundredth wide: vertices are written finely enough."""
    ring = np.array([[0, 0], [0.01, 0], [0.01, 0.01], [0, 0.01], [0, 0]])
    rings = Rings(np.array([1], np.int32), ring[:, 0], ring[:, 1], np.array([0, 5]))
    text = collection(rings, np.array(["C-1"], object), "GeometryCollection", 0.005)
    shape = json.loads(text)["geometries"][0]
    assert shapely.geometry.shape(shape).area == pytest.approx(1e-4)


def test_rings_are_mended_so_that_every_cell_has_a_valid_one(finished, ask, log, table_file, molecules):
    from cellcarve.compat.baysor.loading import load

    run = finished(load(ask(table_file), log).table, molecules.truth.to_numpy())
    rings = run.rings
    assert mend(rings, run.cells, 4.0) is rings
    x, start = rings.x.copy(), rings.start
    second = slice(start[1], start[2])
    x[second] = 50 + np.array([0, 1, 0, 1, *[0] * (start[2] - start[1] - 5), 0])[: start[2] - start[1]]
    x[start[2] : start[3]] = 3.0
    # The first cell has no ring at all, the second crosses itself, the third is flat.
    broken = Rings(rings.cell[1:], x[start[1] :], rings.y[start[1] :], start[1:] - start[1])
    shapes = polygons_of(mend(broken, run.cells, 4.0))
    assert len(shapes) == len(run.cells.x)
    assert shapely.is_valid(shapes).all()
    assert (shapely.area(shapes) > 0).all()
    centre = shapely.Point(run.cells.x[0], run.cells.y[0])
    assert shapes[0].contains(centre)
    assert shapely.equals(shapes[3:], polygons_of(rings)[3:]).all()


def test_parameters_are_those_in_force_and_can_be_given_again(run, tmp_path):
    out = run("--config.segmentation.iters=77", "--scale-std", "30%")
    dump = out / "segmentation_params.dump.toml"
    assert dump.read_text().startswith("# CLI params: run -m 8")
    values = tomllib.loads(dump.read_text())
    assert values["segmentation"]["iters"] == 77
    assert values["segmentation"]["scale"] == 4.0
    assert float(values["segmentation"]["scale_std"]) == pytest.approx(1.2)
    assert values["segmentation"]["n_cells_init"] == 300
    assert values["data"]["min_molecules_per_segment"] == 2
    assert values["data"]["confidence_nn_id"] == 5
    assert values["plotting"]["gene_composition_neigborhood"] == 8
    again = resolve([("dump", from_file(str(dump)))])
    assert again.segmentation.iters == 77


def test_the_log_tells_what_happened(run):
    lines = (run() / "segmentation_log.log").read_text().splitlines()
    assert all(line[0] == "[" and line[3] == ":" for line in lines)
    text = "\n".join(lines)
    assert "Info: Loaded 1200 transcripts, 12 genes." in text
    assert "Info: All done!" in text


def test_the_same_run_gives_the_same_bytes_and_another_seed_other_names(run):
    first = (run() / "segmentation.csv").read_bytes()
    assert (run() / "segmentation.csv").read_bytes() == first
    assert (run("--seed", "2") / "segmentation.csv").read_bytes() != first


def test_all_noise_gives_empty_outputs_and_a_warning(run, tmp_path, molecules):
    molecules.assign(truth=0).to_csv(tmp_path / "t.csv", index=False)
    out = run("--count-matrix-format", "loom,tsv,h5ad", "-p", table=tmp_path / "t.csv")
    assert read(out).is_noise.all()
    assert len(pd.read_csv(out / "segmentation_cell_stats.csv")) == 0
    with h5py.File(out / "segmentation_counts.loom") as file:
        assert file["matrix"].shape == (12, 0)
    assert pd.read_csv(out / "segmentation_counts.tsv", sep="\t").gene.tolist() == sorted(
        molecules.gene.unique()
    )
    assert json.loads((out / "segmentation_polygons_2d.json").read_text())["features"] == []
    assert "Warning: every molecule is noise" in (out / "segmentation_log.log").read_text()


def test_a_least_size_above_every_cell_is_warned_of(run):
    log = (run("--min-molecules-per-cell=500") / "segmentation_log.log").read_text()
    assert "Warning: no cell has 500 molecules" in log


@pytest.mark.parametrize("stage", ["segment", "outline", "colour"])
def test_an_interrupted_run_leaves_whole_files_only(run, monkeypatch, stage):
    """Before the tables are saved nothing is touched; after, they are all of the new run, and whole."""
    out = run("-p", "--count-matrix-format=tsv")
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(method, stage, stop)
    with pytest.raises(KeyboardInterrupt if stage == "segment" else Interrupted):
        run("--seed", "2")
    after = {path.name: path.read_bytes() for path in out.iterdir()}
    assert "Error: interrupted" in after.pop("segmentation_log.log").decode()
    if stage == "segment":
        before.pop("segmentation_log.log")
        assert after == before
        return
    expected = {"segmentation.csv", "segmentation_cell_stats.csv", "segmentation_counts.loom"}
    expected |= {"segmentation_params.dump.toml"}
    if stage == "colour":
        expected |= {"segmentation_polygons_2d.json", "segmentation_polygons_3d.json"}
    assert set(after) == expected
    assert list(read(out).columns)[-1] == "is_noise"


@pytest.mark.parametrize(
    ("change", "words", "what"),
    [
        ({"gene": "genes"}, [], "no column 'gene'"),
        ({"nucleus": "nuclei"}, [], "no column 'nucleus'"),
        ({}, ["--config.data.exclude-genes=*"], "none of 1,200 molecules is left"),
        (
            {},
            ["--config.segmentation.nuclei-genes=Q", "--config.segmentation.cyto-genes=G01"],
            "none of nuclei_genes",
        ),
    ],
)
def test_what_cannot_be_done_leaves_an_earlier_run_as_it_was(run, molecules, tmp_path, change, words, what):
    out = run()
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    molecules.rename(columns=change).to_csv(tmp_path / "t.csv", index=False)
    with pytest.raises((InputError, SettingsError), match=what):
        run(*words, table=tmp_path / "t.csv")
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_a_full_disk_is_one_sentence_and_leaves_nothing(tmp_path):
    target = tmp_path / "a.csv"
    target.write_text("old")

    def write():
        with staged() as stage:
            stage.place(target).write_text("new")
            raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match=r"cannot write .*a\.csv.*No space"):
        write()
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]
    assert target.read_text() == "old"


def test_wrong_words_are_refused_in_one_sentence(truth_as_method, table_file, tmp_path):
    with pytest.raises(SettingsError, match=r"No such option.*--scal"):
        truth_as_method(["run", "--scal=3", str(table_file)])
    with pytest.raises(SettingsError, match="Missing argument"):
        truth_as_method(["run"])
    with pytest.raises(
        SettingsError, match=r"there is no key 'segmentation.iter'; did you mean 'segmentation.iters'"
    ):
        truth_as_method(["run", "--config.segmentation.iter=3", str(table_file)])
    with pytest.raises(InputError, match="does not exist"):
        truth_as_method(["run", "-m", "5", "-s", "4", "-o", str(tmp_path), str(tmp_path / "no.csv")])


def test_the_version_is_one_that_callers_can_compare(truth_as_method, capsys):
    for words in (["--version"], ["run", "--version"]):
        truth_as_method(words)
        assert capsys.readouterr().out == "0.7.1\n"


def test_help_names_every_key(truth_as_method, capsys):
    truth_as_method(["run", "--help"])
    text = capsys.readouterr().out
    assert "--config.segmentation.unassigned-prior-label=0" in text
    assert "--prior-segmentation-confidence" in text


@pytest.mark.parametrize(
    ("value", "rounded"),
    [(123456.0, 123500.0), (0.00123456, 0.001235), (-2.0, -2.0), (9.99996, 10.0), (1e-12, 1e-12)],
)
def test_significant_digits(value, rounded):
    assert significant(np.array([value]))[0] == rounded


def test_significant_digits_of_nothing():
    assert np.isnan(significant(np.array([np.nan]))[0])
    assert significant(np.array([np.inf, 0.0])).tolist() == [np.inf, 0.0]
