import { type InputFile, requireMemory, throwIfAborted, xError } from "@x/core/base";
import { rowBytes } from "./bed.ts";
import { subsetSamples } from "./native.ts";
import { LIMITS, SampleMajorReader } from "./sample-major.ts";
import { selectSamples, selectVariants } from "./select.ts";
import type { BimColumns, BlockOptions, FamColumns, PackedBlock } from "./types.ts";

const BLOCK_BYTES = 8 << 20;
const MAX_CHUNK = 1 << 24;
/** Blocks held at once: one read ahead, one in work, one or two with the caller. */
const BLOCKS_HELD = 4;
/** Unwanted bytes that are cheaper to read than to seek over. */
const GAP_BYTES = 1 << 16;

/** What the block reader needs of a study. */
export interface BlockSource {
  /** The open .bed. */
  bed: InputFile;
  /** How it lies on disk. */
  layout: "variant" | "sample";
  /** Its variants. */
  bim: BimColumns;
  /** Its samples. */
  fam: FamColumns;
}

/** Reads rows `from … from + count − 1` of the .bed as SNP-major packed rows, into the start of `into` when given. */
export type RowReader = (from: number, count: number, into?: Uint8Array) => Promise<Uint8Array>;

/**
 * Variants a block: the number asked for, or about 8 MiB of `bytesPerVariant`, at most 4096; never more than a quarter
 * of `memoryLimit` holds.
 *
 * @throws XError OPTION_RANGE unless it is a whole number from 1 to 16,777,216; MEM_PREFLIGHT where one variant is too
 * many.
 */
export function chunkSize(
  { chunk, memoryLimit = Number.POSITIVE_INFINITY }: Pick<BlockOptions, "chunk" | "memoryLimit">,
  bytesPerVariant: number,
): number {
  const total = BLOCKS_HELD * bytesPerVariant;
  if (total > memoryLimit)
    requireMemory({ parts: [{ name: "one variant in each block", bytes: total }], total }, { memoryLimit });
  const most = Math.floor(memoryLimit / total);
  if (chunk === undefined)
    return Math.max(1, Math.min(4096, most, Math.floor(BLOCK_BYTES / bytesPerVariant)));
  if (Number.isInteger(chunk) && chunk >= 1 && chunk <= MAX_CHUNK) return Math.min(chunk, most);
  throw xError("OPTION_RANGE", `chunk: found ${chunk}, expected a whole number from 1 to ${MAX_CHUNK}.`, {
    usage: true,
    details: { option: "chunk" },
  });
}

/** The selected variants and samples as packed blocks; one block is read ahead while the caller works. */
export async function* readBlocks(source: BlockSource, options: BlockOptions): AsyncGenerator<PackedBlock> {
  const { bed, fam, bim, layout } = source;
  const n = fam.iid.length;
  const index = selectVariants(bim, options);
  const keep = selectSamples(fam, options.samples);
  const size = chunkSize(options, rowBytes(n));
  const most = Math.floor((options.memoryLimit ?? Number.POSITIVE_INFINITY) / BLOCKS_HELD);
  const bands = { ...LIMITS, tileBytes: Math.min(LIMITS.tileBytes, most) };
  const read =
    layout === "variant"
      ? variantMajor(bed, n)
      : new SampleMajorReader(bed, n, bim.pos.length, options, bands).read;
  // Reading is one block ahead of the caller: two blocks of memory, or one when subsetSamples copies what is kept.
  const memory = Array.from({ length: keep ? 1 : options.reuse ? 2 : 0 }, () => {
    return new Uint8Array(Math.min(size, index.length) * rowBytes(n));
  });
  const load = async (at: number): Promise<PackedBlock> => {
    const rows = index.subarray(at, Math.min(at + size, index.length));
    bed.check();
    const packed = await gather(
      read,
      rows,
      rowBytes(n),
      Math.min(BLOCK_BYTES, most),
      memory[(at / size) % memory.length],
    );
    const kept = keep ? await subsetSamples(packed, n, rows.length, keep, options) : packed;
    return { start: rows[0]!, rows: rows.length, index: rows, packed: kept };
  };
  let next = load(0);
  for (let at = 0; at < index.length; at += size) {
    throwIfAborted(options.signal);
    const block = await next;
    if (at + size < index.length) {
      next = load(at + size);
      // Awaited in the next turn; a caller that stops early must not see it as unhandled.
      next.catch(() => {});
    }
    yield block;
    options.onProgress?.({ stage: "reading", done: at + block.rows, total: index.length });
  }
  bed.check();
}

function variantMajor(bed: InputFile, n: number): RowReader {
  const bytes = rowBytes(n);
  return async (from, count, into) => {
    if (!into) return bed.read(3 + from * bytes, count * bytes);
    const packed = into.subarray(0, count * bytes);
    await bed.readInto(packed, 3 + from * bytes);
    return packed;
  };
}

/** Reads the rows in as few calls as is sensible: runs and small gaps in one go of at most `most` bytes. */
async function gather(
  read: RowReader,
  rows: Uint32Array,
  bytes: number,
  most: number,
  into: Uint8Array | undefined,
): Promise<Uint8Array> {
  const first = rows[0]!;
  if (rows[rows.length - 1]! - first + 1 === rows.length) return read(first, rows.length, into);
  const packed = into?.subarray(0, rows.length * bytes) ?? new Uint8Array(rows.length * bytes);
  for (let at = 0; at < rows.length; ) {
    let end = at + 1;
    while (
      end < rows.length &&
      (rows[end]! - rows[end - 1]! - 1) * bytes <= GAP_BYTES &&
      (rows[end]! - rows[at]! + 1) * bytes <= most
    )
      end++;
    const from = rows[at]!;
    const run = await read(from, rows[end - 1]! - from + 1);
    for (let k = at; k < end; k++) {
      const start = (rows[k]! - from) * bytes;
      packed.set(run.subarray(start, start + bytes), k * bytes);
    }
    at = end;
  }
  return packed;
}
