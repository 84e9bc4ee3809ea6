"""python3 train_step.py DATA.json STEPS: the training step of train-step.mjs in PyTorch, one thread, one line of JSON.

Every ASV of every sample goes through the nucleotide encoder, samples padded to the one with most, as AAM does it.
"""

import json
import resource
import sys
import time

import torch
from torch import nn
from torch.nn import functional as F

torch.set_num_threads(1)
torch.manual_seed(1)
data = json.load(open(sys.argv[1]))
steps = int(sys.argv[2])
B, S, L, D, V = (data[k] for k in ("samples", "slots", "width", "dim", "vocabulary"))
rows = torch.tensor(data["index"]).view(B, S)
tokens, letters = (torch.tensor(data[k]).view(-1, L)[rows].view(B * S, L) for k in ("tokens", "letters"))
present = torch.tensor(data["mask"]).view(B, S) > 0
counts = torch.tensor(data["counts"], dtype=torch.float32).view(B, S)
distances = torch.tensor(data["distances"], dtype=torch.float32).view(B, B)
target = torch.tensor(data["target"], dtype=torch.float32).view(B, 1)
tokens[~present.view(-1)] = 0


def stack(depth):
    layer = nn.TransformerEncoderLayer(D, 4, 4 * D, 0.0, "gelu", batch_first=True, norm_first=True)
    return nn.TransformerEncoder(layer, depth, nn.LayerNorm(D, 1e-6), enable_nested_tensor=False)


class Pool(nn.Module):
    def __init__(self):
        super().__init__()
        self.score, self.norm = nn.Linear(D, 1, bias=False), nn.LayerNorm(D)

    def forward(self, x, mask):
        score = self.score(x).squeeze(-1) / D**0.5
        weight = torch.softmax(score.masked_fill(~mask, -1e9), -1)
        return self.norm((weight.unsqueeze(-1) * x).sum(1))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.token, self.place = nn.Embedding(V, D), nn.Parameter(torch.randn(L, D))
        self.asv, self.asv_pool, self.letters = stack(data["layers"]["asv"]), Pool(), nn.Linear(D, V)
        self.slot, self.count = nn.Parameter(torch.randn(S, D)), nn.Linear(1, D)
        self.sample, self.sample_pool, self.head = stack(data["layers"]["sample"]), Pool(), nn.Linear(D, 1)

    def forward(self):
        known = tokens > 0
        # A row of padding alone looks at its first place, so that no softmax is empty.
        known[:, 0] = True
        x = self.asv(self.token(tokens) + self.place, src_key_padding_mask=~known)
        row = (self.asv_pool(x, known) * present.view(-1, 1)).view(B, S, D)
        row = row + self.count(torch.log1p(counts).unsqueeze(-1)) + self.slot
        states = self.sample(row, src_key_padding_mask=~present)
        pooled = self.sample_pool(states, present)
        return self.letters(x), pooled, self.head(pooled)


net = Net()
optimizer = torch.optim.AdamW(net.parameters(), lr=1e-4)
hidden = (tokens == 6) & present.view(-1, 1)
upper = torch.triu(torch.ones(B, B, dtype=torch.bool), 1)


def step():
    optimizer.zero_grad()
    logits, pooled, said = net()
    square = (pooled.unsqueeze(0) - pooled.unsqueeze(1)).pow(2).sum(-1).clamp_min(1e-8)
    pairs = F.mse_loss(torch.tanh(square.sqrt() / 10)[upper], distances[upper])
    loss = F.smooth_l1_loss(said, target) + pairs + F.cross_entropy(logits[hidden], letters[hidden])
    loss.backward()
    optimizer.step()
    return loss


step()
cpu = time.process_time()
for _ in range(steps):
    loss = step()
cpu = time.process_time() - cpu
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
parameters = sum(p.numel() for p in net.parameters())
print(json.dumps({"cpu": cpu / steps, "peak": peak, "parameters": parameters, "loss": loss.item(), "torch": torch.__version__}))
