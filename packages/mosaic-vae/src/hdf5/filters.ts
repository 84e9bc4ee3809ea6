/** The filter pipeline of chunks: looked at before anything is read, so that an unknown filter fails by name. */
import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { mosaicFileError } from "../errors.ts";
import { lzfDecompress } from "./lzf.ts";
import type { Cursor } from "./storage.ts";

/** One filter of a pipeline. */
export interface Filter {
  readonly id: number;
  /** Chunks may go without it. */
  readonly optional: boolean;
  readonly parameters: readonly number[];
}

const NAMES: Readonly<Record<number, string>> = {
  1: "gzip",
  2: "shuffle",
  3: "fletcher32",
  4: "szip",
  5: "nbit",
  6: "scaleoffset",
  307: "bzip2",
  32000: "lzf",
  32001: "blosc",
  32004: "lz4",
  32008: "bitshuffle",
  32015: "zstd",
  32026: "blosc2",
};

const inflate: (data: Uint8Array, options: zlib.ZlibOptions) => Promise<Buffer> = promisify(zlib.inflate);
/** Node from 22.15 on. */
const unzstd = (zlib as { zstdDecompress?: unknown }).zstdDecompress as
  | ((data: Uint8Array, options: object, done: (e: Error | null, out: Buffer) => void) => void)
  | undefined;

/** The name of a filter. */
export function filterName(id: number): string {
  return NAMES[id] ?? `filter ${id}`;
}

/** Reads a filter pipeline message. */
export function readFilters(c: Cursor): Filter[] {
  const version = c.u8();
  const count = c.u8();
  if (version === 1) c.skip(6);
  return Array.from({ length: count }, () => {
    const id = c.u16();
    const nameLength = version === 1 || id >= 256 ? c.u16() : 0;
    const flags = c.u16();
    const values = c.u16();
    c.skip(version === 1 ? 8 * Math.ceil(nameLength / 8) : nameLength);
    const parameters = Array.from({ length: values }, () => c.u32());
    if (version === 1 && values % 2 === 1) c.skip(4);
    return { id, optional: (flags & 1) !== 0, parameters };
  });
}

/** `HDF5_FILTER` when one of the filters is not known here: better than wrong numbers. */
export function requireFilters(path: string, where: string, filters: readonly Filter[]): void {
  for (const { id } of filters) {
    if (id === 1 || id === 2 || id === 3 || id === 32000 || (id === 32015 && unzstd)) continue;
    const hint = id === 32015 ? "Node 22.15 or newer reads it" : "write the file with gzip or lzf instead";
    const message = `${where} is stored with the filter ${filterName(id)}, which is not read; ${hint}`;
    throw mosaicFileError("HDF5_FILTER", path, message, { filter: id, object: where });
  }
}

/** Deflate cannot do better than 1 : 1032, LZF than 1 : 88. */
const BEST_RATIO: Readonly<Record<number, number>> = { 1: 1100, 32000: 100 };
const MAX_CHUNK = 2 ** 31;

/** `DECOMPRESS_LIMIT` when so few bytes cannot become so many, before memory is taken for them. */
export function checkGrowth(
  path: string,
  where: string,
  filters: readonly Filter[],
  stored: number,
  size: number,
): void {
  let most = stored + 1024;
  for (const { id } of filters) most *= BEST_RATIO[id] ?? (id === 32015 ? Number.POSITIVE_INFINITY : 1);
  if (size <= most && size <= MAX_CHUNK) return;
  const why = size > MAX_CHUNK ? "more than one chunk may have" : "more than its filters can store in so few";
  const message = `a chunk of ${where} claims ${size} bytes out of ${stored}, ${why}`;
  throw mosaicFileError("DECOMPRESS_LIMIT", path, message, { object: where, stored, size });
}

/** Undoes the pipeline of one chunk; bits of `mask` say which filters were left out. */
export async function undoFilters(
  path: string,
  where: string,
  filters: readonly Filter[],
  mask: number,
  stored: Uint8Array,
  size: number,
): Promise<Uint8Array> {
  const broken = (why: string, code: "HDF5_CHUNK" | "DECOMPRESS_LIMIT" = "HDF5_CHUNK"): Error =>
    mosaicFileError(code, path, `a chunk of ${where} is damaged: ${why}`, { object: where });
  let data = stored;
  for (let i = filters.length - 1; i >= 0; i--) {
    if (mask & (1 << i)) continue;
    const { id, parameters } = filters[i]!;
    // A checksum may come before compression, then four more bytes come out.
    const room = size + (filters.slice(0, i).some((f) => f.id === 3) ? 4 : 0);
    if (id === 1 || id === 32015) {
      try {
        data =
          id === 1
            ? await inflate(data, { maxOutputLength: room, chunkSize: Math.max(64, room) })
            : await zstd(data, room);
      } catch (e) {
        const { code, message } = e as NodeJS.ErrnoException;
        if (code === "ERR_BUFFER_TOO_LARGE")
          throw broken(`more than ${room} bytes come out of it`, "DECOMPRESS_LIMIT");
        throw broken(message);
      }
    } else if (id === 32000) {
      const out = lzfDecompress(data, room);
      if (!out) throw broken("its LZF data does not give the bytes of one chunk");
      data = out;
    } else if (id === 3) {
      if (data.length < 4) throw broken("its checksum is missing");
      const found = new DataView(data.buffer, data.byteOffset + data.length - 4, 4).getUint32(0, true);
      data = data.subarray(0, data.length - 4);
      if (fletcher32(data) !== found) throw broken("its checksum does not fit");
    } else if (id === 2) data = unshuffle(data, parameters[0] ?? 1);
  }
  if (data.length !== size) throw broken(`${data.length} bytes come out of it, ${size} were expected`);
  return data;
}

function zstd(data: Uint8Array, room: number): Promise<Buffer> {
  return new Promise((done, fail) => {
    unzstd!(data, { maxOutputLength: room }, (e, out) => (e ? fail(e) : done(out)));
  });
}

/** The bytes of an element lie together again. */
function unshuffle(data: Uint8Array, size: number): Uint8Array {
  if (size <= 1) return data;
  const count = Math.floor(data.length / size);
  const out = new Uint8Array(data.length);
  for (let b = 0; b < size; b++) {
    const from = b * count;
    for (let i = 0, at = b; i < count; i++, at += size) out[at] = data[from + i]!;
  }
  out.set(data.subarray(count * size), count * size);
  return out;
}

/** Fletcher's checksum over 16-bit big-endian words, as HDF5 computes it: sums fold, they never become 0 again. */
function fletcher32(data: Uint8Array): number {
  let [a, b] = [0, 0];
  for (let i = 0; i < data.length; i += 2) {
    a += (data[i]! << 8) | (data[i + 1] ?? 0);
    a = (a & 0xffff) + (a >>> 16);
    b += a;
    b = (b & 0xffff) + (b >>> 16);
  }
  return ((b << 16) | a) >>> 0;
}
