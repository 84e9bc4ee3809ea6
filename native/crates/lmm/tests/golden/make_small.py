"""GEMMA's numbers for a small made-up fileset: python make_small.py (needs numpy and gemma 0.98.5), then

    gemma -bfile small -gk 1 -o k
    gemma -bfile small -k output/k.cXX.txt -c covariates.txt -lmm 1 -o small
    gemma -bfile small -k output/k.cXX.txt -c covariates.txt -lmm 4 -o small4
    gemma -bfile small -k output/k.cXX.txt -c covariates.txt -gxe environment.txt -lmm 4 -o small4_gxe

110 people (the last byte of a row is padded) of which 4 have no phenotype, 300 variants with 2 % missing calls, two
covariates (intercept and age), related people in families of five. Written beside this script: small.bed,
people.tsv (phenotype, covariates, environment), kinship.lower.txt (GEMMA's digits), small.log.txt (null model), and the
.assoc.txt of each run.
"""

import pathlib
import shutil
import subprocess
import tempfile

import numpy as np

here = pathlib.Path(__file__).parent
random = np.random.default_rng(20260302)
people, variants = 110, 300
parents = random.binomial(1, random.uniform(0.03, 0.97, (1, variants)), (people // 5 * 4, variants))
genotypes = np.zeros((people, variants), dtype=int)
for i in range(people):
    family = i // 5 * 4
    for pair in (0, 2):
        genotypes[i] += np.where(random.random(variants) < 0.5, parents[family + pair], parents[family + pair + 1])
age = random.normal(50, 10, people).round(2)
effects = random.normal(0, 0.15, variants)
effects[7] = 1.5
y = (genotypes @ effects + 0.02 * age + random.normal(0, 1, people)).round(4)
codes = np.array([3, 2, 0])[genotypes]
codes[random.random(codes.shape) < 0.02] = 1
codes[:, 11] = 3
missing = {3, 50, 77, 109}
environment = random.normal(0, 1, people).round(3)

padded = np.vstack([codes, np.zeros((-people % 4, variants), dtype=int)])
packed = sum(padded[k::4] << (2 * k) for k in range(4)).T.astype(np.uint8)
with tempfile.TemporaryDirectory() as folder:
    work = pathlib.Path(folder)
    (work / "small.bed").write_bytes(b"\x6c\x1b\x01" + packed.tobytes())
    (work / "small.bim").write_text("".join(f"1\tv{i}\t0\t{i + 1}\tA\tC\n" for i in range(variants)))
    phenotype = ["NA" if i in missing else f"{y[i]:.4f}" for i in range(people)]
    (work / "small.fam").write_text("".join(f"f{i} p{i} 0 0 1 {phenotype[i]}\n" for i in range(people)))
    (work / "covariates.txt").write_text("".join(f"1\t{a:.2f}\n" for a in age))
    (work / "environment.txt").write_text("".join(f"{e:.3f}\n" for e in environment))
    for command in [
        "gemma -bfile small -gk 1 -o k",
        "gemma -bfile small -k output/k.cXX.txt -c covariates.txt -lmm 1 -o small",
        "gemma -bfile small -k output/k.cXX.txt -c covariates.txt -lmm 4 -o small4",
        "gemma -bfile small -k output/k.cXX.txt -c covariates.txt -gxe environment.txt -lmm 4 -o small4_gxe",
    ]:
        subprocess.run(command.split(), cwd=work, check=True, stdout=subprocess.DEVNULL)
    shutil.copy(work / "small.bed", here)
    for name in ["small", "small4", "small4_gxe"]:
        shutil.copy(work / f"output/{name}.assoc.txt", here)
    log = (work / "output/small.log.txt").read_text().splitlines()
    (here / "small.log.txt").write_text("".join(f"{line}\n" for line in log if " in the null model" in line))
    rows = (work / "output/k.cXX.txt").read_text().splitlines()
    lower = "".join("\t".join(row.split()[: i + 1]) + "\n" for i, row in enumerate(rows))
    (here / "kinship.lower.txt").write_text(lower)
    (here / "people.tsv").write_text("".join(f"{p}\t1\t{a:.2f}\t{e:.3f}\n" for p, a, e in zip(phenotype, age, environment)))
