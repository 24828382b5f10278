#!/bin/sh
# What proseg 3.2.0 writes for transcripts.csv.gz; needs it on the path.
set -e
cd "$(dirname "$0")"
proseg transcripts.csv.gz --xenium --nthreads 1 --samples 20 --recorded-samples 10 --burnin-samples 20 --hillclimb 5 \
  --voxel-layers 2 --density-bins 3 --ncomponents 3 --no-factorization --overwrite \
  --output-counts counts.mtx.gz --output-expected-counts expected-counts.mtx.gz \
  --output-cell-metadata cell-metadata.csv.gz --output-transcript-metadata transcript-metadata.csv.gz \
  --output-gene-metadata gene-metadata.csv.gz --output-metagene-rates metagene-rates.csv.gz \
  --output-metagene-loadings metagene-loadings.csv.gz --output-cell-polygons cell-polygons.geojson.gz \
  --output-union-cell-polygons cell-polygons-union.geojson.gz \
  --output-cell-polygon-layers cell-polygons-layers.geojson.gz
proseg-to-baysor proseg-output.zarr --output-transcript-metadata baysor.csv --output-cell-polygons baysor.geojson
gzip -nf baysor.csv baysor.geojson
python -c "import shutil; shutil.make_archive('proseg-output.zarr', 'zip', '.', 'proseg-output.zarr')"
rm -r proseg-output.zarr
