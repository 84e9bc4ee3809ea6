import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterAll } from "vitest";

const root: string = fileURLToPath(new URL("../../../../", import.meta.url));
/** Where the shared data lie beside the checkout, or where X_SHARED says. */
export const shared: string = process.env.X_SHARED ?? join(root, "../shared");
export const mouse: string = join(shared, "data/lmm/mouse_hs1940");
export const fixtures: string = join(root, "fixtures");
export const bin: string = fileURLToPath(new URL("../../bin/lmm.mjs", import.meta.url));
export const node: string = process.execPath;

const made: string[] = [];
afterAll(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "x-lmm-"));
  made.push(folder);
  return folder;
}

/** A copy of a committed fileset that a test may damage; returns its prefix. */
export function copyFileset(name: string, folder: string = tempFolder()): string {
  const from = name === "demo" ? join(fixtures, "demo") : join(fixtures, "tiny", name);
  for (const ext of ["bed", "bim", "fam", "covar.txt", "covar.tsv"])
    if (existsSync(join(from, `${name}.${ext}`)))
      cpSync(join(from, `${name}.${ext}`), join(folder, `${name}.${ext}`));
  return join(folder, name);
}

export function golden(name: string, file: string): string {
  const folder = name === "demo" ? "demo" : `tiny/${name}`;
  const path = join(fixtures, folder, "gemma", file);
  return path;
}

export function gunzipText(path: string): string {
  return gunzipSync(readFileSync(path)).toString("latin1");
}

/** The square text matrix of a reference's lower triangle, digit by digit. */
export function squareText(lowerGz: string): string {
  const lower = gunzipText(lowerGz)
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));
  return lower
    .map((row, i) => `${[...row, ...lower.slice(i + 1).map((below) => below[i])].join("\t")}\n`)
    .join("");
}

export interface Ran {
  code: number | null;
  signal: string | null;
  out: string;
  err: string;
  ms: number;
}

export interface RunOptions {
  cwd?: string;
  env?: Record<string, string>;
  /** Called with the child once it runs. */
  started?: (child: ReturnType<typeof spawn>) => void;
}

/** Runs the `lmm` bin. */
export function lmm(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const start = performance.now();
  const child = spawn(node, [bin, ...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  options.started?.(child);
  let [out, err] = ["", ""];
  child.stdout.on("data", (d) => (out += d));
  child.stderr.on("data", (d) => (err += d));
  return new Promise((resolve) =>
    child.on("close", (code, signal) => resolve({ code, signal, out, err, ms: performance.now() - start })),
  );
}

/** Names in a folder, temporary and lock files included. */
export const names = (folder: string): string[] => readdirSync(folder).sort();

export interface Simulated {
  prefix: string;
  people: number;
  /** Genotypes by variant, A1 dosage, −1 missing. */
  genotypes: number[][];
}

/** Writes a fileset from dosages of A1 (−1 missing) and phenotype texts. */
export function writeFileset(
  folder: string,
  genotypes: number[][],
  phenotypes: readonly string[],
  ids: (j: number) => string = (j) => `v${j + 1}`,
): string {
  const n = phenotypes.length;
  const stride = Math.ceil(n / 4);
  const bed = Buffer.alloc(3 + genotypes.length * stride);
  bed.set([0x6c, 0x1b, 0x01]);
  const code: Record<number, number> = { [-1]: 1, 0: 3, 1: 2, 2: 0 };
  genotypes.forEach((row, j) => {
    row.forEach((g, i) => {
      bed[3 + j * stride + (i >> 2)]! |= code[g]! << (2 * (i & 3));
    });
  });
  const prefix = join(folder, "study");
  writeFileSync(`${prefix}.bed`, bed);
  writeFileSync(
    `${prefix}.bim`,
    genotypes.map((_, j) => `1\t${ids(j)}\t0\t${(j + 1) * 1000}\tA\tC\n`).join(""),
  );
  writeFileSync(`${prefix}.fam`, phenotypes.map((y, i) => `f${i + 1}\ti${i + 1}\t0\t0\t1\t${y}\n`).join(""));
  return prefix;
}

/** Small deterministic numbers for tests; never for science. */
export function randoms(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** `n` people in families of three and `p` variants with missing calls; a phenotype with noise. */
export function simulate(
  n: number,
  p: number,
  seed: number = 1,
): { genotypes: number[][]; phenotypes: string[] } {
  const random = randoms(seed);
  const genotypes: number[][] = [];
  const y = new Float64Array(n);
  for (let j = 0; j < p; j++) {
    const freq = 0.1 + 0.4 * random();
    const family: number[] = [];
    genotypes.push(
      Array.from({ length: n }, (_, i) => {
        if (i % 3 === 0) family[0] = Number(random() < freq);
        const g = family[0]! + Number(random() < freq);
        if (j < 20) y[i]! += (g * (j % 5)) / 20;
        return random() < 0.02 ? -1 : g;
      }),
    );
  }
  return { genotypes, phenotypes: Array.from(y, (v) => (v + random() + random() - 1).toFixed(6)) };
}
