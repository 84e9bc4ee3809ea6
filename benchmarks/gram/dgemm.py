"""Rate of the double product that numpy's OpenBLAS reaches: one JSON line. Two matrices, so that numpy does not
take the symmetric product (SYRK) instead."""
import json, sys, time
import numpy as np

n, k, repeats = (int(value) for value in sys.argv[1:4])
random = np.random.default_rng(1)
a = random.integers(0, 3, (n, k)).astype(np.float64)
b = np.asfortranarray(a.T.copy())
a @ b[:, :8]
best = []
for _ in range(repeats):
    start = time.perf_counter()
    a @ b
    best.append(time.perf_counter() - start)
median = sorted(best)[len(best) // 2]
print(json.dumps({"n": n, "k": k, "seconds": median, "gflops": 2 * n * n * k / median / 1e9, "numpy": np.__version__}))
