"""Makes the fixtures beside this script: python make.py (anndata 0.12.19, mudata 0.3.10, h5py 3.16.0, hdf5plugin 7.1.0).

Then: python digest.py cells.h5ad lzf.h5ad csc.h5ad dense.h5ad tenx3.h5 tenx2.h5 cells.h5mu styles-*.h5 > digest.json
and with the reference data: python digest.py formats/* pbmc* mop* asap* presets/mosaic* > shared-digest.json
"""
import os
import shutil

import anndata as ad
import h5py
import hdf5plugin
import mudata as md
import numpy as np
import pandas as pd
import scipy.sparse as sp

here = os.path.dirname(os.path.abspath(__file__))
os.chdir(here)
rng = np.random.default_rng(5)
N, G, P, A = 30, 12, 9, 4


def counts(rows, columns, mean):
    return rng.poisson(mean * rng.random(columns), size=(rows, columns)).astype("f4")


def obs(n):
    table = pd.DataFrame(index=[f"cell{i}" for i in range(n)])
    table["batch"] = pd.Categorical([f"b{i % 3}" for i in range(n)])
    table["dose"] = pd.Categorical(["low", "high", "mid"] * (n // 3), categories=["low", "mid", "high"], ordered=True)
    table["gaps"] = pd.Categorical([None if i % 5 == 0 else f"k{i % 2}" for i in range(n)])
    table["year"] = pd.Categorical([2000 + i % 2 for i in range(n)])
    table["flag"] = np.arange(n) % 2 == 0
    table["maybe"] = pd.array([None if i % 4 == 0 else i % 3 == 0 for i in range(n)], dtype="boolean")
    table["whole"] = pd.array([None if i % 7 == 0 else i for i in range(n)], dtype="Int32")
    table["score"] = np.linspace(-1, 1, n)
    table["count"] = np.arange(n)
    table["text"] = [f"größe {i} µm" for i in range(n)]
    table["has_rna"] = np.arange(n) % 3 != 0
    table["has_atac"] = np.arange(n) % 3 != 1
    return table


X = counts(N, G, 3)
atac = (rng.random((N, P)) < 0.3).astype("f4")
adt = counts(N, A, 20)
cells = ad.AnnData(
    X=sp.csr_matrix(X),
    obs=obs(N),
    var=pd.DataFrame(index=[f"gene{j}" for j in range(G)]),
    obsm={"X_atac": sp.csr_matrix(atac), "protein_expression": pd.DataFrame(adt, index=obs(N).index, columns=[f"CD{j}" for j in range(A)])},
    uns={"atac_names": np.array([f"chr1:{j}00-{j}50" for j in range(P)])},
    layers={"log": np.log1p(X)},
)
cells.raw = ad.AnnData(X=sp.csr_matrix(X * 2), var=pd.DataFrame(index=[f"raw{j}" for j in range(G)]), obs=obs(N))
cells.write_h5ad("cells.h5ad", compression="gzip")
cells.write_h5ad("lzf.h5ad", compression="lzf")

csc = cells.copy()
csc.X = sp.csc_matrix(X)
csc.raw = None
csc.write_h5ad("csc.h5ad")
dense = ad.AnnData(X=X.astype("f8"), obs=obs(N)[["batch"]], var=pd.DataFrame({"feature_types": ["Gene Expression"] * 8 + ["Antibody Capture"] * 4}, index=[f"f{j}" for j in range(G)]))
dense.write_h5ad("dense.h5ad")

small = ad.AnnData(X=sp.csr_matrix(X[:6]), obs=obs(6)[["batch", "flag", "text"]], var=pd.DataFrame(index=[f"gene{j}" for j in range(G)]))
for version in (2, 3):
    name = f"zarr{version}.zarr"
    shutil.rmtree(name, ignore_errors=True)
    ad.settings.zarr_write_format = version
    small.write_zarr(name)
for folder, _, files in os.walk("."):
    for file in files:
        if file == ".zmetadata":
            os.remove(os.path.join(folder, file))

one = ad.AnnData(X=sp.csr_matrix(X[:20]), obs=obs(21).iloc[:20][["batch"]], var=pd.DataFrame(index=[f"gene{j}" for j in range(G)]))
order = rng.permutation(np.arange(8, 30))
two = ad.AnnData(X=sp.csr_matrix(adt[order]), obs=obs(N).iloc[order][["flag"]], var=pd.DataFrame(index=[f"CD{j}" for j in range(A)]))
mu = md.MuData({"rna": one, "prot": two})
mu.write_h5mu("cells.h5mu")
np.savetxt("h5mu-order.txt", order, fmt="%d")

with h5py.File("tenx3.h5", "w") as f:
    both = sp.csc_matrix(np.hstack([X, atac]).T)
    m = f.create_group("matrix")
    m["data"], m["indices"], m["indptr"] = both.data.astype("i4"), both.indices.astype("i8"), both.indptr.astype("i8")
    m["shape"] = np.array(both.shape, dtype="i4")
    m["barcodes"] = np.array([f"CELL{i}-1" for i in range(N)], dtype="S")
    names = [f"GENE{j}" for j in range(G)] + [f"chr1:{j}" for j in range(P)]
    names[1] = names[0]
    m["features/id"] = np.array([f"ENSG{j:05d}" for j in range(G)] + names[G:], dtype="S")
    m["features/name"] = np.array(names, dtype="S")
    m["features/feature_type"] = np.array(["Gene Expression"] * G + ["Peaks"] * P, dtype="S")
with h5py.File("tenx2.h5", "w") as f:
    for genome in ("hg19", "mm10"):
        m = f.create_group(genome)
        one_genome = sp.csc_matrix(X.T)
        m["data"], m["indices"], m["indptr"] = one_genome.data.astype("i4"), one_genome.indices, one_genome.indptr
        m["shape"] = np.array(one_genome.shape)
        m["barcodes"] = np.array([f"CELL{i}" for i in range(N)], dtype="S")
        m["genes"] = np.array([f"ENSG{j}" for j in range(G)], dtype="S")
        m["gene_names"] = np.array([f"{genome}_{j}" for j in range(G)], dtype="S")


def styles(f):
    """The same arrays in every style of the format."""
    long = (np.arange(1100) % 251).astype("i4")
    f.create_dataset("contiguous", data=long)
    f.create_dataset("big_endian", data=long.astype(">i8"))
    f.create_dataset("half", data=np.linspace(-3, 3, 50).astype("f2"))
    f.create_dataset("scalar", data=np.float64(2.5))
    f.create_dataset("empty", data=np.zeros((0, 3)))
    f.create_dataset("one_chunk", data=long, chunks=(1100,), compression="gzip")
    f.create_dataset("fixed", data=long, chunks=(100,), compression="gzip", shuffle=True)
    f.create_dataset("fixed_plain", data=long, chunks=(1,))
    f.create_dataset("growing", data=long, chunks=(20,), maxshape=(None,), compression="gzip")
    f.create_dataset("growing_plain", data=long, chunks=(2,), maxshape=(None,))
    f.create_dataset("both", data=long.reshape(25, 44), chunks=(7, 9), maxshape=(None, None), compression="lzf", fletcher32=True)
    f.create_dataset("deep", data=long.reshape(10, 10, 11), chunks=(3, 4, 5), fletcher32=True, shuffle=True)
    holes = f.create_dataset("holes", shape=(1000,), chunks=(10,), dtype="f4", fillvalue=1.5)
    holes[500:505] = 7
    f.create_dataset("texts", data=np.array(["", "a", "größe", "x" * 500] * 10, dtype=object), dtype=h5py.string_dtype(), chunks=(7,), compression="lzf")
    f.create_dataset("fixed_texts", data=np.array(["ab", "cde", ""], dtype="S5"))
    f.create_dataset("records", data=np.array([(1, 2.5, b"x"), (3, 4.5, b"yz")], dtype=[("a", "i2"), ("b", "f8"), ("c", "S3")]))
    f.create_dataset("bools", data=np.array([True, False, True]))
    for i in range(12):
        f.create_dataset(f"many/group{i}/value", data=np.arange(i))
        f["many"].attrs[f"attribute{i}"] = i
    f["soft"] = h5py.SoftLink("/many/group7/value")


for name, options in {
    "styles-old.h5": {"libver": "earliest"},
    "styles-18.h5": {"libver": ("v108", "v108")},
    "styles-new.h5": {"libver": "latest"},
}.items():
    with h5py.File(name, "w", **options) as f:
        styles(f)

with h5py.File("styles-block.h5", "w", userblock_size=512) as f:
    f.create_dataset("group/x", data=np.arange(100), chunks=(10,), compression="gzip")
with h5py.File("zstd.h5", "w") as f:
    f.create_dataset("x", data=np.arange(1000), chunks=(100,), **hdf5plugin.Zstd())
with h5py.File("blosc.h5", "w") as f:
    f.create_dataset("x", data=np.arange(1000), chunks=(100,), **hdf5plugin.Blosc())

# Links out of the file.
cells.write_h5ad("external.h5ad")
with h5py.File("external.h5ad", "r+") as f:
    del f["X"]
    f["X"] = h5py.ExternalLink("/etc/passwd", "/X")
with h5py.File("virtual.h5", "w") as f:
    layout = h5py.VirtualLayout(shape=(4,), dtype="i4")
    layout[:] = h5py.VirtualSource("other.h5", "x", shape=(4,))
    f.create_virtual_dataset("virtual", layout)
    f.create_dataset("outside", shape=(4,), dtype="i4", external=[("other.bin", 0, 16)])
    f["link"] = h5py.ExternalLink("other.h5", "/x")
