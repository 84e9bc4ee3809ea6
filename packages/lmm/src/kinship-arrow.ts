import { createHash } from "node:crypto";
import { type OnProgress, utf8Vector, writeIpcFile } from "@x/core";
import { Field, FixedSizeList, Float64, makeData, RecordBatch, Schema, Struct, Utf8 } from "apache-arrow";
import { aligned, openArrowRows } from "./arrow-rows.ts";
import { lmmFileError } from "./errors.ts";
import type { KinshipMode } from "./kinship.ts";
import type { KinshipFacts } from "./kinship-matrix.ts";
import { type Matrix, type NativeOptions, rowTiles, zeros } from "./native.ts";

/** Bytes of matrix in one record batch. */
const TILE_BYTES = 8 << 20;
const KIND = "x-lmm kinship";
const VERSION = "1";

/** SHA-256 over the rows of the matrix as little-endian doubles. */
function contentHash(m: Matrix): string {
  const hash = createHash("sha256");
  for (const { values } of rowTiles(m, TILE_BYTES))
    hash.update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  return hash.digest("hex");
}

/** Writes `fid, iid, k: FixedSizeList<Float64>[n]`, a person a row, in tiles of rows, atomically. */
export async function saveKinshipArrow(
  path: string,
  matrix: Matrix,
  facts: KinshipFacts,
  options: NativeOptions & { onProgress?: OnProgress | undefined },
): Promise<void> {
  const { n } = matrix;
  const item = new Field("item", new Float64(), false);
  const fields = [
    new Field("fid", new Utf8(), false),
    new Field("iid", new Utf8(), false),
    new Field("k", new FixedSizeList(n, item), false),
  ];
  const metadata = new Map([
    ["kind", KIND],
    ["version", VERSION],
    ["mode", facts.mode ?? ""],
    ["samples", String(n)],
    ["snps", String(facts.snps ?? "")],
    ["sampleHash", facts.sampleHash],
    ["sha256", contentHash(matrix)],
  ]);
  const schema = new Schema(fields, metadata);
  // The writer has put a batch on the disk before it asks for the next, so one buffer serves all tiles.
  function* batches(): Generator<RecordBatch> {
    for (const { row, rows, values: data } of rowTiles(matrix, TILE_BYTES)) {
      const values = makeData({ type: new Float64(), length: rows * n, nullCount: 0, data });
      const children = [
        utf8Vector(facts.fid.slice(row, row + rows)).data[0]!,
        utf8Vector(facts.iid.slice(row, row + rows)).data[0]!,
        makeData({ type: fields[2]!.type as FixedSizeList, length: rows, nullCount: 0, child: values }),
      ];
      yield new RecordBatch(
        schema,
        makeData({ type: new Struct(fields), length: rows, nullCount: 0, children }),
      );
      options.onProgress?.({ stage: "writing kinship", done: row + rows, total: n });
    }
  }
  await writeIpcFile(path, batches(), { signal: options.signal });
}

/** What an Arrow kinship file holds. */
export interface KinshipFile {
  readonly matrix: Matrix;
  readonly fid: readonly string[];
  readonly iid: readonly string[];
  readonly sampleHash: string;
  readonly mode: KinshipMode | undefined;
  readonly snps: number | undefined;
  readonly sha256: string;
}

/**
 * Reads the file tile by tile into native memory.
 * @throws ARROW_FOOTER for a file cut short, KIN_FORMAT for another Arrow file, KIN_N when it is of other people,
 * KIN_HASH when an entry was changed.
 */
export async function loadKinshipArrow(
  path: string,
  expected: number,
  signal: AbortSignal | undefined,
): Promise<KinshipFile> {
  const { reader, close } = await openArrowRows(path);
  try {
    const { metadata } = reader.schema;
    const n = Number(metadata.get("samples"));
    if (metadata.get("kind") !== KIND || !(n > 0))
      throw lmmFileError("KIN_FORMAT", path, "this Arrow file is not a kinship matrix that lmm wrote.");
    if (metadata.get("version") !== VERSION)
      throw lmmFileError(
        "KIN_FORMAT",
        path,
        `kinship format version ${metadata.get("version")}; this version reads ${VERSION}.`,
      );
    if (n !== expected)
      throw lmmFileError("KIN_N", path, `the matrix is ${n} × ${n}, the fileset has ${expected} people.`, {
        found: n,
        expected,
      });
    const matrix = zeros(n);
    const hash = createHash("sha256");
    const fid: string[] = [];
    const iid: string[] = [];
    for await (const batch of reader) {
      signal?.throwIfAborted();
      const [f, i, k] = batch.data.children;
      const values = k!.children[0]!.values as Float64Array;
      const tile = values.subarray(0, batch.numRows * n);
      matrix.setTile(iid.length, batch.numRows, 0, n, aligned(tile));
      hash.update(new Uint8Array(tile.buffer, tile.byteOffset, tile.byteLength));
      if (f && i)
        for (let row = 0; row < batch.numRows; row++) {
          fid.push(String(batch.getChildAt(0)!.get(row)));
          iid.push(String(batch.getChildAt(1)!.get(row)));
        }
    }
    const sha256 = hash.digest("hex");
    if (iid.length !== n || sha256 !== metadata.get("sha256"))
      throw lmmFileError(
        "KIN_HASH",
        path,
        "the entries do not match the file's own checksum: it was changed or damaged.",
        {
          found: sha256,
          expected: metadata.get("sha256"),
        },
      );
    const snps = Number(metadata.get("snps") || Number.NaN);
    return {
      matrix,
      fid,
      iid,
      sampleHash: metadata.get("sampleHash") ?? "",
      mode: modeOf(metadata.get("mode")),
      snps: snps > 0 ? snps : undefined,
      sha256,
    };
  } finally {
    await close();
  }
}

function modeOf(text: string | undefined): KinshipMode | undefined {
  return text === "centered" || text === "standardized" || text === "hardy" ? text : undefined;
}
