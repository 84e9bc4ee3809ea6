"""Hardy-Weinberg p-values as PLINK 1.9 prints them: python make_hardy.py > hardy.tsv

Writes filesets with chosen genotype counts and runs, for each of them,

    plink1.9 --bfile FILE --hardy --nonfounders --allow-no-sex --keep-allele-order --out FILE

`exact` (4 columns of PLINK's output digits are few) is Wigginton's sum in exact integer arithmetic, for small counts.
"""

import math
import random
import subprocess
import tempfile
from fractions import Fraction

random.seed(20260301)


def exact(hets, hom1, hom2):
    people, rare = hets + hom1 + hom2, 2 * min(hom1, hom2) + hets
    weight = {}
    for h in range(rare % 2, rare + 1, 2):
        a = (rare - h) // 2
        weight[h] = math.factorial(people) // (math.factorial(h) * math.factorial(a) * math.factorial(people - h - a)) * 2**h
    return float(Fraction(sum(w for w in weight.values() if w <= weight[hets]), sum(weight.values())))


def run(people, rows):
    with tempfile.TemporaryDirectory() as folder:
        name = f"{folder}/h"
        with open(f"{name}.fam", "w") as fam:
            fam.writelines(f"p{i} p{i} 0 0 1 -9\n" for i in range(people))
        with open(f"{name}.bim", "w") as bim:
            bim.writelines(f"1 v{i} 0 {i + 1} A C\n" for i in range(len(rows)))
        with open(f"{name}.bed", "wb") as bed:
            bed.write(b"\x6c\x1b\x01")
            for hets, hom1, hom2 in rows:
                codes = [2] * hets + [0] * hom1 + [3] * hom2
                codes += [1] * (people - len(codes)) + [0] * (-people % 4)
                bed.write(bytes(a | b << 2 | c << 4 | d << 6 for a, b, c, d in zip(*[iter(codes)] * 4)))
        command = ["plink1.9", "--bfile", name, "--hardy", "--nonfounders", "--allow-no-sex", "--keep-allele-order"]
        subprocess.run([*command, "--out", name], check=True, stdout=subprocess.DEVNULL)
        lines = [line.split() for line in open(f"{name}.hwe").read().splitlines()[1:]]
    for (hets, hom1, hom2), line in zip(rows, [line for line in lines if line[2].startswith("ALL")]):
        assert line[5] == f"{hom1}/{hets}/{hom2}", (line, hets, hom1, hom2)
        print(hets, hom1, hom2, line[8], repr(exact(hets, hom1, hom2)) if people < 3000 else "-", sep="\t")


print("hets\thom1\thom2\tplink\texact")
small = [(0, 0, 400), (1, 0, 399), (400, 0, 0), (0, 200, 200), (0, 1, 399), (2, 0, 1), (0, 1, 1), (1, 1, 1), (0, 0, 1)]
for _ in range(140):
    total, f, g = random.randint(1, 400), random.random() ** 2, random.uniform(-0.3, 0.9)
    p = [f * f + f * (1 - f) * g, 2 * f * (1 - f) * (1 - g)]
    draws = random.choices(range(3), [max(p[0], 0), p[1], max(1 - p[0] - p[1], 0)], k=total)
    small.append((draws.count(1), draws.count(0), draws.count(2)))
run(400, small)
big = [(500_000, 250_000, 250_000), (498_900, 250_100, 251_000), (1_000, 0, 999_000), (1_000, 5, 998_995),
       (420_123, 90_321, 489_556), (419_000, 90_500, 490_500), (0, 500_000, 500_000), (1_000_000, 0, 0),
       (600_001, 100_000, 299_999), (9_900, 25, 990_075)]
run(1_000_000, big)
