"""Pixels or millimetres that are given for µm are noticed, and real tissue never is."""

import numpy as np
import pandas as pd
import pytest

from cellcarve.errors import InputError
from cellcarve.read import read
from cellcarve.settings import ReadSettings

CROPS = [
    "xenium_breast",
    "xenium_lung/10x_preview_non-diseased_human_lung_10k_transcripts",
    "xenium_lung/10x_preview_non-diseased_human_lung_15k_transcripts",
    "xenium_prime_tiny_bundle",
    "cosmx_lung12",
    "merscope_brain/small_with_images",
    "merscope_brain/large_no_images",
]


def scattered(density, side, seed=0):
    """Transcripts of even density (per unit²) over a square."""
    rng = np.random.default_rng(seed)
    n = int(density * side**2)
    return pd.DataFrame({"x": rng.uniform(0, side, n), "y": rng.uniform(0, side, n), "gene": "A"})


def says_scale(table):
    return any("--scale" in note for note in table.notes)


@pytest.mark.parametrize("crop", CROPS)
def test_no_alarm_on_real_tissue(data_folder, crop):
    assert not says_scale(read(data_folder / crop, ReadSettings()))


def test_dense_pixels_of_a_wide_field_are_refused():
    pixels = scattered(0.05, 400)
    pixels[["x", "y"]] /= 0.12028
    with pytest.raises(InputError, match=r"8,000 transcripts over 3,\d+ x 3,\d+ um.*--scale"):
        read(pixels, ReadSettings())
    assert not says_scale(read(pixels, ReadSettings(scale=0.12028)))


def test_thin_pixels_get_a_note():
    pixels = scattered(0.2, 200)
    pixels[["x", "y"]] *= 8
    assert says_scale(read(pixels, ReadSettings()))


@pytest.mark.parametrize("side", [300, 3000])
def test_millimetres_are_refused(side):
    tissue = scattered(2e5 / side**2, side)
    tissue[["x", "y"]] /= 1000
    with pytest.raises(
        InputError, match=r"0,000 transcripts over \S+ x \S+ um are far too dense.*--scale 1000"
    ):
        read(tissue, ReadSettings())
    assert not says_scale(read(tissue, ReadSettings(scale=1000.0)))


@pytest.mark.parametrize("density", [0.05, 0.5])
def test_even_thin_tissue_gets_no_note(density):
    assert not says_scale(read(scattered(density, 300), ReadSettings()))


def test_the_rule_is_the_same_for_a_sample_of_the_rows(monkeypatch):
    tissue, pixels = scattered(0.1, 400), scattered(0.001, 4000)
    for most in (1_000_000, 1_500):
        monkeypatch.setattr("cellcarve.read.scale._MOST", most)
        assert not says_scale(read(tissue, ReadSettings()))
        with pytest.raises(InputError, match="--scale"):
            read(pixels, ReadSettings())


def test_dense_islands_far_apart_are_tissue():
    """Two sections on one slide: thin over all, dense where the transcripts are."""
    other = scattered(1, 60, seed=1)
    other[["x", "y"]] += 20_000
    islands = pd.concat([scattered(1, 60), other])
    assert not says_scale(read(islands, ReadSettings()))
