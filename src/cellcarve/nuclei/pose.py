"""Nuclei by Cellpose, where the user has installed it; it brings its own weights."""

from typing import Any

import numpy as np

from cellcarve.errors import SettingsError
from cellcarve.nuclei.settings import NucleiSettings


def load_model() -> Any:
    """Cellpose's model, of version 4 or 3.

    Raises
    ------
    SettingsError
        Cellpose is not installed.
    """
    try:
        from cellpose import core, models
    except ImportError as error:
        raise SettingsError(
            f"Cellpose cannot be loaded ({error}); install it with 'pip install cellpose', or take --finder classical"
        ) from None
    gpu = core.use_gpu()
    if hasattr(models, "Cellpose"):
        return models.CellposeModel(gpu=gpu, model_type="nuclei")
    return models.CellposeModel(gpu=gpu)


def draw_with(
    model: Any, image: np.ndarray, pixel: float, settings: NucleiSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Nuclei of a piece of a picture.

    Parameters
    ----------
    model
        From `load_model`.
    image
        (rows, columns) float32 brightness.
    pixel
        µm per pixel.
    settings
        Diameter and least area.

    Returns
    -------
    tuple
        (rows, columns) int32 labels from 1, 0 = none; and float32 logits of belonging to a nucleus.
    """
    least = int(settings.least_area / pixel**2)
    masks, flows, *_ = model.eval(image, diameter=settings.diameter / pixel, min_size=least)
    return np.asarray(masks, np.int32), np.asarray(flows[2], np.float32).reshape(masks.shape)
