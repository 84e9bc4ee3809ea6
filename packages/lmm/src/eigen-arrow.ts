import { createHash } from "node:crypto";
import { type OnProgress, writeIpcFile } from "@x/core";
import { Field, FixedSizeList, Float64, makeData, RecordBatch, Schema, Struct } from "apache-arrow";
import { aligned, openArrowRows } from "./arrow-rows.ts";
import type { EigenFacts } from "./eigen-matrix.ts";
import { lmmFileError } from "./errors.ts";
import { type Matrix, type NativeOptions, rowTiles, zeros } from "./native.ts";

/** Bytes of vectors in one record batch. */
const TILE_BYTES = 8 << 20;
const KIND = "x-lmm eigen";
const VERSION = "1";

const bytesOf = (values: Float64Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

/** Writes `d: Float64, u: FixedSizeList<Float64>[n]`, a person a row, in tiles of rows, atomically. */
export async function saveEigenArrow(
  path: string,
  vectors: Matrix,
  facts: EigenFacts,
  options: NativeOptions & { onProgress?: OnProgress | undefined },
): Promise<void> {
  const { n } = vectors;
  const hash = createHash("sha256").update(bytesOf(facts.values));
  for (const { values } of rowTiles(vectors, TILE_BYTES)) hash.update(bytesOf(values));
  const item = new Field("item", new Float64(), false);
  const fields = [new Field("d", new Float64(), false), new Field("u", new FixedSizeList(n, item), false)];
  const metadata = new Map([
    ["kind", KIND],
    ["version", VERSION],
    ["samples", String(n)],
    ["cohortHash", facts.cohortHash],
    ["kinshipHash", facts.kinshipHash ?? ""],
    ["residual", String(facts.residual)],
    ["orthogonality", String(facts.orthogonality)],
    ["negativeCount", String(facts.negative.count)],
    ["negativeSmallest", String(facts.negative.smallest)],
    ["sha256", hash.digest("hex")],
  ]);
  const schema = new Schema(fields, metadata);
  const doubles = (data: Float64Array, length: number) =>
    makeData({ type: new Float64(), length, nullCount: 0, data });
  // The writer has put a batch on the disk before it asks for the next, so one buffer serves all tiles.
  function* batches(): Generator<RecordBatch> {
    for (const { row, rows, values } of rowTiles(vectors, TILE_BYTES)) {
      const child = doubles(values, rows * n);
      const children = [
        doubles(facts.values.slice(row, row + rows), rows),
        makeData({ type: fields[1]!.type as FixedSizeList, length: rows, nullCount: 0, child }),
      ];
      yield new RecordBatch(
        schema,
        makeData({ type: new Struct(fields), length: rows, nullCount: 0, children }),
      );
      options.onProgress?.({ stage: "writing eigen", done: row + rows, total: n });
    }
  }
  await writeIpcFile(path, batches(), { signal: options.signal });
}

/**
 * Reads the file tile by tile into native memory.
 * @throws ARROW_FOOTER for a file cut short, EIG_FORMAT for another Arrow file, EIG_HASH when a number was changed.
 */
export async function loadEigenArrow(
  path: string,
  signal: AbortSignal | undefined,
): Promise<{ vectors: Matrix; facts: EigenFacts }> {
  const { reader, close } = await openArrowRows(path);
  try {
    const { metadata } = reader.schema;
    const n = Number(metadata.get("samples"));
    if (metadata.get("kind") !== KIND || metadata.get("version") !== VERSION || !(n > 0))
      throw lmmFileError(
        "EIG_FORMAT",
        path,
        `this Arrow file is no eigendecomposition that this version of lmm reads (kind ${metadata.get("kind") ?? "unknown"}, version ${metadata.get("version") ?? "unknown"}).`,
      );
    const vectors = zeros(n);
    const values = new Float64Array(n);
    let row = 0;
    for await (const batch of reader) {
      signal?.throwIfAborted();
      const [d, u] = batch.data.children;
      values.set((d!.values as Float64Array).subarray(0, batch.numRows), row);
      const tile = aligned((u!.children[0]!.values as Float64Array).subarray(0, batch.numRows * n));
      vectors.setTile(row, batch.numRows, 0, n, tile);
      row += batch.numRows;
    }
    // The eigenvalues come first in the checksum, and lie beside the rows in the file: hashed when all are there.
    const hash = createHash("sha256").update(bytesOf(values));
    for (const { values: tile } of rowTiles(vectors, TILE_BYTES)) hash.update(bytesOf(tile));
    const sha256 = hash.digest("hex");
    if (row !== n || sha256 !== metadata.get("sha256")) {
      vectors.release();
      throw lmmFileError(
        "EIG_HASH",
        path,
        "the numbers do not match the file's own checksum: it was changed, damaged, or put together from two.",
        { found: sha256, expected: metadata.get("sha256") },
      );
    }
    const number = (name: string): number => Number(metadata.get(name) ?? Number.NaN);
    return {
      vectors,
      facts: {
        values,
        cohortHash: metadata.get("cohortHash") ?? "",
        kinshipHash: metadata.get("kinshipHash") || undefined,
        residual: number("residual"),
        orthogonality: number("orthogonality"),
        negative: { count: number("negativeCount"), smallest: number("negativeSmallest") },
      },
    };
  } finally {
    await close();
  }
}
