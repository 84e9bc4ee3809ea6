"""A made-up fileset of several traits and chromosomes, and GEMMA's numbers for it: python make_families.py
(needs numpy and gemma 0.98.5; one thread, because GEMMA's last digits may depend on it).

238 people in families of seven, 360 variants on chromosomes 1, 2, 10 and X, 2 % missing calls, three heritable traits
that share genes and environment (each with its own missing people), two covariates (ones and age), an exposure
measured on most people. Written beside this script: families.bed/.bim/.fam, families.covar.txt, families.env.txt, and
GEMMA's output as *.assoc.txt.gz, *.log.txt and *.eigenD.txt.
The exact command lines are in COMMANDS.
"""

import gzip
import os
import pathlib
import shutil
import subprocess
import tempfile

import numpy as np

# GEMMA's own defaults stop short of the maximum (docs/design/multivariate.md). With Newton's method for every variant
# (-pnr 1) and a tighter precision its output no longer moves.
TIGHT = "-pnr 1 -nrp 1e-8"
CHROMOSOMES = ["1", "2", "10", "X"]
COMMANDS = {
    "k": "gemma -bfile families -gk 1 -n 1 -o k",
    "mv2": f"gemma -bfile families -n 1 2 -k output/k.cXX.txt -lmm 4 {TIGHT} -o mv2",
    "mv2_cov": f"gemma -bfile families -n 1 2 -k output/k.cXX.txt -c families.covar.txt -lmm 4 {TIGHT} -o mv2_cov",
    "mv3": f"gemma -bfile families -n 1 2 3 -k output/k.cXX.txt -lmm 4 {TIGHT} -o mv3",
    "mv2_default": "gemma -bfile families -n 1 2 -k output/k.cXX.txt -lmm 4 -o mv2_default",
    **{f"mv2_mode{m}": f"gemma -bfile families -n 1 2 -k output/k.cXX.txt -lmm {m} {TIGHT} -o mv2_mode{m}" for m in (1, 2, 3)},
    # GEMMA's -lmm 9 with -gxe and several -n prints memory that nothing was written to (6.938313e-310), without a line end.
    "mv2_gxe": f"gemma -bfile families -n 1 2 -k output/k.cXX.txt -gxe families.env.txt -lmm 4 {TIGHT} -o mv2_gxe",
    "mv2_gxe_cov": f"gemma -bfile families -n 1 2 -k output/k.cXX.txt -gxe families.env.txt -c families.covar.txt -lmm 4 {TIGHT} -o mv2_gxe_cov",
    "mv3_gxe": f"gemma -bfile families -n 1 2 3 -k output/k.cXX.txt -gxe families.env.txt -lmm 4 {TIGHT} -o mv3_gxe",
    **{
        f"mv2_gxe_mode{m}": f"gemma -bfile families -n 1 2 -k output/k.cXX.txt -gxe families.env.txt -lmm {m} {TIGHT} -o mv2_gxe_mode{m}"
        for m in (1, 2, 3)
    },
    # -eigen with several -n ends with "error! the current analysis mode 31 can not deal with multiple phenotypes." So
    # the people with both traits are written as one phenotype.
    "eigen12": "gemma -bfile families -p both.txt -k output/k.cXX.txt -eigen -o eigen12",
    # Leaving a chromosome out: a kinship from the ids of the other chromosomes, an association of its own ids.
    **{
        name: command
        for c in CHROMOSOMES
        for name, command in {
            f"not{c}": f"gemma -bfile families -snps not{c}.txt -gk 1 -n 1 -o not{c}",
            f"loco{c}": f"gemma -bfile families -snps only{c}.txt -n 1 -k output/not{c}.cXX.txt -lmm 1 -o loco{c}",
        }.items()
    },
}
VOLATILE = ("date", " time", "build profile", "arch", "threads", "parallel")

here = pathlib.Path(__file__).parent
random = np.random.default_rng(20260711)
size, families, variants = 7, 34, 360
people = size * families
frequency = random.uniform(0.05, 0.6, variants)
parents = random.binomial(1, frequency, (families * 4, variants))
genotypes = np.zeros((people, variants), dtype=int)
for i in range(people):
    family = i // size * 4
    for pair in (0, 2):
        # One crossover a chromosome would be truer; unlinked variants give a kinship of higher rank.
        genotypes[i] += np.where(random.random(variants) < 0.5, parents[family + pair], parents[family + pair + 1])
effects = random.multivariate_normal(np.zeros(3), [[1, 0.4, -0.3], [0.4, 1, 0.2], [-0.3, 0.2, 1]], variants)
standard = (genotypes - genotypes.mean(0)) / np.maximum(genotypes.std(0), 0.1)
genetic = standard @ effects / np.sqrt(variants)
noise = random.multivariate_normal(np.zeros(3), [[1, 0.3, 0.1], [0.3, 1, -0.2], [0.1, -0.2, 1]], people)
age = random.normal(45, 12, people).round(1)
traits = 1.1 * genetic + noise + np.outer(age, [0.02, 0, -0.01]) + [100, 0, 7]
traits[:, 1] *= 30
traits += np.outer(standard[:, 17], [1.2, 20, 0.5]) + np.outer(standard[:, 200], [0.8, -15, 0])
codes = np.array([3, 2, 0])[genotypes]
codes[random.random(codes.shape) < 0.02] = 1
missing = random.random((people, 3)) < [0.02, 0.05, 0.03]

padded = np.vstack([codes, np.zeros((-people % 4, variants), dtype=int)])
packed = sum(padded[k::4] << (2 * k) for k in range(4)).T.astype(np.uint8)
chromosome = [CHROMOSOMES[min(j // 100, 3)] for j in range(variants)]
(here / "families.bed").write_bytes(b"\x6c\x1b\x01" + packed.tobytes())
(here / "families.bim").write_text(
    "".join(f"{chromosome[j]}\tv{j + 1}\t0\t{1000 * (j + 1)}\tA\tC\n" for j in range(variants))
)
rows = [["NA" if m else f"{v:.5f}" for v, m in zip(*pair)] for pair in zip(traits, missing)]
(here / "families.fam").write_text("".join(f"f{i // size} p{i} 0 0 1 {' '.join(r)}\n" for i, r in enumerate(rows)))
(here / "families.covar.txt").write_text("".join(f"1\t{a}\n" for a in age))
exposure = random.normal(3, 1, people).round(2)
unknown = random.random(people) < 0.02
(here / "families.env.txt").write_text("".join(f"{'NA' if u else v}\n" for v, u in zip(exposure, unknown)))

with tempfile.TemporaryDirectory() as folder:
    work = pathlib.Path(folder)
    for path in here.glob("families.*"):
        shutil.copy(path, work)
    for c in CHROMOSOMES:
        for name, wanted in ((f"not{c}", False), (f"only{c}", True)):
            ids = [f"v{j + 1}\n" for j in range(variants) if (chromosome[j] == c) == wanted]
            (work / f"{name}.txt").write_text("".join(ids))
    both = ["NA" if "NA" in row[:2] else row[0] for row in rows]
    (work / "both.txt").write_text("".join(f"{value}\n" for value in both))
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "LC_ALL": "C"}
    for name, command in COMMANDS.items():
        subprocess.run(command.split(), cwd=work, check=True, stdout=subprocess.DEVNULL, env=environment)
        assoc = work / f"output/{name}.assoc.txt"
        values = work / f"output/{name}.eigenD.txt"
        if values.exists():
            shutil.copy(values, here)
        if not assoc.exists():
            continue
        with open(here / f"{name}.assoc.txt.gz", "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as out:
            out.write(assoc.read_bytes())
        lines = (work / f"output/{name}.log.txt").read_text().splitlines()
        kept = [line for line in lines if line.strip("# ") and not any(word in line.lower() for word in VOLATILE)]
        (here / f"{name}.log.txt").write_text("\n".join(kept) + "\n")
