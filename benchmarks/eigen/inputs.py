"""Writes test matrices as raw float64: `python inputs.py DIR`."""
import sys
import numpy as np


def kinship(n, p, seed, twins=0):
    rng = np.random.default_rng(seed)
    f = rng.uniform(0.05, 0.5, p)
    g = rng.binomial(2, f, (n, p)).astype(float)
    if twins:
        g[n - twins :] = g[:twins]
    g -= g.mean(0)
    return g @ g.T / p


def inputs():
    for n in (500, 1000, 1410, 2000, 3000, 4000, 6000):
        yield f"kin_{n}", n, lambda: kinship(n, n + 3000, n)
    yield "rank_1410", 1410, lambda: kinship(1410, 400, 1)
    yield "twins_1000", 1000, lambda: kinship(1000, 3000, 2, twins=300)
    yield "zero_1000", 1000, lambda: np.zeros((1000, 1000))
    yield "identity_1000", 1000, lambda: np.eye(1000)
    yield "diagonal_1000", 1000, lambda: np.diag(np.random.default_rng(3).uniform(-1, 1, 1000))
    block = lambda: np.kron(np.eye(10), kinship(100, 500, 4))
    yield "blocks_1000", 1000, block
    yield "ones_1000", 1000, lambda: np.ones((1000, 1000))
    def wilkinson():
        m = np.diag(np.abs(np.arange(1001) - 500.0))
        return m + np.diag(np.ones(1000), 1) + np.diag(np.ones(1000), -1)
    yield "wilkinson_1001", 1001, wilkinson
    yield "graded_1000", 1000, lambda: np.outer(10.0 ** -np.linspace(0, 30, 1000), 10.0 ** -np.linspace(0, 30, 1000)) + np.diag(10.0 ** -np.linspace(0, 30, 1000))


if __name__ == "__main__":
    for name, n, make in inputs():
        if len(sys.argv) < 3 or name in sys.argv[2:]:
            make().tofile(f"{sys.argv[1]}/{name}.f64")
