"""Writes the kinship of simulated genotypes as raw little-endian doubles: `make_kinship.py N FILE`."""
import sys
import numpy as np

n, path = int(sys.argv[1]), sys.argv[2]
random = np.random.default_rng(n)
p = 2 * n
x = random.binomial(2, random.uniform(0.05, 0.5, p), (n, p)).astype(np.float64)
x -= x.mean(axis=0)
k = x @ x.T / p
k -= k.mean(axis=0) + k.mean(axis=1)[:, None] - k.mean()
((k + k.T) / 2).astype("<f8").tofile(path)
