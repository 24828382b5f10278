"""The files of the instruments: what a platform's folder holds, by the platform's name."""

from cellcarve.simulate.platforms.files import Files
from cellcarve.simulate.platforms.visium_hd import VisiumFiles
from cellcarve.simulate.platforms.xenium import XeniumFiles

PLATFORMS: dict[str, type[Files]] = {"xenium": XeniumFiles, "visium_hd": VisiumFiles}
