"""Opens files that we wrote with anndata and compares them with what they were made of (anndata 0.12.19).

    mosaic-vae mock --problem mosaic --out mosaic.h5ad
    python check-anndata.py mosaic.h5ad
    python check-anndata.py copy.h5ad cells.h5ad      # copy.h5ad: obs, X, X_atac of cells.h5ad written by writeH5ad
"""
import sys

import anndata as ad
import numpy as np
import pandas as pd

ours = ad.read_h5ad(sys.argv[1])
print(ours)
if len(sys.argv) > 2:
    theirs = ad.read_h5ad(sys.argv[2])
    pd.testing.assert_frame_equal(ours.obs, theirs.obs)
    for name in theirs.obs:
        assert ours.obs[name].dtype == theirs.obs[name].dtype, name
    assert (ours.X != theirs.X).nnz == 0
    assert (ours.obsm["X_atac"] != theirs.obsm["X_atac"]).nnz == 0
else:
    counts = ours.layers["counts"].toarray()
    measured = ours.obs["has_rna"].to_numpy()
    assert (counts[measured] == ours.layers["truth_counts"][measured]).all()
    assert (counts[~measured] == 0).all()
    assert np.allclose(ours.layers["truth_frac"].sum(1), 1, atol=1e-4)
ad.read_h5ad(sys.argv[1], backed="r")
ours.write_h5ad(sys.argv[1] + ".again")
print("ok")
