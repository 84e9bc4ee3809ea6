"""python3 benchmarks/neural/pytorch.py MODEL STEPS: the same models in PyTorch, one thread, one line of JSON."""
import json
import resource
import sys
import time

import torch
from torch import nn

torch.set_num_threads(1)
name, steps = sys.argv[1], int(sys.argv[2])


class Block(nn.Module):
    def __init__(self, d=128):
        super().__init__()
        self.n1, self.n2 = nn.LayerNorm(d), nn.LayerNorm(d)
        self.q, self.k, self.v, self.o = (nn.Linear(d, d) for _ in range(4))
        self.up, self.down = nn.Linear(d, 4 * d), nn.Linear(4 * d, d)

    def forward(self, x):
        b, l, d = x.shape
        n = self.n1(x)
        q, k, v = (f(n).view(b, l, 4, d // 4).transpose(1, 2) for f in (self.q, self.k, self.v))
        w = torch.softmax(q @ k.transpose(-1, -2) / (d // 4) ** 0.5, -1)
        x = x + self.o((w @ v).transpose(1, 2).reshape(b, l, d))
        return x + self.down(nn.functional.gelu(self.up(self.n2(x))))


class Transformer(nn.Module):
    def __init__(self):
        super().__init__()
        self.table, self.place = nn.Embedding(32, 128), nn.Parameter(torch.randn(64, 128) * 0.02)
        self.block, self.out = Block(), nn.Linear(128, 32)

    def forward(self, t):
        return self.out(self.block(self.table(t) + self.place)).flatten(0, 1)


if name == "mlp":
    model = nn.Sequential(nn.Linear(100, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(), nn.Linear(256, 10))
    x, y = torch.randn(128, 100), torch.arange(128) * 7 % 10
else:
    model = Transformer()
    x = torch.randint(0, 32, (32, 64))
    y = ((x + 1) % 32).flatten()
optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)


def step():
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x), y)
    loss.backward()
    optimizer.step()
    return loss


for _ in range(5):
    step()
cpu, wall = time.process_time(), time.perf_counter()
for _ in range(steps):
    loss = step()
cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
print(json.dumps({"stepsPerSecond": steps / wall, "cpuMs": 1000 * cpu / steps, "peak": peak, "loss": loss.item()}))
