// Rows of bad-inputs.tsv that reach this package: test name = row id. Reading .bed/.bim/.fam is @x/plink-io's.
import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { isXError, openInput } from "@x/core/base";
import { openPlink } from "@x/plink-io";
import { describe, expect, it } from "vitest";
import { eigen, type GwasOptions, gwas, joinSamples, Kinship, kinship } from "../src/index.ts";
import { lmm, names, shared, simulate, tempFolder, writeFileset } from "./support/files.ts";

interface Bad {
  /** Damages the input; returns the options that use it. */
  make: (folder: string, prefix: string) => GwasOptions;
  code?: string;
  says?: RegExp;
  /** What an accepted run must look like. */
  accept?: (result: Awaited<ReturnType<typeof gwas>>, folder: string) => void | Promise<void>;
}

const N = 60;
const sim = simulate(N, 80);
const base = sim.phenotypes;
const phenotypes =
  (change: (y: string[]) => unknown) =>
  (_folder: string, prefix: string): GwasOptions => {
    const y = [...base];
    change(y);
    const lines = readFileSync(`${prefix}.fam`, "utf8").trimEnd().split("\n");
    // Both places a phenotype can come from: here the .fam; the same texts go through -p in the next test.
    writeFileSync(
      `${prefix}.fam`,
      lines.map((line, i) => `${line.split("\t").slice(0, 5).join("\t")}\t${y[i]}\n`).join(""),
    );
    return {};
  };
const covariates =
  (row: (i: number) => string, rows = N) =>
  (folder: string): GwasOptions => {
    writeFileSync(join(folder, "c.txt"), Array.from({ length: rows }, (_, i) => `${row(i)}\n`).join(""));
    return { covariates: join(folder, "c.txt") };
  };
const matrix =
  (change: (k: number[][]) => string[][] | number[][]) =>
  (folder: string): GwasOptions => {
    const k = Array.from({ length: N }, (_, i) =>
      Array.from({ length: N }, (_, j) => (i === j ? 1 : i - (i % 3) === j - (j % 3) ? 0.5 : 0.01)),
    );
    writeFileSync(
      join(folder, "k.cXX.txt"),
      change(k)
        .map((row) => `${row.join("\t")}\n`)
        .join(""),
    );
    return { kinship: join(folder, "k.cXX.txt") };
  };
const variant =
  (row: number[]) =>
  (folder: string): GwasOptions => {
    writeFileset(folder, [...sim.genotypes, row], base);
    return { miss: 1, maf: 0 };
  };
const age = (i: number): number => ((i * 7919) % 53) / 10;

const rows: Record<string, Bad> = {
  "phe-nan": { make: phenotypes((y) => y.splice(6, 1, "NaN")), code: "PHENO_NAN", says: /study\.fam:7/ },
  "phe-inf": { make: phenotypes((y) => y.splice(6, 1, "inf")), code: "PHENO_INF", says: /:7/ },
  "phe-1e400": { make: phenotypes((y) => y.splice(6, 1, "1e400")), code: "PHENO_RANGE", says: /:7/ },
  "phe-text": { make: phenotypes((y) => y.splice(6, 1, "abc")), code: "PHENO_PARSE", says: /:7.*abc/ },
  "phe-const": { make: phenotypes((y) => y.fill("1.5")), code: "PHENO_CONSTANT", says: /1\.5/ },
  "phe-allmissing": {
    make: phenotypes((y) => y.splice(0, N, ...base.map((_, i) => (i % 2 ? "NA" : "-9")))),
    code: "NO_ANALYZED_SAMPLES",
    says: /-p/,
  },
  "phe-count": {
    make: (folder) => {
      writeFileSync(join(folder, "p.txt"), `${base.slice(1).join("\n")}\n`);
      return { phenotypes: join(folder, "p.txt") };
    },
    code: "COUNT_MISMATCH",
    says: /59 rows found, 60 expected/,
  },
  "phe-decimal-comma": { make: phenotypes((y) => y.splice(6, 1, "1,5")), code: "PHENO_PARSE", says: /1,5/ },
  "phe-hex": { make: phenotypes((y) => y.splice(6, 1, "0x1p3")), code: "PHENO_PARSE", says: /0x1p3/ },
  "phe-subnormal": {
    make: phenotypes((y) => y.splice(0, N, ...base.map((v) => `${v}e-310`))),
    code: "SCALE",
    says: /Multiply/,
  },
  "cov-const": { make: covariates((i) => `1 3 ${age(i)}`), code: "COVAR_RANK", says: /column 2/ },
  "cov-collinear": {
    make: covariates((i) => `1 ${age(i)} ${2 * age(i)}`),
    code: "COVAR_RANK",
    says: /column 3/,
  },
  "cov-toomany": {
    make: covariates((i) => Array.from({ length: N }, (_, j) => (i * j * 31) % 17).join(" ")),
    code: "DF",
  },
  "cov-nan": {
    make: covariates((i) => (i === 4 ? "NaN" : `${age(i)}`)),
    code: "COVAR_NAN",
    says: /c\.txt:5/,
  },
  "cov-count": {
    make: covariates((i) => `${age(i)}`, N + 1),
    code: "COUNT_MISMATCH",
    says: /61 rows found, 60/,
  },
  "kin-nonsym": {
    make: matrix((k) => {
      k[0]![1]! += 1e-3;
      return k;
    }),
    code: "KIN_ASYMMETRIC",
    says: /\((1, 2|2, 1)\).*0\.001/,
  },
  "kin-notsquare": { make: matrix((k) => k.map((row) => row.slice(1))), code: "KIN_SHAPE", says: /59/ },
  "kin-wrong-n": {
    make: matrix((k) => k.slice(1).map((row) => row.slice(1))),
    code: "KIN_N",
    says: /59 × 59.*60/,
  },
  "kin-nan": {
    make: matrix((k) => {
      k[3]![5] = Number.NaN;
      return k;
    }),
    code: "KIN_NAN",
  },
  "kin-singular": { make: matrix((k) => k.map((row) => row.map(() => 0))), code: "KIN_ZERO" },
  "kin-indef": {
    make: matrix((k) => {
      k[0]![0] = -1;
      return k;
    }),
    accept: ({ warnings }) => {
      const warning = warnings.find((w) => w.code === "KIN_NEG_EIG");
      expect(warning?.details).toMatchObject({ count: 1 });
      expect(warning?.message).toMatch(/smallest -1\.\d/);
    },
  },
  "kin-truncated": {
    make: (folder) => {
      const options = matrix((k) => k)(folder);
      truncateSync(options.kinship!, readFileSync(options.kinship!).length - 10);
      return options;
    },
    code: "KIN_TRUNCATED",
  },
  "snp-allmissing": {
    make: variant(Array(N).fill(-1)),
    accept: ({ filters, columns }) => {
      expect(filters).toMatchObject({ total: 81, missing: 1, kept: 80 });
      expect(columns.beta.every(Number.isFinite)).toBe(true);
    },
  },
  "snp-mono": {
    make: variant(Array(N).fill(2)),
    accept: ({ filters }) => expect(filters).toMatchObject({ monomorphic: 1, kept: 80 }),
  },
  "snp-allhet": {
    make: variant(Array(N).fill(1)),
    accept: ({ filters, columns }) => {
      expect(filters).toMatchObject({ heterozygous: 1, kept: 80 });
      expect(columns.se.every(Number.isFinite)).toBe(true);
    },
  },
  "snp-collinear-cov": {
    make: (folder) => {
      const same = Array.from({ length: N }, (_, i) => i % 3);
      writeFileset(folder, [...sim.genotypes, same], base);
      return covariates((i) => `${i % 3} ${age(i)}`)(folder);
    },
    accept: ({ filters, columns }) => {
      expect(filters.covariates).toBe(1);
      expect(columns.beta.some((b) => Math.abs(b) === Number.POSITIVE_INFINITY)).toBe(false);
    },
  },
  "snps-none-left": {
    make: () => ({ maf: 0.5, miss: 0, hwe: 1 }),
    code: "NO_VARIANTS_AFTER_FILTER",
    says: /80 read/,
  },
  "snps-list-unknown": {
    make: (folder) => {
      writeFileSync(join(folder, "list"), "nobody\nv3\nv4\nv5\n");
      return { snpFile: join(folder, "list") };
    },
    accept: ({ filters, warnings }) => {
      expect(filters).toMatchObject({ notListed: 77, kept: 3 });
      expect(warnings).toContainEqual(
        expect.objectContaining({ code: "SNPS_NOT_FOUND", details: { absent: 1, listed: 4 } }),
      );
    },
  },
};

describe("bad inputs", () => {
  it.each(Object.entries(rows))("%s", async (_id, { make, code, says, accept }) => {
    const folder = tempFolder();
    const prefix = writeFileset(folder, sim.genotypes, base);
    const options = make(folder, prefix);
    const before = names(folder);
    const run = gwas(prefix, { ...options, out: join(folder, "out") });
    if (accept) return void (await accept(await run, folder));
    const error = await run.then(
      () => undefined,
      (e: unknown) => e,
    );
    expect(isXError(error), String(error)).toBe(true);
    expect(error).toMatchObject({ code });
    if (says) expect(String(error)).toMatch(says);
    expect(names(folder)).toEqual(before);
    // Node is usable: the untouched study runs.
    const other = tempFolder();
    await gwas(writeFileset(other, sim.genotypes, base));
  });

  it.each(["0x1p3", "1_000", "1e", "+-1", "0x10", "NaN", "abc", "1,5"])(
    "phe-hex and others through -p: %s",
    async (text) => {
      const folder = tempFolder();
      const prefix = writeFileset(folder, sim.genotypes, base);
      writeFileSync(join(folder, "p.txt"), base.map((y, i) => `${i === 4 ? text : y}\n`).join(""));
      const ran = await lmm([
        "gwas",
        "--bfile",
        prefix,
        "-p",
        join(folder, "p.txt"),
        "--out",
        join(folder, "out"),
      ]);
      expect(ran).toMatchObject({ code: 1 });
      expect(ran.err).toMatch(/^PHENO_(PARSE|NAN) .*p\.txt:5/);
    },
  );

  it("phe-hex: an empty phenotype is a column too few", async () => {
    const folder = tempFolder();
    const prefix = writeFileset(
      folder,
      sim.genotypes,
      base.map((y, i) => (i === 4 ? "" : y)),
    );
    await expect(gwas(prefix)).rejects.toMatchObject({ code: "COLUMNS" });
  });

  it("phe-subnormal: huge values are refused too, never NaN", async () => {
    const prefix = writeFileset(
      tempFolder(),
      sim.genotypes,
      base.map((y) => `${y}e300`),
    );
    await expect(gwas(prefix)).rejects.toMatchObject({ code: "SCALE" });
  });

  it("kin-singular: a matrix of rank 1 is legal", async () => {
    const folder = tempFolder();
    const prefix = writeFileset(folder, sim.genotypes, base);
    const options = matrix((k) => k.map((_, i) => k.map((_, j) => (((i % 5) - 2) * ((j % 5) - 2)) / 4)))(
      folder,
    );
    const { columns } = await gwas(prefix, options);
    expect(columns.se.every((v) => v > 0)).toBe(true);
  });

  it("kin-order", async () => {
    const folder = tempFolder();
    const prefix = writeFileset(folder, sim.genotypes, base);
    await using study = await openPlink(prefix);
    const { kinship: path } = matrix((k) => k)(folder);
    const ids = study.fam.fid.map((fid, i) => `${fid} ${study.fam.iid[i]}\n`);
    writeFileSync(join(folder, "ids"), [ids[1], ids[0], ...ids.slice(2)].join(""));
    await expect(Kinship.load(path!, study, { ids: join(folder, "ids") })).rejects.toMatchObject({
      code: "KIN_ID_ORDER",
    });
    writeFileSync(join(folder, "ids"), ids.join(""));
    await using k = await Kinship.load(path!, study, { ids: join(folder, "ids") });
    expect(k.samples).toBe(N);
  });

  it("arrow-trunc and a changed byte in an Arrow kinship", async () => {
    const folder = tempFolder();
    const prefix = writeFileset(folder, sim.genotypes, base);
    await using study = await openPlink(prefix);
    await using k = await kinship(study, await joinSamples(study));
    const path = join(folder, "k.arrow");
    await k.save(path);
    const whole = readFileSync(path);
    writeFileSync(path, whole.subarray(0, whole.length - 20));
    await expect(Kinship.load(path, study)).rejects.toMatchObject({ code: "ARROW_FOOTER" });
    const flipped = Buffer.from(whole);
    flipped[Math.floor(whole.length / 2)]! ^= 1;
    writeFileSync(path, flipped);
    await expect(Kinship.load(path, study)).rejects.toMatchObject({ code: "KIN_HASH" });
    writeFileSync(path, whole);
    await using _same = await Kinship.load(path, study);
  });

  it("worker-crash: a failing kernel call rejects once and the process goes on", async () => {
    const prefix = writeFileset(tempFolder(), sim.genotypes, base);
    await using study = await openPlink(prefix);
    const cohort = await joinSamples(study);
    const k = await kinship(study, cohort);
    await k[Symbol.asyncDispose]();
    await expect(eigen(k, cohort)).rejects.toMatchObject({ code: "MATRIX_RELEASED" });
    await using again = await kinship(study, cohort);
    await using e = await eigen(again, cohort);
    expect(e.samples).toBe(N);
  });

  it("f64-over-4gi: a matrix is handed out in tiles, never as one array above the limit", async () => {
    const prefix = writeFileset(tempFolder(), sim.genotypes, base);
    await using study = await openPlink(prefix);
    await using k = await kinship(study, await joinSamples(study));
    expect(() => k.tile(0, 65_537, 0, 65_537)).toThrow(
      expect.objectContaining({ code: "TYPED_ARRAY_LIMIT" }),
    );
  });

  it("io-over-2gib: a .bed beyond 2 GiB is read in pieces, across the limit and at its end", async () => {
    const prefix = join(tempFolder(), "big");
    const [people, variants] = [40_000, 214_900];
    const stride = people / 4;
    writeFileSync(
      `${prefix}.fam`,
      Array.from({ length: people }, (_, i) => `f${i} i${i} 0 0 1 ${i % 97}\n`).join(""),
    );
    writeFileSync(
      `${prefix}.bim`,
      Array.from({ length: variants }, (_, j) => `1 v${j} 0 ${j + 1} A C\n`).join(""),
    );
    // Sparse: only the marked bytes take room on the disk.
    const bed = openSync(`${prefix}.bed`, "w");
    writeSync(bed, Buffer.of(0x6c, 0x1b, 1), 0, 3, 0);
    const size = 3 + variants * stride;
    expect(size).toBeGreaterThan(2 ** 31);
    const limit = Math.floor((2 ** 31 - 3) / stride);
    for (const [j, value] of [
      [limit - 1, 0xff],
      [limit, 0xe4],
      [limit + 1, 0x1b],
      [variants - 1, 0xaa],
    ] as const)
      writeSync(bed, Buffer.alloc(stride, value), 0, stride, 3 + j * stride);
    closeSync(bed);
    await using study = await openPlink(prefix);
    const read = async (from: number, to: number): Promise<number[]> => {
      const values: number[] = [];
      for await (const { packed, rows } of study.blocks({ range: [from, to], chunk: 2 }))
        for (let r = 0; r < rows; r++) {
          const row = packed.subarray(r * stride, (r + 1) * stride);
          values.push(row.every((byte) => byte === row[0]) ? row[0]! : Number.NaN);
        }
      return values;
    };
    expect(await read(limit - 2, limit + 3)).toEqual([0, 0xff, 0xe4, 0x1b, 0]);
    expect(await read(variants - 2, variants)).toEqual([0, 0xaa]);
    // One request above the largest single read of 1 GiB.
    await using file = openInput(`${prefix}.bed`);
    const tail = await file.read(size - 2 ** 30 - 64, 2 ** 30 + 64);
    expect([tail.length, tail.at(-1), tail.at(-stride), tail.at(-stride - 1)]).toEqual([
      2 ** 30 + 64,
      0xaa,
      0xaa,
      0,
    ]);
  });

  it("bed-changed: a .bed that grows between the passes", async () => {
    const folder = tempFolder();
    const prefix = writeFileset(folder, sim.genotypes, base);
    await using study = await openPlink(prefix);
    const cohort = await joinSamples(study);
    await using _k = await kinship(study, cohort);
    appendFileSync(`${prefix}.bed`, Buffer.alloc(3));
    await expect(kinship(study, cohort)).rejects.toMatchObject({ code: "INPUT_CHANGED" });
  });
});

/** Rows of our formats that another test or package holds. */
const elsewhere: Record<string, string> = {
  "out-nodir": "outputs.test.ts",
  "out-exists": "outputs.test.ts",
  "out-enospc": "outputs.test.ts",
  "out-devfull": "outputs.test.ts",
  "out-epipe": "outputs.test.ts",
  "out-two-writers": "outputs.test.ts",
  "kill-9-midwrite": "process.test.ts",
  sigint: "process.test.ts",
  "sigterm-slurm": "process.test.ts",
  "mem-preflight": "memory.test.ts",
  "mem-cgroup": "memory.test.ts",
  "mem-alloc-fail": "memory.test.ts",
  "eig-notorth": "eigen-files.test.ts",
  "eig-mismatch": "eigen-files.test.ts",
  "eig-n-over-lp64": "eigen-files.test.ts",
  "clock-locale": "determinism.test.ts",
  "shard-missing": "resume.test.ts",
  "shard-trunc": "resume.test.ts",
  "threads-many": "determinism.test.ts",
};
const here = new Set([
  ...Object.keys(rows),
  ...Object.keys(elsewhere),
  "kin-order",
  "worker-crash",
  "f64-over-4gi",
  "io-over-2gib",
]);
const tsv = join(shared, "data/bad-inputs.tsv");

it.skipIf(!existsSync(tsv))("every row of our formats in bad-inputs.tsv has a test", () => {
  const ours = new Set([
    "genotype",
    "phenotype",
    "covariate",
    "kinship",
    "eigen",
    "output",
    "process",
    "limits",
    "environment",
    "merge",
  ]);
  const wanted = readFileSync(tsv, "utf8")
    .trimEnd()
    .split("\n")
    .slice(1)
    .map((line) => line.split("\t"));
  const missing = wanted.filter(([id, format]) => ours.has(format!) && !here.has(id!)).map(([id]) => id);
  expect(missing).toEqual([]);
  for (const file of new Set(Object.values(elsewhere))) {
    const text = readFileSync(new URL(file, import.meta.url), "utf8");
    for (const [id, home] of Object.entries(elsewhere))
      if (home === file) expect(text, `${file}: ${id}`).toContain(id);
  }
});
