import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isXError, type XError } from "@x/core/base";
import { afterAll } from "vitest";
import { type CsrBlock, csrToDense, type MosaicDataset } from "../src/index.ts";

export const GOLDEN: string = join(import.meta.dirname, "golden");
/** Reference data that is never committed. */
export const SHARED: string = join(import.meta.dirname, "../../../../shared/data/mosaic");

/** Makes files in a folder that goes when the test file has run. */
export function folder(): {
  path(name: string): string;
  file(name: string, data: string | Uint8Array): string;
} {
  const root = mkdtempSync(join(tmpdir(), "x-mosaic-"));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const path = (name: string): string => join(root, name);
  return {
    path,
    file(name, data) {
      writeFileSync(path(name), data);
      return path(name);
    },
  };
}

/** The XError a promise rejects with. */
export async function failure(run: Promise<unknown> | (() => unknown)): Promise<XError> {
  const e = await (typeof run === "function" ? new Promise((done) => done(run())) : run).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (isXError(e)) return e;
  throw new Error(`an XError was expected, got ${e instanceof Error ? e.stack : String(e)}`);
}

export function sha(data: Uint8Array | string): string {
  return createHash("sha256").update(data).digest("hex");
}

/** Bytes of numbers as they lie in memory. */
export function bytes(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** A whole modality, dense. */
export async function dense(cells: MosaicDataset, name: string): Promise<Float32Array> {
  return csrToDense(await rows(cells, name));
}

export function rows(
  cells: MosaicDataset,
  name: string,
  start = 0,
  end: number = cells.cells,
): Promise<CsrBlock> {
  return cells.modalities.get(name)!.rows(start, end);
}

/** All rows of `obs` as text. */
export function obsText(cells: MosaicDataset): string {
  return Array.from(cells.obs, String).join("\n");
}

/** Everything a stream gives. */
export async function all<T>(stream: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of stream) list.push(item);
  return list;
}
