/** Arrays in an HDF5 file: contiguous, compact or in filtered chunks, read in slices of their first axis. */
import { throwIfAborted } from "@x/core/base";
import { mosaicFileError } from "../errors.ts";
import type { ArrayNode, Attributes, ElementKind, Values } from "../tree.ts";
import { bytesFor } from "./btree2.ts";
import { type ChunkIndex, type ChunkLayout, readChunkIndex } from "./chunk-index.ts";
import { type Datatype, dtypeName, isBool, readDatatype } from "./datatype.ts";
import { checkGrowth, type Filter, filterName, readFilters, requireFilters, undoFilters } from "./filters.ts";
import { MESSAGE, type Message, openMessage, readDataspace } from "./header.ts";
import { readAttributes } from "./open.ts";
import { type Cursor, NOWHERE, type Storage } from "./storage.ts";
import { decodeValues, fieldBytes } from "./values.ts";

type Layout =
  | { readonly kind: "compact"; readonly bytes: Uint8Array }
  | { readonly kind: "contiguous"; readonly address: number }
  | { readonly kind: "chunked"; readonly chunks: ChunkLayout };

/** Decoded chunks that one array keeps for the next read. */
const KEEP_BYTES = 2 ** 25;
/** Chunks on their way at once: the disk and the threads that inflate overlap. */
const AT_ONCE = 8;

/** Opens the array whose header holds these messages. */
export async function openArray(
  storage: Storage,
  path: string,
  messages: readonly Message[],
): Promise<ArrayNode> {
  const find = async (type: number): Promise<Cursor | undefined> => {
    const message = messages.find((m) => m.type === type);
    return message && openMessage(storage, message);
  };
  if (messages.some((m) => m.type === MESSAGE.externalFiles)) {
    const message = `${path} keeps its numbers in another file; other files are not opened`;
    throw mosaicFileError("HDF5_EXTERNAL_LINK", storage.path, message, { object: path });
  }
  const [space, kind] = [await find(MESSAGE.dataspace), await find(MESSAGE.datatype)];
  if (!space || !kind) throw storage.fault(`${path} has no shape or no type`);
  const shape = readDataspace(space) ?? [0];
  const type = readDatatype(kind);
  const pipeline = await find(MESSAGE.filters);
  const filters = pipeline ? readFilters(pipeline) : [];
  const layout = readLayout(storage, path, (await find(MESSAGE.layout))!, shape, type, filters.length > 0);
  const fill = await readFill(await find(MESSAGE.fill), type.size);
  return new Hdf5Array(storage, path, { shape, type, filters, layout, fill, messages });
}

interface Parts {
  shape: readonly number[];
  type: Datatype;
  filters: readonly Filter[];
  layout: Layout;
  fill: Uint8Array | undefined;
  messages: readonly Message[];
}

class Hdf5Array implements ArrayNode {
  readonly type = "array";
  readonly path: string;
  readonly shape: readonly number[];
  readonly element: ElementKind;
  readonly dtype: string;
  readonly fields: readonly string[];
  readonly elementBytes: number;
  readonly filters: readonly string[];
  readonly #storage: Storage;
  readonly #parts: Parts;
  #index: Promise<ChunkIndex> | undefined;
  readonly #kept = new Map<number, Uint8Array>();
  #keptBytes = 0;

  constructor(storage: Storage, path: string, parts: Parts) {
    const { type } = parts;
    this.#storage = storage;
    this.#parts = parts;
    this.path = path;
    this.shape = parts.shape;
    this.dtype = dtypeName(type);
    this.elementBytes = type.size;
    this.fields = type.class === "compound" ? type.members.map((m) => m.name) : [];
    this.filters = parts.filters.map((f) => filterName(f.id));
    this.element = isBool(type)
      ? "boolean"
      : type.class === "compound"
        ? "record"
        : type.class === "text" || type.class === "vlen-text"
          ? "string"
          : "number";
  }

  attributes(): Promise<Attributes> {
    return readAttributes(this.#storage, this.path, this.#parts.messages);
  }

  async read(start = 0, end: number = this.shape[0] ?? 1, signal?: AbortSignal): Promise<Values> {
    return this.#decode(this.#parts.type, await this.#bytes(start, end, signal));
  }

  async readField(name: string): Promise<Values> {
    const found = fieldBytes(this.#parts.type, name, await this.#bytes(0, this.shape[0] ?? 1));
    if (found) return this.#decode(found.type, found.bytes);
    throw this.#storage.fault(`${this.path} has no field ${name}`);
  }

  #decode(type: Datatype, bytes: Uint8Array): Promise<Values> {
    return decodeValues(this.#storage, this.path, type, bytes);
  }

  async #bytes(start: number, end: number, signal?: AbortSignal): Promise<Uint8Array> {
    throwIfAborted(signal);
    const { layout, type, filters } = this.#parts;
    const rowBytes = this.shape.slice(1).reduce((a, b) => a * b, 1) * type.size;
    const first = this.shape[0] ?? 1;
    if (!(start >= 0 && start <= end && end <= first))
      throw this.#storage.fault(`${this.path} has ${first} rows, ${start} to ${end} were asked for`);
    const length = (end - start) * rowBytes;
    if (length === 0) return new Uint8Array(0);
    if (layout.kind === "chunked") {
      requireFilters(this.#storage.path, this.path, filters);
      return this.#fromChunks(layout.chunks, start, end, signal);
    }
    if (layout.kind === "compact") {
      if (layout.bytes.length < (end - start) * rowBytes)
        throw this.#storage.fault(`${this.path} ends early`);
      return layout.bytes.subarray(start * rowBytes, end * rowBytes);
    }
    if (layout.address === NOWHERE) return this.#filled(length);
    return this.#storage.readData(layout.address + start * rowBytes, length);
  }

  /** What was never written. */
  #filled(length: number): Uint8Array {
    const out = allocate(this.#storage, this.path, length);
    const { fill } = this.#parts;
    if (fill) for (let at = 0; at < length; at += fill.length) out.set(fill.subarray(0, length - at), at);
    return out;
  }

  async #fromChunks(
    layout: ChunkLayout,
    start: number,
    end: number,
    signal: AbortSignal | undefined,
  ): Promise<Uint8Array> {
    this.#index ??= readChunkIndex(this.#storage, this.path, layout);
    const index = await this.#index;
    const rowBytes = this.shape.slice(1).reduce((a, b) => a * b, 1) * this.elementBytes;
    const perRow = layout.grid.slice(1).reduce((a, b) => a * b, 1);
    const [from, to] = [Math.floor(start / layout.chunk[0]!), Math.ceil(end / layout.chunk[0]!)];
    const places = Array.from({ length: (to - from) * perRow }, (_, i) => from * perRow + i);
    // Before memory is taken for numbers that so small a file cannot hold.
    for (const place of places) if (index.address[place]) this.#checkGrowth(index, place, layout);
    const out = this.#filled((end - start) * rowBytes);
    for (let i = 0; i < places.length; i += AT_ONCE) {
      throwIfAborted(signal);
      const group = places.slice(i, i + AT_ONCE).filter((place) => index.address[place]);
      const chunks = await Promise.all(group.map((place) => this.#chunk(index, place, layout)));
      group.forEach((place, j) => {
        this.#copy(chunks[j]!, place, layout, start, end, out);
      });
    }
    return out;
  }

  #checkGrowth(index: ChunkIndex, place: number, layout: ChunkLayout): void {
    const { filters } = this.#parts;
    checkGrowth(this.#storage.path, this.path, filters, index.size[place]!, layout.bytes);
  }

  async #chunk(index: ChunkIndex, place: number, layout: ChunkLayout): Promise<Uint8Array> {
    const known = this.#kept.get(place);
    if (known) return known;
    const stored = await this.#storage.readData(index.address[place]!, index.size[place]!);
    const { filters } = this.#parts;
    const mask = index.mask[place]!;
    const chunk = await undoFilters(this.#storage.path, this.path, filters, mask, stored, layout.bytes);
    if (chunk.length > KEEP_BYTES) return chunk;
    this.#kept.set(place, chunk);
    this.#keptBytes += chunk.length;
    for (const [old, bytes] of this.#kept) {
      if (this.#keptBytes <= KEEP_BYTES) break;
      this.#kept.delete(old);
      this.#keptBytes -= bytes.length;
    }
    return chunk;
  }

  /** Copies the part of a chunk that lies in rows [start, end), run by run of the last axis. */
  #copy(
    chunk: Uint8Array,
    place: number,
    layout: ChunkLayout,
    start: number,
    end: number,
    out: Uint8Array,
  ): void {
    const { shape } = this;
    const rank = shape.length;
    const size = this.elementBytes;
    const origin = new Array<number>(rank);
    for (let axis = rank - 1, rest = place; axis >= 0; axis--) {
      origin[axis] = (rest % layout.grid[axis]!) * layout.chunk[axis]!;
      rest = Math.floor(rest / layout.grid[axis]!);
    }
    const low = origin.map((at, axis) => (axis === 0 ? Math.max(at, start) : at));
    const high = origin.map((at, axis) =>
      Math.min(at + layout.chunk[axis]!, axis === 0 ? end : shape[axis]!),
    );
    if (low.some((at, axis) => at >= high[axis]!)) return;
    const run = (high[rank - 1]! - low[rank - 1]!) * size;
    const at = low.slice();
    for (;;) {
      let [source, target] = [0, 0];
      for (let axis = 0; axis < rank; axis++) {
        source = source * layout.chunk[axis]! + at[axis]! - origin[axis]!;
        target = target * (axis === 0 ? 1 : shape[axis]!) + at[axis]! - (axis === 0 ? start : 0);
      }
      out.set(chunk.subarray(source * size, source * size + run), target * size);
      let axis = rank - 2;
      while (axis >= 0 && ++at[axis]! >= high[axis]!) at[axis] = low[axis--]!;
      if (axis < 0) return;
    }
  }
}

function allocate(storage: Storage, path: string, length: number): Uint8Array {
  try {
    return new Uint8Array(length);
  } catch (cause) {
    const message = `${path}: ${length} bytes in one piece, the memory is not there; read fewer rows at a time`;
    throw mosaicFileError("DECOMPRESS_LIMIT", storage.path, message, { cause });
  }
}

async function readFill(c: Cursor | undefined, size: number): Promise<Uint8Array | undefined> {
  if (!c) return undefined;
  const version = c.u8();
  if (version < 3) {
    c.skip(2);
    if (c.u8() === 0 && version === 2) return undefined;
  } else if ((c.u8() & 32) === 0) return undefined;
  const length = c.u32();
  const value = length === size ? c.take(length) : undefined;
  return value?.some((byte) => byte !== 0) ? value : undefined;
}

function readLayout(
  storage: Storage,
  path: string,
  c: Cursor,
  shape: readonly number[],
  type: Datatype,
  filtered: boolean,
): Layout {
  const version = c.u8();
  if (version < 1 || version > 5) {
    const message = `${path} is laid out in version ${version}, which is not read`;
    throw mosaicFileError("HDF5_UNSUPPORTED", storage.path, message, { object: path });
  }
  let kind: number;
  let rank = 0;
  if (version < 3) {
    rank = c.u8();
    kind = c.u8();
    c.skip(5);
  } else kind = c.u8();
  if (kind === 0) {
    if (version < 3) c.skip(4 * rank);
    return { kind: "compact", bytes: c.take(version < 3 ? c.u32() : c.u16()) };
  }
  if (kind === 1) return { kind: "contiguous", address: c.offset() };
  if (kind !== 2) {
    const message = `${path} is a virtual dataset, put together from other files; they are not opened`;
    throw mosaicFileError("HDF5_EXTERNAL_LINK", storage.path, message, { object: path });
  }
  let address = NOWHERE;
  let indexType = 0;
  let single = false;
  let width = 4;
  if (version >= 4) {
    const flags = c.u8();
    single = (flags & 2) !== 0;
    if (flags & 1 && filtered) {
      const message = `${path} leaves filters out at its edges, which is not read; rewrite it with h5repack`;
      throw mosaicFileError("HDF5_UNSUPPORTED", storage.path, message, { object: path });
    }
    rank = c.u8();
    width = c.u8();
  } else if (version === 3) {
    rank = c.u8();
    address = c.offset();
  } else address = c.offset();
  const dims = Array.from({ length: rank }, () => c.uint(width));
  const size = dims.pop() ?? 0;
  if (version >= 4) indexType = c.u8();
  if (dims.length !== shape.length || dims.some((n) => n === 0) || size !== type.size)
    throw storage.fault(`${path} has chunks that do not fit its shape`);
  const bytes = dims.reduce((a, b) => a * b, size);
  const grid = shape.map((n, axis) => Math.ceil(n / dims[axis]!));
  const parameters = version >= 4 ? c : undefined;
  // Version 5 writes stored sizes like all lengths, version 4 in as many bytes as they may need and one more.
  const sizeBytes = version === 5 ? storage.lengthSize : Math.min(8, 1 + bytesFor(bytes));
  const chunks = {
    grid,
    chunk: dims,
    bytes,
    filtered: indexType === 1 ? single : filtered,
    indexType,
    parameters,
    sizeBytes,
    address,
  };
  return { kind: "chunked", chunks };
}
