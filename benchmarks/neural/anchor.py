"""python3 benchmarks/neural/anchor.py FOLDER [EPOCHS] [sparse]: the anchor in PyTorch, one thread.

Dense tensors in memory; with `sparse` compressed rows in memory, of which each batch is made dense.
"""
import json
import resource
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax, softplus

torch.set_num_threads(1)
torch.manual_seed(0)
folder, epochs = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 3
sparse = "sparse" in sys.argv
HIDDEN, LATENT, BATCH = 128, 20, 256


class Rows:
    """A matrix in compressed rows; picking some of them gives a dense tensor."""

    def __init__(self, name, features):
        self.features = features
        self.indptr, self.indices = (np.fromfile(folder / f"{name}.{p}", np.int32) for p in ("indptr", "indices"))
        self.values = np.fromfile(folder / f"{name}.values", np.float32)

    def __len__(self):
        return len(self.indptr) - 1

    def __getitem__(self, rows):
        rows = np.asarray(rows)
        starts, lengths = self.indptr[rows], np.diff(self.indptr)[rows]
        ends = np.cumsum(lengths)
        places = np.arange(ends[-1]) + np.repeat(starts - (ends - lengths), lengths)
        x = np.zeros((len(rows), self.features), np.float32)
        x[np.repeat(np.arange(len(rows)), lengths), self.indices[places]] = self.values[places]
        return torch.from_numpy(x)


def load(name, features):
    rows = Rows(name, features)
    return rows if sparse else rows[np.arange(len(rows))]


def stack(*widths):
    layers = []
    for a, b in zip(widths, widths[1:]):
        layers += [nn.Linear(a, b), nn.ReLU()]
    return nn.Sequential(*layers)


class Encoder(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.body = stack(features, HIDDEN, HIDDEN)
        self.mean, self.logvar = nn.Linear(HIDDEN, LATENT), nn.Linear(HIDDEN, LATENT)

    def forward(self, x):
        h = self.body(x)
        return self.mean(h), self.logvar(h).clamp(-10, 10)


class Decoder(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.body, self.out = stack(LATENT, HIDDEN, HIDDEN), nn.Linear(HIDDEN, features)

    def forward(self, z):
        return self.out(self.body(z))


class Vae(nn.Module):
    def __init__(self, genes, peaks):
        super().__init__()
        self.rna, self.atac = Encoder(genes), Encoder(peaks)
        self.genes, self.peaks = Decoder(genes), Decoder(peaks)
        self.log_theta = nn.Parameter(torch.zeros(genes))

    def forward(self, x, y):
        posteriors = [self.rna(torch.log1p(x)), self.atac(y)]
        precision = 1 + sum(torch.exp(-v) for _, v in posteriors)
        mean = sum(m * torch.exp(-v) for m, v in posteriors) / precision
        logvar = -torch.log(precision)
        z = mean + torch.exp(0.5 * logvar) * torch.randn_like(mean)
        kl = 0.5 * (logvar.exp() + mean * mean - 1 - logvar).sum(1).mean()
        log_mu = log_softmax(self.genes(z), 1) + torch.log(x.sum(1, keepdim=True).clamp(min=1))
        theta = self.log_theta.exp()
        ratio = log_mu - self.log_theta
        nb = (
            torch.lgamma(x + theta) - torch.lgamma(theta) - torch.lgamma(x + 1)
            - theta * softplus(ratio) - x * softplus(-ratio)
        )
        bce = binary_cross_entropy_with_logits(self.peaks(z), y, reduction="none").sum(1).mean()
        return kl - nb.sum(1).mean() + bce


rna, atac = load("rna", 2000), load("atac", 5000)
model = Vae(2000, 5000)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, fused=True)
steps = len(rna) // BATCH
losses, cpus = [], []
for epoch in range(epochs + 1):
    order, began, total = torch.randperm(len(rna)), time.process_time(), 0.0
    for step in range(steps):
        rows = order[step * BATCH : (step + 1) * BATCH]
        loss = model(rna[rows], atac[rows])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item()
    cpus.append(time.process_time() - began)
    losses.append(total / steps)
cpu = sorted(cpus[1:])[len(cpus[1:]) // 2]  # without the first, which warms up
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"cellsPerCpuSecond": steps * BATCH / cpu, "cpus": cpus, "peak": peak, "losses": losses}))
