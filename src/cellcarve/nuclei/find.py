"""Look for nuclei tile by tile; the answer does not depend on the threads."""

import os
import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from cellcarve.errors import InputError, OutputError
from cellcarve.nuclei.classical import draw, measure_light, shrunk, working_factor
from cellcarve.nuclei.picture import Picture, open_picture
from cellcarve.nuclei.pose import draw_with, load_model
from cellcarve.nuclei.save import ENDINGS, save
from cellcarve.nuclei.settings import NucleiSettings
from cellcarve.progress import Progress

# Diameters around a tile that are looked at with it.
_HALO = 3.0


@dataclass(frozen=True)
class Tile:
    """A square of a picture: its own pixels, and those looked at with it, as (first row, last, first column, last)."""

    own: tuple[int, int, int, int]
    seen: tuple[int, int, int, int]


Draw = Callable[[Tile], tuple[np.ndarray, np.ndarray]]


def find_nuclei(
    image: Path, output: Path, settings: NucleiSettings, progress: Progress, probabilities: Path | None = None
) -> int:
    """Find the nuclei of a picture and write them as a label image.

    Parameters
    ----------
    image
        Picture of DAPI or another stain of nuclei.
    output
        ``.npy``, ``.npy.gz`` or ``.tif``: (rows, columns) uint32 of the picture's size, 0 = none. An earlier file is
        replaced when the new one is whole.
    settings
        How they are looked for.
    progress
        Who is told how far it is.
    probabilities
        The same for float32 logits of belonging to a nucleus, if wanted.

    Returns
    -------
    int
        Number of nuclei.

    Raises
    ------
    InputError
        The picture cannot be read, or nothing tells the size of its pixels.
    OutputError
        A file cannot be written.
    """
    outputs = [path for path in (output, probabilities) if path is not None]
    for path in outputs:
        _check(path)
    with open_picture(image, settings.channel) as picture:
        pixel = settings.pixel or picture.pixel
        if pixel is None:
            raise InputError(f"{image} does not tell the size of its pixels; give it in µm with --pixel")
        aside = Path(tempfile.mkdtemp(prefix=f".{output.name}-", dir=output.parent))
        try:
            label, logit = (_blank(aside / f"{i}.npy", kind, picture) for i, kind in enumerate(("u4", "f4")))
            number = _fill(picture, pixel, settings, (label, logit), progress)
            progress.stage("write")
            for path, values in zip(outputs, (label, logit), strict=False):
                save(values, path, aside)
        except OSError as error:
            raise OutputError(f"cannot write '{output}': {error.strerror}; free space there") from error
        finally:
            shutil.rmtree(aside, ignore_errors=True)
    return number


def _check(path: Path) -> None:
    if not path.name.endswith(ENDINGS):
        raise OutputError(f"'{path}' has an unknown ending; write {', '.join(ENDINGS)}")
    if not path.parent.is_dir():
        raise OutputError(f"there is no folder '{path.parent}' to write to; make it first")
    if path.is_dir():
        raise OutputError(f"'{path}' is a folder; name a file")


def _blank(path: Path, kind: str, picture: Picture) -> np.ndarray:
    return np.lib.format.open_memmap(path, "w+", kind, picture.shape)


def _fill(
    picture: Picture,
    pixel: float,
    settings: NucleiSettings,
    written: tuple[np.ndarray, np.ndarray],
    progress: Progress,
) -> int:
    """Write the nuclei of all tiles, in the order of the tiles; their number."""
    label, logit = written
    one = _drawing(picture, pixel, settings, progress)
    tiles = list(_tiles(picture.shape, pixel, settings))
    progress.stage("finding nuclei", len(tiles), "tiles")
    number = 0
    for tile, (found, score) in zip(tiles, _in_order(one, tiles, settings), strict=True):
        number += _place(tile, found, label, number)
        a, b, c, d = tile.own
        top, left = a - tile.seen[0], c - tile.seen[2]
        logit[a:b, c:d] = score[top : top + b - a, left : left + d - c]
        progress.advance(1)
    return number


def _in_order(
    one: Draw, tiles: list[Tile], settings: NucleiSettings
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Results in the order of the tiles, a few of them at work at a time."""
    threads = settings.threads or os.cpu_count() or 1
    if settings.finder == "cellpose":
        threads = 1
    waiting: deque[Future[tuple[np.ndarray, np.ndarray]]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        for tile in tiles:
            waiting.append(pool.submit(one, tile))
            if len(waiting) > threads:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()


def _drawing(picture: Picture, pixel: float, settings: NucleiSettings, progress: Progress) -> Draw:
    """What finds the nuclei of a tile with its surroundings, at full size."""
    if settings.finder == "cellpose":
        model = load_model()
        return lambda tile: draw_with(model, picture.read(*_slices(tile.seen)), pixel, settings)
    progress.stage("measuring light")
    light = measure_light(picture, pixel, settings)
    factor = working_factor(pixel)

    def one(tile: Tile) -> tuple[np.ndarray, np.ndarray]:
        image = shrunk(picture.read(*_slices(tile.seen)), factor)
        rows, columns = (
            first + factor * (np.arange(n) + 0.5)
            for first, n in zip(tile.seen[::2], image.shape, strict=True)
        )
        drawn = draw(image, light.at(rows, columns), pixel * factor, settings)
        height, width = tile.seen[1] - tile.seen[0], tile.seen[3] - tile.seen[2]
        label, logit = (v.repeat(factor, 0).repeat(factor, 1)[:height, :width] for v in drawn)
        return label, logit

    return one


def _slices(box: tuple[int, int, int, int]) -> tuple[slice, slice]:
    return slice(box[0], box[1]), slice(box[2], box[3])


def _tiles(shape: tuple[int, int], pixel: float, settings: NucleiSettings) -> Iterator[Tile]:
    """Squares over a picture, whose corners fall on whole pixels of the working scale."""
    factor = working_factor(pixel)
    side = max(settings.tile // factor, 1) * factor
    halo = int(np.ceil(_HALO * settings.diameter / pixel / factor)) * factor
    height, width = shape
    for a in range(0, height, side):
        for c in range(0, width, side):
            own = (a, min(a + side, height), c, min(c + side, width))
            seen = (max(a - halo, 0), min(own[1] + halo, height), max(c - halo, 0), min(own[3] + halo, width))
            yield Tile(own, seen)


def _place(tile: Tile, found: np.ndarray, label: np.ndarray, taken: int) -> int:
    """Write the nuclei whose centre lies in the tile, where nothing is written yet; how many there were."""
    if not found.any():
        return 0
    row, column = np.nonzero(found)
    owner = found[row, column]
    size = np.maximum(np.bincount(owner), 1)
    y = np.bincount(owner, row) / size + tile.seen[0]
    x = np.bincount(owner, column) / size + tile.seen[2]
    a, b, c, d = tile.own
    mine = (y >= a) & (y < b) & (x >= c) & (x < d)
    mine[0] = False
    number = np.where(mine, np.cumsum(mine) + taken, 0)
    rows, columns = _slices(tile.seen)
    there = label[rows, columns]
    free = (there == 0) & mine[found]
    there[free] = number[found[free]]
    return int(mine.sum())
