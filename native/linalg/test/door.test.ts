// The door from Node's side: each export against plain JavaScript, and what happens when a call cannot do its work.
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import native, { type Job, type Matrix } from "../index.js";

const job = () => new native.Job();
const A = [4, 2, 1, 2, 5, 3, 1, 3, 6]; // positive definite
const B = Float64Array.of(1, 2, 3, -1, 0, 5); // two columns of three

function matrix(values: readonly number[]): Matrix {
  const n = Math.sqrt(values.length);
  const m = native.Matrix.zeros(n);
  m.setTile(0, n, 0, n, Float64Array.from(values));
  return m;
}

const entries = (m: Matrix): number[] => [...m.tile(0, m.n, 0, m.n)];

/** Row-major m × k by k × n. */
function product(m: number, n: number, k: number, a: ArrayLike<number>, b: ArrayLike<number>): number[] {
  return Array.from({ length: m * n }, (_, at) => {
    const [i, j] = [Math.floor(at / n), at % n];
    return Array.from({ length: k }, (_, p) => a[i * k + p]! * b[p * n + j]!).reduce((x, y) => x + y, 0);
  });
}

const transposed = (a: readonly number[], n: number): number[] =>
  a.map((_, at) => a[(at % n) * n + Math.floor(at / n)]!);

function close(found: ArrayLike<number>, wanted: ArrayLike<number>, bound = 1e-12): void {
  expect(found.length).toBe(wanted.length);
  for (let i = 0; i < wanted.length; i++) {
    expect(Math.abs(found[i]! - wanted[i]!)).toBeLessThanOrEqual(bound * Math.max(1, Math.abs(wanted[i]!)));
  }
}

/** PLINK 1 codes of dosages of A1; NaN = missing. */
function pack(rows: readonly (readonly number[])[]): Uint8Array {
  const width = Math.ceil(rows[0]!.length / 4);
  const packed = new Uint8Array(rows.length * width);
  rows.forEach((row, r) => {
    row.forEach((g, i) => {
      packed[r * width + (i >> 2)]! |= (Number.isNaN(g) ? 1 : [3, 2, 0][g]!) << (2 * (i & 3));
    });
  });
  return packed;
}

const GENOTYPES = [
  [0, 1, 2, 1, Number.NaN],
  [2, 2, 0, 1, 1],
  [1, Number.NaN, 0, 0, 2],
];

describe("dense", () => {
  it("matmul is A B and syrk A A'", async () => {
    const [a, b] = [Float64Array.from(A.slice(0, 6)), Float64Array.from([...A].reverse())];
    close(await native.matmul(job(), 2, 3, 3, a, b, 1), product(2, 3, 3, a, b));
    const at = [a[0]!, a[3]!, a[1]!, a[4]!, a[2]!, a[5]!];
    close(await native.syrk(job(), 2, 3, a, 1), product(2, 2, 3, a, at));
  });

  it("cholesky gives L with L L' = A and zeros above, and the solvers undo L and L'", async () => {
    const l = matrix(A);
    await native.cholesky(job(), l, 1);
    const lower = entries(l);
    expect([lower[1], lower[2], lower[5]]).toEqual([0, 0, 0]);
    close(product(3, 3, 3, lower, transposed(lower, 3)), A);
    const x = await native.solveLower(job(), l, B, 2, 1);
    const y = await native.solveLowerTransposed(job(), l, B, 2, 1);
    for (const c of [0, 3]) {
      close(product(3, 1, 3, lower, x.subarray(c, c + 3)), B.subarray(c, c + 3));
      close(product(3, 1, 3, transposed(lower, 3), y.subarray(c, c + 3)), B.subarray(c, c + 3));
    }
  });

  it("cholesky refuses a matrix that is not positive definite, with the pivot", async () => {
    await expect(native.cholesky(job(), matrix([1, 2, 2, 1]), 1)).rejects.toThrow(
      /^CHOLESKY_NOT_PD\|.*\|\{"pivot":2,"value":-3\}$/,
    );
  });

  it("eigh gives U Λ U', checkEigen agrees with it and sees vectors that are not orthogonal", async () => {
    const { values, vectors, residual, orthogonality } = await native.eigh(job(), matrix(A), 1);
    const u = entries(vectors);
    const scaled = u.map((x, at) => x * values[at % 3]!);
    close(product(3, 3, 3, scaled, transposed(u, 3)), A);
    expect(Math.max(residual, orthogonality)).toBeLessThan(1e-14);
    expect(await native.checkEigen(job(), values, vectors, 1)).toBeLessThan(1e-14);
    expect(await native.checkEigen(job(), values, matrix(A), 1)).toBeGreaterThan(1);
  });

  it("project is U'Y, matrixSubset picks, matrixCenter centres", async () => {
    close(
      await native.project(job(), matrix(A), B.subarray(0, 3), 1, 1),
      product(3, 1, 3, transposed(A, 3), B),
    );
    expect(entries(await native.matrixSubset(job(), matrix(A), Uint32Array.of(2, 0), 1))).toEqual([
      6, 1, 1, 4,
    ]);
    const centred = matrix(A);
    await native.matrixCenter(job(), centred, 1);
    const j = [2, -1, -1, -1, 2, -1, -1, -1, 2].map((x) => x / 3);
    close(entries(centred), product(3, 3, 3, product(3, 3, 3, j, A), j));
  });

  it("writes a matrix as text and reads it back", async () => {
    const text = await native.matrixFormatRows(job(), matrix(A), 0, 3, 1);
    expect(new TextDecoder().decode(text)).toBe("4\t2\t1\n2\t5\t3\n1\t3\t6\n");
    const reader = new native.MatrixReader(3);
    reader.push(text.subarray(0, 3));
    reader.push(text.subarray(3));
    expect(entries(reader.finish())).toEqual(A);
    expect(() => reader.finish()).toThrow(/^MATRIX_RELEASED\|/);
    expect(await native.matrixInspect(job(), matrix([1, 2, 3, 4]), 1)).toMatchObject({
      nanRow: -1,
      asymmetry: 1,
      trace: 5,
      zero: false,
    });
  });
});

describe("genotypes", () => {
  it("decodes, counts and cuts what was packed", async () => {
    const packed = pack(GENOTYPES);
    const flat = GENOTYPES.flat();
    expect([...(await native.decodeFloat64(job(), packed, 5, 3, 1))]).toEqual(flat);
    expect([...(await native.decodeFloat32(job(), packed, 5, 3, 1))]).toEqual(flat);
    const int8 = flat.map((g) => (Number.isNaN(g) ? -127 : g));
    expect([...(await native.decodeInt8(job(), packed, 5, 3, 1))]).toEqual(int8);
    expect([...(await native.countGenotypes(job(), packed.subarray(0, 2), 5, 1, null, 1))]).toEqual([
      1, 2, 1, 1,
    ]);
    expect([
      ...(await native.countGenotypes(job(), packed.subarray(0, 2), 5, 1, Uint8Array.of(0b101), 1)),
    ]).toEqual([1, 0, 1, 0]);
    expect([...(await native.missingBySample(job(), packed, 5, 3, 1))]).toEqual([0, 1, 0, 0, 1]);
    const cut = await native.subsetSamples(job(), packed, 5, 3, Uint32Array.of(4, 0), 1);
    expect([...cut]).toEqual([...pack(GENOTYPES.map((row) => [row[4]!, row[0]!]))]);
    const turned = await native.transposeTile(job(), packed, 3, 5, 1, 3, 1);
    expect([...turned]).toEqual([...pack([1, 2].map((i) => GENOTYPES.map((row) => row[i]!)))]);
  });

  it("snpGram and PeopleGram are X'X and X X' / p of centred rows, missing at the mean", async () => {
    const means = GENOTYPES.map((row) => {
      const calls = row.filter((g) => !Number.isNaN(g));
      return calls.reduce((x, y) => x + y, 0) / calls.length;
    });
    const x = GENOTYPES.flatMap((row, r) => row.map((g) => (Number.isNaN(g) ? 0 : g - means[r]!)));
    const xt = Array.from({ length: 15 }, (_, at) => x[(at % 3) * 5 + Math.floor(at / 3)]!);
    const packed = pack(GENOTYPES);
    close(entries(await native.snpGram(job(), packed, 5, 3, 1)), product(3, 3, 5, x, xt));
    const gram = new native.PeopleGram(5);
    await gram.add(job(), packed, Uint32Array.of(0, 1, 2), Float64Array.from(means), 1);
    const kinship = entries(await gram.finish(job(), 3, 1));
    close(
      kinship,
      product(5, 5, 3, xt, x).map((v) => v / 3),
    );
    await expect(gram.finish(job(), 3, 1)).rejects.toThrow(/^STATE\|/);
  });

  it("refuses packed bytes of another size", async () => {
    await expect(native.snpGram(job(), new Uint8Array(5), 5, 3, 1)).rejects.toThrow(/^[A-Z_]+\|/);
  });
});

describe("stats", () => {
  // Distributions whose tails have closed forms.
  it.each([
    ["lnChisq", [3, 2], Math.exp(-1.5)],
    ["lnF", [1.7, 2, 6], (1 + (2 * 1.7) / 6) ** -3],
    ["lnT", [2.5, 1], 0.5 - Math.atan(2.5) / Math.PI],
    ["lnBeta", [0.3, 1, 4], 0.7 ** 4],
    ["lnNormal", [1.959963984540054], 0.025],
  ] as const)("%sSf and %sCdf are the two tails", (name, args, upper) => {
    const tail = (end: "Sf" | "Cdf") => (native[`${name}${end}`] as (...x: number[]) => number)(...args);
    close([tail("Sf"), tail("Cdf")], [Math.log(upper), Math.log1p(-upper)]);
  });

  it("tails go on where doubles end", () => {
    close([native.lnChisqSf(4000, 2), native.lnBetaCdf(1e-300, 3, 1)], [-2000, 3 * Math.log(1e-300)]);
    expect(native.lnNormalSf(100)).toBeLessThan(-5000);
  });

  it("hardyExact sums what is no likelier: 264 of 2024 ways", () => {
    close(native.hardyExact(Uint32Array.of(1, 2, 1, 9, 10, 1, 1, 0)), [1, 264 / 2024]);
  });
});

/** Every long call on a given job and matrix. */
const LONG: Record<string, (job: Job, m: Matrix) => Promise<unknown>> = {
  matmul: (j) => native.matmul(j, 3, 2, 3, Float64Array.from(A), B, 1),
  syrk: (j) => native.syrk(j, 3, 3, Float64Array.from(A), 1),
  decodeInt8: (j) => native.decodeInt8(j, pack(GENOTYPES), 5, 3, 1),
  countGenotypes: (j) => native.countGenotypes(j, pack(GENOTYPES), 5, 3, null, 1),
  snpGram: (j) => native.snpGram(j, pack(GENOTYPES), 5, 3, 1),
  cholesky: (j, m) => native.cholesky(j, m, 1),
  solveLower: (j, m) => native.solveLower(j, m, B, 2, 1),
  solveLowerTransposed: (j, m) => native.solveLowerTransposed(j, m, B, 2, 1),
  checkEigen: (j, m) => native.checkEigen(j, new Float64Array(3), m, 1),
  eigh: (j, m) => native.eigh(j, m, 1),
  project: (j, m) => native.project(j, m, B, 2, 1),
  matrixSubset: (j, m) => native.matrixSubset(j, m, Uint32Array.of(0, 1), 1),
  matrixCenter: (j, m) => native.matrixCenter(j, m, 1),
  matrixInspect: (j, m) => native.matrixInspect(j, m, 1),
  matrixFormatRows: (j, m) => native.matrixFormatRows(j, m, 0, 3, 1),
};

describe("what cannot be done", () => {
  it.each(Object.entries(LONG))("%s of a cancelled job is CANCELLED", async (_, start) => {
    const cancelled = job();
    cancelled.cancel();
    await expect(start(cancelled, matrix(A))).rejects.toThrow(/^CANCELLED\|/);
  });

  it.each(Object.entries(LONG).filter(([, start]) => start.length === 2))(
    "%s of a released matrix is MATRIX_RELEASED",
    async (_, start) => {
      const m = matrix(A);
      m.release();
      expect(m.n).toBe(0);
      await expect(start(job(), m)).rejects.toThrow(/^MATRIX_RELEASED\|/);
      expect(() => m.tile(0, 1, 0, 1)).toThrow(/^MATRIX_RELEASED\|/);
    },
  );

  it("memory that is not there is ALLOC and Node goes on", async () => {
    for (const n of [2 ** 23, 2 ** 31, 2 ** 32 - 1]) expect(() => native.Matrix.zeros(n)).toThrow(/^ALLOC\|/);
    expect(() => new native.PeopleGram(2 ** 32 - 1)).toThrow(/^ALLOC\|/);
    const huge = native.matmul(job(), 2 ** 31, 2 ** 31, 1, new Float64Array(1), new Float64Array(1), 1);
    await expect(huge).rejects.toThrow(/^ALLOC\|/);
    expect(native.Matrix.zeros(2).n).toBe(2);
  });

  it("a panic on either thread becomes an error and Node goes on", async () => {
    await expect(native.provokePanicInWork(job())).rejects.toThrow(
      /^NATIVE_PANIC\|a native kernel panicked: provoked by a test\|\{\}$/,
    );
    expect(() => native.provokePanic()).toThrow("provoked by a test");
    close(await native.matmul(job(), 1, 1, 1, Float64Array.of(2), Float64Array.of(3), 1), [6]);
  });
});

describe("X_SIMD", () => {
  const url = new URL("../index.js", import.meta.url).href;
  const script = `import(${JSON.stringify(url)}).then((m) => console.log(m.default.simd().level), (e) => console.log(e.code, e.message))`;
  const level = (X_SIMD: string) =>
    spawnSync(process.execPath, ["-e", script], {
      encoding: "utf8",
      env: { ...process.env, X_SIMD },
    }).stdout.trim();

  it("lowers the instruction set; a misspelt one is refused", () => {
    expect(level("scalar")).toBe("scalar");
    expect(native.simd().available).toContain(level(""));
    expect(level("avx-2")).toBe('OPTION_RANGE X_SIMD must be one of scalar, avx2, avx512, neon, got "avx-2"');
  });
});
