"""`scipy_eigh.py FILE N DRIVER`: the decomposition that scipy's LAPACK makes, one JSON line like our example's."""
import json, resource, sys, time
import numpy as np
from scipy.linalg import eigh

path, n, driver = sys.argv[1], int(sys.argv[2]), sys.argv[3]
k = np.fromfile(path, "<f8").reshape(n, n)
cpu, wall = time.process_time(), time.perf_counter()
values, vectors = eigh(k, driver=driver, overwrite_a=False, check_finite=False)
cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
residual = np.abs(k @ vectors - vectors * values).max() / np.abs(values).max()
orthogonality = np.abs(vectors.T @ vectors - np.eye(n)).max()
print(json.dumps({"n": n, "cpu": cpu, "wall": wall, "peak_mb": peak, "residual": residual, "orthogonality": orthogonality}))
