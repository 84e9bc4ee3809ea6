"""Reference numbers from scikit-bio, and formulas written out for what it does not have.

python -m venv v && v/bin/pip install scikit-bio==0.6.3 biom-format==2.1.18 h5py==3.16.0
v/bin/python make.py        # writes table.biom, table.v1.biom, table.qza, tree.nwk, metadata.tsv, expected.json
"""

import io
import json
import os
import zipfile

import h5py
import numpy as np
from biom import Table
from skbio import DistanceMatrix, TreeNode
from skbio.diversity import alpha_diversity, beta_diversity
from skbio.stats.distance import permanova
from skbio.stats.ordination import pcoa

here = os.path.dirname(os.path.abspath(__file__))
rng = np.random.default_rng(7)
features = [f"f{i}" for i in range(40)]
samples = [f"S{i:02d}" for i in range(14)]
counts = rng.negative_binomial(0.4, 0.01, (14, 40)) * (rng.random((14, 40)) < 0.35)
counts[3, 5] += 9
counts[9] = counts[2]  # two samples alike

# A random binary tree with a tip nobody has.
nodes = [f"{f}:{rng.exponential(0.3):.6f}" for f in [*features, "unused"]]
while len(nodes) > 2:
    i, j = sorted(rng.choice(len(nodes), 2, replace=False))
    b, a = nodes.pop(j), nodes.pop(i)
    nodes.append(f"({a},{b}):{rng.exponential(0.2):.6f}")
newick = f"({nodes[0]},{nodes[1]});"
open(f"{here}/tree.nwk", "w").write(newick + "\n")
tree = TreeNode.read(io.StringIO(newick), convert_underscores=False)

table = Table(counts.T.astype(float), features, samples)
with h5py.File(f"{here}/table.biom", "w") as f:
    table.to_hdf5(f, "make.py")
open(f"{here}/table.v1.biom", "w").write(table.to_json("make.py"))
uuid = "0123abcd-0000-4000-8000-000000000000"
with zipfile.ZipFile(f"{here}/table.qza", "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr(f"{uuid}/VERSION", "QIIME 2\narchive: 5\nframework: 2023.5\n")
    z.writestr(f"{uuid}/metadata.yaml", f"uuid: {uuid}\ntype: FeatureTable[Frequency]\nformat: BIOMV210DirFmt\n")
    z.write(f"{here}/table.biom", f"{uuid}/data/feature-table.biom")
groups = ["a" if i % 3 else "b" for i in range(14)]
with open(f"{here}/metadata.tsv", "w") as f:
    f.write("#SampleID\tgroup\tage\n#q2:types\tcategorical\tnumeric\n")
    f.writelines(f"{s}\t{g}\t{20 + 3 * i}\n" for i, (s, g) in enumerate(zip(samples, groups)))


def unifrac(metric, **kw):
    return beta_diversity(metric, counts, samples, tree=tree, taxa=features, **kw)


# Counts below every branch, for the metrics that scikit-bio does not have.
below, lengths = [], []
at = {f: i for i, f in enumerate(features)}
for node in tree.postorder(include_self=False):
    tips = [at[t.name] for t in node.tips(include_self=True) if t.name in at]
    below.append(counts[:, tips].sum(1))
    lengths.append(node.length)
c, l = np.array(below, float), np.array(lengths)
n = counts.sum(1)


def by_formula(term):
    m = np.zeros((14, 14))
    for i in range(14):
        for j in range(14):
            with np.errstate(divide="ignore", invalid="ignore"):
                m[i, j] = term(c[:, i], c[:, j], n[i], n[j]) if i != j else 0
    return m


def generalized(alpha):
    def term(a, b, na, nb):
        p, q = a / na, b / nb
        s = (p + q) > 0
        w = l[s] * (p + q)[s] ** alpha
        return (w * (np.abs(p - q) / (p + q))[s]).sum() / w.sum()

    return by_formula(term)


def adjusted(weighted):
    def term(a, b, na, nb):
        v = (a + b) * (na + nb - a - b)
        s = v > 0
        p, q = a / na, b / nb
        x, y = (np.abs(p - q), p + q) if weighted else ((a > 0) != (b > 0), (a > 0) | (b > 0))
        w = l[s] / np.sqrt(v[s])
        return (w * x[s]).sum() / (w * y[s]).sum()

    return by_formula(term)


logs = np.log(counts + 1.0)
logs -= logs.mean(1, keepdims=True)
weighted = unifrac("weighted_unifrac", normalized=True)
matrices = {
    "unweighted": unifrac("unweighted_unifrac").data,
    "weighted": unifrac("weighted_unifrac", normalized=False).data,
    "weighted-normalized": weighted.data,
    "generalized": generalized(0.5),
    "generalized-0.2": generalized(0.2),
    "unweighted-vaw": adjusted(False),
    "weighted-normalized-vaw": adjusted(True),
    "bray-curtis": beta_diversity("braycurtis", counts, samples).data,
    "jaccard": beta_diversity("jaccard", counts > 0, samples).data,
    "aitchison": np.sqrt(((logs[:, None] - logs[None]) ** 2).sum(2)),
}
ordination = pcoa(DistanceMatrix(weighted.data, samples), method="eigh")
test = permanova(weighted, groups, permutations=999)
expected = {
    "samples": samples,
    "matrices": {k: np.asarray(v).ravel().tolist() for k, v in matrices.items()},
    "faith-pd": alpha_diversity("faith_pd", counts, samples, tree=tree, taxa=features).tolist(),
    "shannon": alpha_diversity("shannon", counts, samples, base=2).tolist(),
    "observed": alpha_diversity("observed_features", counts, samples).tolist(),
    "pcoa": {"eigenvalues": ordination.eigvals.tolist(), "coordinates": ordination.samples.values.ravel().tolist()},
    "permanova": {"f": float(test["test statistic"]), "p": float(test["p-value"]), "groups": groups},
}
json.dump(expected, open(f"{here}/expected.json", "w"))
