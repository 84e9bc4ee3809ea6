"""Numbers of scanpy and numpy for preprocessing: python preprocess.py > preprocess.json (scanpy 1.11.5, numpy 2.4.6)."""
import json

import anndata as ad
import numpy as np
import scanpy as sc

rng = np.random.default_rng(8)
cells, genes = 60, 90
mean = np.exp(rng.normal(0, 1.2, genes)) * (rng.random(genes) > 0.05)
groups = np.exp(rng.normal(0, 1.0, (3, genes)))
counts = rng.negative_binomial(2, 2 / (2 + mean * groups[rng.integers(0, 3, cells)] + 1e-12))
counts[:, 7] = 0

a = ad.AnnData(counts.astype("f8"))
sc.pp.normalize_total(a, target_sum=1e4)
normalized = a.X.copy()
sc.pp.log1p(a)
sc.pp.highly_variable_genes(a, flavor="seurat", n_top_genes=25)

x = np.log1p(normalized)
centred = x - x.mean(0)
u, s, v = np.linalg.svd(centred, full_matrices=False)
tf = counts / counts.sum(1, keepdims=True)
idf = np.divide(cells, counts.sum(0), out=np.zeros(genes), where=counts.sum(0) > 0)
tfidf = np.log1p(tf * idf * 1e4)
logs = np.log1p(counts)
clr = np.log1p(counts / np.exp(logs.sum(1, keepdims=True) / genes))
number = lambda x: [None if not np.isfinite(v) else float(v) for v in np.asarray(x, dtype="f8").ravel()]
print(
    json.dumps(
        {
            "cells": cells,
            "genes": genes,
            "counts": counts.ravel().tolist(),
            "hvg": {
                "mean": number(a.var["means"]),
                "dispersion": number(a.var["dispersions"]),
                "dispersion_norm": number(a.var["dispersions_norm"]),
                "selected": [bool(v) for v in a.var["highly_variable"]],
            },
            "normalized_row3": number(normalized[3]),
            "tfidf_row3": number(tfidf[3]),
            "clr_row3": number(clr[3]),
            "pca_singular": number(s[:8]),
            "pca_scores_abs": number(np.abs(u * s)[:, :3]),
            "lsi_singular": number(np.linalg.svd(tfidf, compute_uv=False)[:5]),
        }
    )
)
