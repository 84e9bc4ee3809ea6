import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { isXError, type XError } from "@x/core/base";
import { afterAll, expect } from "vitest";
import { type DistanceMatrix, FeatureTable } from "../../src/index.ts";

const root: string = fileURLToPath(new URL("../../../../", import.meta.url));
/** Where the shared 16S data lie beside the checkout, or where X_SHARED says. */
export const shared: string = join(process.env.X_SHARED ?? join(root, "../shared"), "data/seq");
export const hasShared: boolean = existsSync(shared);
if (!hasShared) console.log(`the shared 16S data are not in ${shared}: their tests are left out`);

export const bin: string = fileURLToPath(new URL("../../bin/seq-model.mjs", import.meta.url));
/** Tables, a tree and reference numbers made by golden/make.py. */
export const golden = (name: string): string => fileURLToPath(new URL(`../golden/${name}`, import.meta.url));

const made: string[] = [];
afterAll(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "x-seq-"));
  made.push(folder);
  return folder;
}

/** A file of this content in a folder of its own. */
export function fileOf(name: string, content: string | Uint8Array): string {
  const path = join(tempFolder(), name);
  writeFileSync(path, content);
  return path;
}

export interface Ran {
  code: number | null;
  out: string;
  err: string;
}

/** Runs the program to its end. */
export function seqModel(args: readonly string[]): Promise<Ran> {
  return new Promise((done) => {
    const child = spawn(process.execPath, [bin, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    let [out, err] = ["", ""];
    child.stdout.on("data", (text) => {
      out += text;
    });
    child.stderr.on("data", (text) => {
      err += text;
    });
    child.on("close", (code) => done({ code, out, err }));
  });
}

export const readJson = (path: string): unknown => JSON.parse(readFileSync(path, "utf8"));

/** A table from rows of counts. */
export function tableOf(rows: readonly (readonly number[])[], featureIds?: readonly string[]): FeatureTable {
  const [indptr, indices, values]: [number[], number[], number[]] = [[0], [], []];
  for (const row of rows) {
    row.forEach((value, feature) => {
      if (value === 0) return;
      indices.push(feature);
      values.push(value);
    });
    indptr.push(values.length);
  }
  return new FeatureTable({
    sampleIds: rows.map((_, s) => `s${s}`),
    featureIds: featureIds ?? (rows[0] ?? []).map((_, f) => `f${f}`),
    indptr: Float64Array.from(indptr),
    indices: Uint32Array.from(indices),
    values: Float64Array.from(values),
  });
}

/** Largest difference of a matrix from a square. */
export function worst(matrix: DistanceMatrix, square: ArrayLike<number>): number {
  const found = matrix.toArray();
  expect(found.length).toBe(square.length);
  return found.reduce((most, d, at) => Math.max(most, Math.abs(d - square[at]!)), 0);
}

/** The error a call fails with. */
export async function failure(call: () => unknown): Promise<XError> {
  try {
    await call();
  } catch (e) {
    if (isXError(e)) return e;
    throw e;
  }
  throw new Error("it did not fail");
}
