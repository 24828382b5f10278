"""The named random streams. Numbers are part of reproducibility: never renumbered, never used twice."""

# voxel method, 1 .. 63
VOXEL_MOVE = 1  # proposal and acceptance of a voxel's label; item = column of voxels
REPOSITION = 2  # displacement of a transcript; item = transcript
FOREGROUND = 3  # whether transcripts in cells were made by them; item = four transcripts in turn, a word each
FACTOR = 4  # latent factor of a transcript; item = transcript
RATE = 5  # expression rate of a (cell, gene or factor) pair; item = cell, k counts from the pair's own offset
REST = 6  # sum of a cell's rates without counts; item = cell
COMPONENT = 7  # mixture component of a cell; item = cell
WEIGHT = 8  # mixture weights; item = component
DISPERSION = 9  # r of a component and gene; item = component * genes + gene
TABLES = 10  # Chinese-restaurant tables of a (cell, gene) pair; item as RATE
ODDS = 11  # s of a component and gene; item = component * genes + gene
LOADING = 12  # theta of a factor and gene
BACKGROUND = 13  # background rate of a gene in a layer and stratum
VOLUME = 14  # mean and spread of log volumes; item = component
SCALE = 15  # scale of a cell; item = cell
PLACES = 16  # where the places around a transcript begin; item = transcript

# mixture method, 64 .. 127
MIXTURE_ASSIGN = 64  # component of a transcript; item = rank of the transcript among the kept rows
MIXTURE_CLUSTERS = 65  # start of the molecule clusters; key of a NumPy generator
MIXTURE_KINDS = 66  # first profiles of kinds of cells; key of a NumPy generator
MIXTURE_COLOURS = 67  # random vectors of genes and the embedding of compositions; key of a NumPy generator
MIXTURE_STREWN = (
    68  # points strewn over the tissue, with which transcripts are compared; key of a NumPy generator
)
MIXTURE_LAYOUT = 69  # points that push a point of a layout; sweep = round, item = pair of neighbours
MIXTURE_SHARPNESS = (
    70  # points strewn between nuclei, to tell how sharp borders are; key of a NumPy generator
)
