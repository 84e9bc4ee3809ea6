"""Principal components by numpy: dosages of A1, missing at the mean, divided by sqrt(2 f (1 - f)) or not; `python3 pca.py PREFIX`."""
import json
import sys

import numpy as np

prefix = sys.argv[1]
n = sum(1 for _ in open(prefix + ".fam"))
p = sum(1 for _ in open(prefix + ".bim"))
packed = np.fromfile(prefix + ".bed", np.uint8)[3:].reshape(p, -1)
codes = np.stack([(packed >> (2 * k)) & 3 for k in range(4)], axis=2).reshape(p, -1)[:, :n]
x = np.array([2.0, np.nan, 1.0, 0.0])[codes]
rows = []
for row in x:
    called = row[~np.isnan(row)]
    if np.isnan(row).mean() > 0.05 or len(called) == 0:
        continue
    f = called.mean() / 2
    if f < 0.01 or f > 0.99 or len(set(called)) < 2:
        continue
    rows.append((np.where(np.isnan(row), 2 * f, row) - 2 * f, np.sqrt(2 * f * (1 - f))))
out = {"variants": len(rows)}
for name in ["centered", "hardy"]:
    z = np.array([c / (s if name == "hardy" else 1) for c, s in rows])
    values, vectors = np.linalg.eigh(z.T @ z / len(rows))
    out[name] = {"values": values[::-1][:6].tolist(), "vectors": vectors[:, ::-1][:, :6].T.tolist(), "trace": values.sum()}
print(json.dumps(out))
