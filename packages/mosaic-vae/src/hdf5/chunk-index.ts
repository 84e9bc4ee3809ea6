/** Where the chunks of a dataset lie. */
import { mosaicFileError } from "../errors.ts";
import { readBtree2 } from "./btree2.ts";
import { readExtensibleArray } from "./extensible-array.ts";
import { type Cursor, NOWHERE, type Storage } from "./storage.ts";

/** Chunks in row-major order of their grid; address 0 where none was written. */
export interface ChunkIndex {
  readonly address: Float64Array;
  readonly size: Uint32Array;
  /** Filters that were left out, one bit each. */
  readonly mask: Uint32Array;
}

/** The part of a layout message that finding chunks needs. */
export interface ChunkLayout {
  /** Chunks along each axis. */
  readonly grid: readonly number[];
  /** Elements of a chunk along each axis. */
  readonly chunk: readonly number[];
  /** Bytes of a chunk before filters. */
  readonly bytes: number;
  readonly filtered: boolean;
  /** 0 for the B-tree of older files, else as the file numbers them. */
  readonly indexType: number;
  /** The index's own parameters follow in the message. */
  readonly parameters: Cursor | undefined;
  /** Bytes in which newer indexes write the stored size of a chunk. */
  readonly sizeBytes: number;
  /** Of the index; for old B-trees. */
  readonly address: number;
}

const MAX_CHUNKS = 2 ** 26;
/** The index itself stands as address 0 of the file's base, so no chunk does. */
const NONE = 0;

/** Reads the whole index; `HDF5_UNSUPPORTED` for kinds that only the very latest writers make. */
export async function readChunkIndex(
  storage: Storage,
  where: string,
  layout: ChunkLayout,
): Promise<ChunkIndex> {
  const count = layout.grid.reduce((a, b) => a * b, 1);
  if (count > MAX_CHUNKS) {
    const message = `${where} has ${count} chunks, at most ${MAX_CHUNKS} are read; rewrite it with larger chunks`;
    throw mosaicFileError("HDF5_UNSUPPORTED", storage.path, message, { object: where });
  }
  const index: ChunkIndex = {
    address: new Float64Array(count).fill(NONE),
    size: new Uint32Array(count),
    mask: new Uint32Array(count),
  };
  const set = (at: number, address: number, size: number, mask: number): void => {
    if (!(at >= 0 && at < count) || address === NOWHERE) return;
    index.address[at] = address;
    index.size[at] = size;
    index.mask[at] = mask;
  };
  const p = layout.parameters;
  if (layout.indexType === 0) {
    if (layout.address !== NOWHERE) await readBtree1(storage, where, layout, set);
  } else if (layout.indexType === 1) {
    const size = layout.filtered ? p!.length() : layout.bytes;
    const mask = layout.filtered ? p!.u32() : 0;
    set(0, p!.offset(), size, mask);
  } else if (layout.indexType === 2) {
    const start = p!.offset();
    for (let i = 0; start !== NOWHERE && i < count; i++) set(i, start + i * layout.bytes, layout.bytes, 0);
  } else if (layout.indexType === 3) {
    p!.skip(1);
    await readFixedArray(storage, p!.offset(), layout, set);
  } else if (layout.indexType === 4) {
    p!.skip(5);
    const start = p!.offset();
    if (start !== NOWHERE)
      await readExtensibleArray(storage, start, count, (c, i) => setElement(c, i, layout, set));
  } else if (layout.indexType === 5) {
    p!.skip(6);
    const tree = p!.offset();
    if (tree !== NOWHERE) for (const r of await readBtree2(storage, tree)) setRecord(r, layout, set);
  } else {
    const message = `${where} has chunks in an index of type ${layout.indexType}, which is not read; rewrite it with h5repack`;
    throw mosaicFileError("HDF5_UNSUPPORTED", storage.path, message, { object: where });
  }
  return index;
}

type Set = (at: number, address: number, size: number, mask: number) => void;

function gridPlace(storage: Storage, scaled: readonly number[], grid: readonly number[]): number {
  let at = 0;
  for (let axis = 0; axis < grid.length; axis++) {
    if (scaled[axis]! >= grid[axis]!) return -1; // left over from before the dataset was made smaller
    if (!Number.isInteger(scaled[axis])) throw storage.fault("a chunk does not lie on its grid");
    at = at * grid[axis]! + scaled[axis]!;
  }
  return at;
}

async function readBtree1(storage: Storage, where: string, layout: ChunkLayout, set: Set): Promise<void> {
  const rank = layout.grid.length;
  const keySize = 8 + 8 * (rank + 1);
  const walk = async (address: number, depth: number): Promise<void> => {
    if (depth > 32) throw storage.fault(`the chunk index of ${where} leads round in a circle`, address);
    const head = await storage.cursor(address, 8 + 2 * storage.offsetSize);
    head.signature("TREE");
    if (head.u8() !== 1) throw storage.fault(`the chunk index of ${where} is none`, address);
    const level = head.u8();
    const count = head.u16();
    const length = count * (keySize + storage.offsetSize);
    const c = await storage.cursor(address + 8 + 2 * storage.offsetSize, length);
    for (let i = 0; i < count; i++) {
      const size = c.u32();
      const mask = c.u32();
      const scaled = layout.chunk.map((n) => c.uint(8) / n);
      c.skip(8);
      const child = c.offset();
      if (level > 0) await walk(child, depth + 1);
      else set(gridPlace(storage, scaled, layout.grid), child, size, mask);
    }
  };
  await walk(layout.address, 0);
}

function setRecord(r: Cursor, layout: ChunkLayout, set: Set): void {
  const address = r.offset();
  const rank = layout.grid.length;
  const size = layout.filtered ? r.uint(r.left - 4 - 8 * rank) : layout.bytes;
  const mask = layout.filtered ? r.u32() : 0;
  const scaled = layout.grid.map(() => r.uint(8));
  set(gridPlace(r.storage, scaled, layout.grid), address, size, mask);
}

/** An element of a fixed or extensible array. */
function setElement(c: Cursor, i: number, layout: ChunkLayout, set: Set): void {
  const address = c.offset();
  const size = layout.filtered ? c.uint(layout.sizeBytes) : layout.bytes;
  set(i, address, size, layout.filtered ? c.u32() : 0);
}

async function readFixedArray(
  storage: Storage,
  address: number,
  layout: ChunkLayout,
  set: Set,
): Promise<void> {
  if (address === NOWHERE) return;
  const head = await storage.cursor(address, 8 + storage.lengthSize + storage.offsetSize);
  head.signature("FAHD");
  head.skip(2);
  const entry = head.u8();
  const pageBits = head.u8();
  const count = head.length();
  const block = head.offset();
  if (block === NOWHERE) return;
  const prefix = 4 + 2 + storage.offsetSize;
  const perPage = 2 ** pageBits;
  if (count <= perPage) {
    const c = await storage.cursor(block + prefix, count * entry);
    for (let i = 0; i < count; i++) setElement(c, i, layout, set);
    return;
  }
  // Pages, each with a checksum; a bitmap says which were written.
  const pages = Math.ceil(count / perPage);
  const bitmap = await storage.read(block + prefix, Math.ceil(pages / 8));
  const first = block + prefix + bitmap.length + 4;
  for (let page = 0; page < pages; page++) {
    if (!(bitmap[page >> 3]! & (128 >> (page & 7)))) continue;
    const here = Math.min(perPage, count - page * perPage);
    const c = await storage.cursor(first + page * (perPage * entry + 4), here * entry);
    for (let i = 0; i < here; i++) setElement(c, page * perPage + i, layout, set);
  }
}
