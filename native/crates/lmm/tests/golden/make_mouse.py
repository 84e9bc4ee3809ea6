"""Prepares tests/mouse.rs: eigendecomposition and unpacked GEMMA tables of the mouse_hs1940 reference data.

    python make_mouse.py <repository>/../shared/data/lmm/mouse_hs1940 <repository>/target/mouse

Needs numpy and scipy. GEMMA cuts the kinship to the analysed people (non-missing phenotype 1) and centres it again
before the eigendecomposition; so does this. Written: keep.txt (row numbers of the analysed people), values.f64,
vectors.f64 (row = person, column = eigenvector; little-endian), lmm1.txt, lmm1_cov2.txt (GEMMA's tables).
"""

import gzip
import pathlib
import sys

import numpy as np
import scipy.linalg

source, target = map(pathlib.Path, sys.argv[1:3])
target.mkdir(parents=True, exist_ok=True)
for name in ["lmm1", "lmm1_cov2"]:
    (target / f"{name}.txt").write_bytes(gzip.decompress((source / f"ref/{name}.assoc.txt.gz").read_bytes()))

fam = [line.split() for line in (source / "mouse_hs1940.fam").read_text().splitlines()]
keep = [i for i, row in enumerate(fam) if row[5] not in ("NA", "-9")]
(target / "keep.txt").write_text("\n".join(map(str, keep)) + "\n")

kinship = np.zeros((len(fam), len(fam)))
with gzip.open(source / "ref/k1.cXX.lower.txt.gz", "rt") as lines:
    for i, line in enumerate(lines):
        kinship[i, : i + 1] = np.array(line.split(), dtype=float)
kinship = np.tril(kinship) + np.tril(kinship, -1).T
kinship = kinship[np.ix_(keep, keep)]
kinship = kinship - kinship.mean(0)
kinship = kinship - kinship.mean(1)[:, None]
values, vectors = scipy.linalg.eigh((kinship + kinship.T) / 2, driver="evr")
values.astype("<f8").tofile(target / "values.f64")
vectors.astype("<f8").tofile(target / "vectors.f64")
