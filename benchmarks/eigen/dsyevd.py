"""`python dsyevd.py FILE N`: LAPACK's DSYEVD through scipy, one JSON line. Set OPENBLAS_NUM_THREADS=1."""
import json
import resource
import sys
import time

import numpy as np
import scipy.linalg

n = int(sys.argv[2])
k = np.fromfile(sys.argv[1]).reshape(n, n)
a = np.array(k, order="F")
peak0 = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
t = time.process_time()
w, u = scipy.linalg.eigh(a, driver="evd", overwrite_a=True, check_finite=False)
t = time.process_time() - t
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
norm = max(abs(w).max(), 1e-300)
print(json.dumps({"solver": "dsyevd", "n": n, "cpu": round(t, 4), "base_mb": round(peak0), "peak_mb": round(peak),
                  "residual": float(f"{np.linalg.norm(k - (u * w) @ u.T) / norm:.2e}"),
                  "orthogonality": float(f"{np.linalg.norm(u.T @ u - np.eye(n)):.2e}"),
                  "first": float(w[0]), "last": float(w[-1])}))
