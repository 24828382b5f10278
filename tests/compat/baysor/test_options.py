"""Spellings, precedence and checks of options, overrides and configuration keys."""

import pytest

from cellcarve.compat.baysor.config import PRESETS, Config, from_file, keys, resolve
from cellcarve.compat.baysor.derive import (
    cells_init,
    check_run,
    neighbourhood,
    noise_neighbour,
    per_segment,
)
from cellcarve.compat.baysor.overrides import split
from cellcarve.compat.baysor.values import spread
from cellcarve.errors import SettingsError


@pytest.mark.parametrize(
    "spelling",
    [
        "--config.segmentation.n-cells-init=7",
        "--config.segmentation.n_cells_init=7",
        "--config.prior.n-cells-init=7",
    ],
)
def test_an_override_takes_both_spellings(spelling):
    rest, layer = split(["run", spelling, "a.csv"])
    assert rest == ["run", "a.csv"]
    assert layer == {"segmentation.n_cells_init": "7"}


def test_an_override_may_take_its_value_from_the_next_word():
    assert split(["--config.data.x", "X", "a"]) == (["a"], {"data.x": "X"})


def test_a_bare_override_of_a_flag_means_true():
    assert split(["--config.data.force-2d", "a.csv"]) == (["a.csv"], {"data.force_2d": "true"})
    assert split(["--config.data.force-2d", "false"])[1] == {"data.force_2d": "false"}


def test_long_options_take_underscores_and_values_keep_theirs():
    assert split(["--gene_column=feature_name", "-s=3"])[0] == ["--gene-column=feature_name", "-s3"]


def test_an_override_without_a_value_is_refused():
    with pytest.raises(SettingsError, match="needs a value"):
        split(["--config.data.x"])


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("segmentation.iter", "segmentation.iters"),
        ("segmentation.prior_confidence", "segmentation.prior_segmentation_confidence"),
        ("data.min_molecules_per_cel", "data.min_molecules_per_cell"),
        ("segmention.iters", "segmentation.iters"),
        ("iters", "segmentation.iters"),
        ("plotting.max_plot", "plotting.max_plot_size"),
    ],
)
def test_an_unknown_key_names_the_nearest(wrong, right):
    with pytest.raises(SettingsError, match=f"there is no key '{wrong}'; did you mean '{right}'"):
        resolve([("here", {wrong: 1})])


def test_each_layer_beats_the_one_before(ask, tmp_path):
    file = tmp_path / "c.toml"
    file.write_text(
        "[data]\nmin_molecules_per_cell = 11\n[segmentation]\nscale = 3\nn_clusters = 6\niters = 9\n"
    )
    options = ask(
        "a.csv",
        "--config.segmentation.n-clusters=7",
        "--config.segmentation.iters=8",
        config=str(file),
        segmentation__n_clusters="5",
    )
    part = options.config.segmentation
    assert (options.config.data.min_molecules_per_cell, part.scale, part.iters, part.n_clusters) == (
        11,
        3.0,
        8,
        5,
    )
    assert part.prior_segmentation_confidence == 0.2


def test_absent_flags_do_not_touch_the_file(ask, tmp_path):
    file = tmp_path / "c.toml"
    file.write_text('[segmentation]\nscale_std = "40%"\n')
    options = ask("a.csv", config=str(file), segmentation__scale_std=None)
    assert options.config.segmentation.scale_std == "40%"


def test_a_file_takes_dashes_aliases_and_bare_numbers(tmp_path):
    file = tmp_path / "c.toml"
    file.write_text(
        '[molecules]\nexclude-genes = ["a", "b*"]\n[prior]\nscale_std = 7.5\nunassigned_prior_label = 0\n'
        "[Plotting]\ngene_composition_neighborhood = 30\n"
    )
    config = resolve([(str(file), from_file(str(file)))])
    assert config.data.exclude_genes == "a,b*"
    assert config.segmentation.scale_std == "7.5"
    assert config.segmentation.unassigned_prior_label == "0"
    assert config.plotting.gene_composition_neigborhood == 30


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("[segmentation\n", "cannot be read as TOML"),
        ("scale = 3\n", "stands outside of the sections"),
        ("[sampling]\n", "there is no section 'sampling'"),
        ("[data]\nforce_2d = 3\n", "must be true or false"),
        ("[segmentation]\niters = 2.5\n", "must be a whole number"),
        ('[segmentation]\nscale = "big"\n', "must be a number"),
        ("[segmentation]\nprior_segmentation_confidence = 1.5\n", "between 0 and 1"),
        ('[segmentation]\nscale_std = "wide"\n', "must be a share"),
        ('[plotting]\nncv_method = "pca"\n', "choose from ri, dense, sparse"),
    ],
)
def test_a_faulty_file_is_refused_with_its_name(tmp_path, text, what):
    file = tmp_path / "c.toml"
    file.write_text(text)
    with pytest.raises(SettingsError, match=what) as caught:
        resolve([(str(file), from_file(str(file)))])
    assert "c.toml" in str(caught.value)


def test_a_missing_file_names_the_presets():
    with pytest.raises(SettingsError, match=r"no configuration file 'nope.toml'.*xenium"):
        from_file("nope.toml")


@pytest.mark.parametrize("preset", [path.stem for path in PRESETS.glob("*.toml")])
def test_presets_hold_known_keys_and_set_the_least_size(preset):
    assert resolve([(preset, from_file(preset))]).data.min_molecules_per_cell > 0


@pytest.mark.parametrize("name", list(keys()))
def test_every_key_can_be_set_by_an_override(name):
    """Whatever its type: the value arrives in the configuration."""
    item = keys()[name]
    value = {"bool": "false", "int": "7", "float": "0.5", "str": "words"}[item.type.__name__]
    value = {"scale_std": "33%", "ncv_method": "dense", "max_plot_size": "700"}.get(item.name, value)
    layer = split([f"--config.{name.replace('_', '-')}={value}"])[1]
    section, key = name.split(".")
    assert str(getattr(getattr(resolve([("here", layer)]), section), key)).lower() == value


@pytest.mark.parametrize(("text", "value"), [("25%", 2.0), ("7.5", 7.5), (" 50 % ", 4.0), ("1e1%", 0.8)])
def test_spread(text, value):
    assert spread(text, 8.0) == pytest.approx(value)


@pytest.mark.parametrize("text", ["", "0", "-3", "x%", "nan", "25%%"])
def test_a_spread_of_nothing_is_refused(text):
    with pytest.raises(SettingsError, match="above 0"):
        spread(text, 8.0)


@pytest.mark.parametrize(
    ("m", "segment", "neighbour", "cells"),
    [(1, 2, 5, 666), (10, 2, 6, 200), (30, 8, 16, 66), (50, 12, 26, 40)],
)
def test_derived_values(m, segment, neighbour, cells):
    config = resolve([("here", {"data.min_molecules_per_cell": m})])
    assert per_segment(config) == segment
    assert noise_neighbour(config) == neighbour
    assert cells_init(config, 1000) == cells


def test_the_neighbourhood_grows_with_the_genes_and_fits_the_data():
    config = resolve([("here", {"data.min_molecules_per_cell": 30})])
    assert neighbourhood(config, 100, 1000) == 30
    assert neighbourhood(config, 5000, 100_000, "0.7") == 500
    assert neighbourhood(config, 5000, 100_000) == 100
    asked = resolve([("here", {"plotting.gene_composition_neigborhood": 500})])
    assert neighbourhood(asked, 5000, 100_000) == 500
    assert neighbourhood(config, 5000, 40) == 40


def config_of(**flat):
    return resolve([("here", {key.replace("__", "."): value for key, value in flat.items()})])


@pytest.mark.parametrize(
    ("config", "prior", "what"),
    [
        (Config(), ":cell", "min_molecules_per_cell"),
        (config_of(data__min_molecules_per_cell=5), "", "no scale is given and there is no prior"),
        (
            config_of(data__min_molecules_per_cell=5, segmentation__estimate_scale_from_centers=False),
            ":cell",
            "estimate_scale_from_centers is false",
        ),
        (
            config_of(data__min_molecules_per_cell=5, segmentation__scale=3, segmentation__nuclei_genes="A"),
            "",
            "belong together",
        ),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_read(config, prior, what):
    with pytest.raises(SettingsError, match=what):
        check_run(config, prior)


def test_formats_are_checked_at_the_start_whatever_their_case(ask):
    assert ask("a.csv", polygon_format="geometrycollectionlegacy").polygons == "GeometryCollectionLegacy"
    assert ask("a.csv", count_matrix_format="tsv,h5ad").counts == ("tsv", "h5ad")
    with pytest.raises(SettingsError, match="did you mean 'GeometryCollection'"):
        ask("a.csv", polygon_format="GeometryColection")
    with pytest.raises(SettingsError, match="count-matrix-format"):
        ask("a.csv", count_matrix_format="mtx")


def test_a_xenium_folder_brings_its_preset_and_flags_beat_it(ask, tmp_path):
    (tmp_path / "experiment.xenium").write_text("{}")
    options = ask(tmp_path / "experiment.xenium", data__min_molecules_per_cell="9")
    assert options.coordinates == tmp_path
    assert options.config.data.x == "x_location"
    assert options.config.data.min_molecules_per_cell == 9
    assert options.config.segmentation.unassigned_prior_label == "UNASSIGNED"


def test_threads_of_a_wrapper_are_taken_over(ask, monkeypatch):
    monkeypatch.setenv("JULIA_NUM_THREADS", "3")
    assert ask("a.csv", threads=0).threads == 3
    assert ask("a.csv", threads=2).threads == 2
