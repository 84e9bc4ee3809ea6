/**
 * A writer of HDF5 files in plain TypeScript: old-style groups, chunked gzip or contiguous arrays, attributes. Data goes
 * to the file as it comes, what describes it follows, the superblock is filled in at the end. The same calls give the
 * same bytes: no times are stored.
 */
import { open } from "node:fs/promises";
import { promisify } from "node:util";
import { deflate } from "node:zlib";
import { type AtomicWriter, atomicWriter, fileError, fromSystemError } from "@x/core/base";
import {
  Bytes,
  encodeAttribute,
  encodeFilters,
  encodeHeader,
  encodeSpace,
  encodeType,
  typeBytes,
  type WriteType,
} from "./encode.ts";

const compress: (data: Uint8Array, options: { level: number }) => Promise<Buffer> = promisify(deflate);

/** Values to write: numbers of the type's own array, or texts. */
export type WriteValues = ArrayBufferView | readonly string[];

/** An attribute: one text, one boolean, or an array. */
export type WriteAttribute =
  | string
  | boolean
  | { readonly type: WriteType; readonly shape: readonly number[]; readonly values: WriteValues };

/** What an array will be. */
export interface ArraySpec {
  type: WriteType;
  shape: readonly number[];
  attributes?: Readonly<Record<string, WriteAttribute>>;
}

const SUPERBLOCK = 96;
const LEVEL = 4;
/** Bytes of a chunk before compression, about. */
const CHUNK = 2 ** 20;
/** From here on an array is cut into chunks and compressed. */
const COMPRESS_FROM = 1024;
const GROUP_LEAF = 8;
const GROUP_FANOUT = 32;
const CHUNK_FANOUT = 64;
const HEAP_BYTES = 60_000;
/** The library reads at least so many bytes of a collection. */
const HEAP_LEAST = 4096;

interface Group {
  readonly children: Map<string, Group | number>;
  readonly attributes: Record<string, WriteAttribute>;
}

/** A file being written; nothing stands under its name before `commit`. */
export class Hdf5Writer implements AsyncDisposable {
  readonly #out: AtomicWriter;
  readonly #root: Group = { children: new Map(), attributes: {} };
  readonly #compress: boolean;
  #at = SUPERBLOCK;
  /** Collections of attributes' texts, still without their bytes. */
  readonly #heaps: { address: number; size: number; room: number; objects: Buffer[] }[] = [];
  #started = false;

  constructor(
    path: string,
    options: { signal?: AbortSignal | undefined; overwrite?: boolean; compress?: boolean } = {},
  ) {
    if (path === "-" || path.startsWith("/dev/"))
      throw fileError("NOT_SEEKABLE", path, "HDF5 cannot be written to a pipe or a device; name a file");
    const { compress, ...writing } = options;
    this.#compress = compress ?? true;
    this.#out = atomicWriter(path, writing);
  }

  /** Makes a group, with those above it, and adds attributes. */
  group(path: string, attributes: Readonly<Record<string, WriteAttribute>> = {}): void {
    Object.assign(this.#group(path).attributes, attributes);
  }

  /** Writes a whole array. */
  async array(path: string, spec: ArraySpec, values: WriteValues): Promise<void> {
    await this.stream(path, spec, [values]);
  }

  /** Writes an array from pieces in row-major order; together they must have the elements that the shape says. */
  async stream(
    path: string,
    spec: ArraySpec,
    pieces: Iterable<WriteValues> | AsyncIterable<WriteValues>,
  ): Promise<void> {
    const { type, shape } = spec;
    const size = typeBytes(type);
    const total = shape.reduce((a, b) => a * b, size);
    const rowBytes = shape.slice(1).reduce((a, b) => a * b, size);
    const chunked = this.#compress && shape.length > 0 && total >= COMPRESS_FROM;
    const chunkRows = chunked ? Math.max(1, Math.min(shape[0]!, Math.floor(CHUNK / rowBytes))) : 0;
    const target = chunked ? chunkRows * rowBytes : type === "text" ? total : 0;
    const starts: [row: number, address: number, size: number][] = [];
    let kept = new Uint8Array(target);
    let filled = 0;
    let seen = 0;
    let start = 0;
    for await (const piece of pieces) {
      let bytes =
        type === "text" ? await this.#texts(piece as readonly string[]) : view(piece as ArrayBufferView);
      seen += bytes.length;
      if (seen > total) break;
      // Numbers that stay as they are go to the file at once; texts put their heaps there in between.
      if (!chunked && type !== "text") {
        if (starts.length === 0) starts.push([0, this.#at, total]);
        await this.#append(bytes);
        continue;
      }
      while (bytes.length > 0) {
        const part = Math.min(bytes.length, target - filled);
        kept.set(bytes.subarray(0, part), filled);
        filled += part;
        bytes = bytes.subarray(part);
        if (filled < target) continue;
        if (chunked) starts.push([start++ * chunkRows, ...(await this.#chunk(kept, size))]);
        else starts.push([0, await this.#put(kept), target]);
        kept = new Uint8Array(target);
        filled = 0;
      }
    }
    if (!chunked && type !== "text") await this.#append(new Uint8Array((8 - (total % 8)) % 8));
    if (seen !== total) throw fileError("HDF5_CHUNK", this.#out.path, `${path}: ${seen} bytes for ${total}`);
    if (chunked && filled > 0) starts.push([start * chunkRows, ...(await this.#chunk(kept, size))]);
    const messages: [number, Uint8Array][] = [
      [1, encodeSpace(shape)],
      [3, encodeType(type)],
      [
        5,
        new Bytes()
          .u8(2, chunked ? 3 : 2, 2, 1)
          .u32(0)
          .done(),
      ],
    ];
    if (chunked) {
      const index = await this.#chunkTree(starts, shape, chunkRows);
      const layout = new Bytes()
        .u8(3, 2, shape.length + 1)
        .u64(index)
        .u32(chunkRows);
      for (const n of shape.slice(1)) layout.u32(n);
      messages.push([8, layout.u32(size).done()], [11, encodeFilters(size, LEVEL)]);
    } else {
      const layout = new Bytes().u8(3, 1);
      if (total === 0) layout.nowhere();
      else layout.u64(starts[0]![1]);
      messages.push([8, layout.u64(total).done()]);
    }
    messages.push(...(await this.#attributes(spec.attributes ?? {})));
    const cut = path.lastIndexOf("/");
    const parent = this.#group(path.slice(0, Math.max(0, cut)));
    parent.children.set(path.slice(cut + 1), await this.#put(encodeHeader(messages)));
  }

  /** Writes the groups and the superblock, and moves the file to its name. Returns its size. */
  async commit(): Promise<number> {
    const root = await this.#writeGroup(this.#root);
    const b = new Bytes().u8(0x89).text("HDF").u8(0x0d, 0x0a, 0x1a, 0x0a);
    b.u8(0, 0, 0, 0, 0, 8, 8, 0)
      .u16(GROUP_LEAF / 2)
      .u16(GROUP_FANOUT / 2)
      .u32(0);
    b.u64(0).nowhere().u64(this.#at).nowhere();
    b.u64(0).u64(root).u32(0).u32(0).zeros(16);
    const path = this.#out.tempPath;
    try {
      await using file = await open(path, "r+");
      await file.write(b.done(), 0, SUPERBLOCK, 0);
      for (const { address, size, objects } of this.#heaps)
        await file.write(heapCollection(objects, size), 0, size, address);
    } catch (e) {
      throw fromSystemError(e, path);
    }
    await this.#out.commit();
    return this.#at;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#out[Symbol.asyncDispose]();
  }

  #group(path: string): Group {
    let at = this.#root;
    for (const name of path.split("/").filter((part) => part !== "")) {
      let next = at.children.get(name);
      if (next === undefined) {
        next = { children: new Map(), attributes: {} };
        at.children.set(name, next);
      }
      if (typeof next === "number")
        throw fileError("HDF5_FORMAT", this.#out.path, `${path} is an array already`);
      at = next;
    }
    return at;
  }

  /** Appends bytes at a multiple of 8 and returns their address. */
  async #put(bytes: Uint8Array): Promise<number> {
    await this.#append(new Uint8Array(0));
    const address = this.#at;
    await this.#append(bytes);
    await this.#append(new Uint8Array((8 - (bytes.length % 8)) % 8));
    return address;
  }

  /** Appends bytes where the file ends; the superblock's place comes first. */
  async #append(bytes: Uint8Array): Promise<void> {
    if (!this.#started) {
      this.#started = true;
      await this.#out.write(new Uint8Array(SUPERBLOCK));
    }
    if (bytes.length === 0) return;
    await this.#out.write(bytes.slice()); // the caller may go on with its array
    this.#at += bytes.length;
  }

  async #chunk(data: Uint8Array, size: number): Promise<[address: number, bytes: number]> {
    const packed = await compress(shuffle(data, size), { level: LEVEL });
    return [await this.#put(packed), packed.length];
  }

  /** The B-tree that finds chunks by their first row. */
  async #chunkTree(
    starts: readonly [row: number, address: number, size: number][],
    shape: readonly number[],
    chunkRows: number,
  ): Promise<number> {
    const key = (b: Bytes, row: number, size: number): Bytes => {
      b.u32(size).u32(0).u64(row);
      return b.zeros(8 * shape.length); // other axes, and the byte within an element
    };
    const end = Math.ceil(shape[0]! / chunkRows) * chunkRows;
    const keyBytes = 16 + 8 * shape.length;
    let level = 0;
    let below = starts.map(([row, address, size]) => ({ row, address, size }));
    for (;;) {
      const nodes: typeof below = [];
      for (let i = 0; i < below.length; i += CHUNK_FANOUT) {
        const part = below.slice(i, i + CHUNK_FANOUT);
        const full = 24 + CHUNK_FANOUT * 8 + (CHUNK_FANOUT + 1) * keyBytes;
        const left = i > 0;
        const right = i + CHUNK_FANOUT < below.length;
        const b = new Bytes().text("TREE").u8(1, level).u16(part.length);
        if (left) b.u64(this.#at - full);
        else b.nowhere();
        if (right) b.u64(this.#at + full);
        else b.nowhere();
        for (const child of part) key(b, child.row, child.size).u64(child.address);
        key(b, below[i + CHUNK_FANOUT]?.row ?? end, 0);
        b.zeros(full - b.length);
        nodes.push({ row: part[0]!.row, size: part[0]!.size, address: await this.#put(b.done()) });
      }
      if (nodes.length === 1) return nodes[0]!.address;
      below = nodes;
      level++;
    }
  }

  async #attributes(
    attributes: Readonly<Record<string, WriteAttribute>>,
  ): Promise<[type: number, body: Uint8Array][]> {
    const messages: [number, Uint8Array][] = [];
    for (const [name, value] of Object.entries(attributes)) {
      if (typeof value === "string")
        messages.push([12, encodeAttribute(name, "text", [], await this.#text(value))]);
      else if (typeof value === "boolean")
        messages.push([12, encodeAttribute(name, "bool", [], Uint8Array.of(value ? 1 : 0))]);
      else {
        const { type, shape, values } = value;
        const data =
          type === "text" ? await this.#texts(values as readonly string[]) : view(values as ArrayBufferView);
        messages.push([12, encodeAttribute(name, type, shape, data)]);
      }
      if (messages.at(-1)![1].length > 65_000)
        throw fileError("HDF5_UNSUPPORTED", this.#out.path, `attribute ${name} is larger than 64 kB`);
    }
    return messages;
  }

  /** References to texts, which go into collections of the global heap. */
  async #texts(texts: readonly string[]): Promise<Uint8Array> {
    const refs = new Bytes();
    for (let from = 0; from < texts.length; ) {
      const objects: Buffer[] = [];
      let room = 0;
      let to = from;
      for (; to < texts.length && room < HEAP_BYTES; to++) {
        const object = Buffer.from(texts[to]!);
        objects.push(object);
        room += objectBytes(object);
      }
      const address = await this.#put(heapCollection(objects, 0));
      objects.forEach((object, i) => {
        refs
          .u32(object.length)
          .u64(address)
          .u32(i + 1);
      });
      from = to;
    }
    return refs.done();
  }

  /** A reference to a text of an attribute: they share collections, which are filled in at the end. */
  async #text(text: string): Promise<Uint8Array> {
    const object = Buffer.from(text);
    let heap = this.#heaps.at(-1);
    if (!heap || heap.room < objectBytes(object)) {
      const size = Math.max(HEAP_LEAST, 32 + objectBytes(object));
      heap = { address: await this.#put(new Uint8Array(size)), size, room: size - 32, objects: [] };
      this.#heaps.push(heap);
    }
    heap.objects.push(object);
    heap.room -= objectBytes(object);
    return new Bytes().u32(object.length).u64(heap.address).u32(heap.objects.length).done();
  }

  async #writeGroup(group: Group): Promise<number> {
    const entries: { name: Buffer; address: number }[] = [];
    for (const [name, child] of group.children) {
      const address = typeof child === "number" ? child : await this.#writeGroup(child);
      entries.push({ name: Buffer.from(name), address });
    }
    entries.sort((a, b) => Buffer.compare(a.name, b.name));
    const names = new Bytes().zeros(8);
    const offsets = entries.map(({ name }) => {
      const offset = names.length;
      names.bytes(name).u8(0).align();
      return offset;
    });
    const segment = await this.#put(names.done());
    const heap = await this.#put(
      new Bytes().text("HEAP").u32(0).u64(names.length).u64(1).u64(segment).done(),
    );
    let level = 0;
    let below: { last: number; address: number }[] = [];
    for (let i = 0; i < entries.length || i === 0; i += GROUP_LEAF) {
      const part = entries.slice(i, i + GROUP_LEAF);
      const b = new Bytes().text("SNOD").u8(1, 0).u16(part.length);
      part.forEach((entry, j) => {
        b.u64(offsets[i + j]!)
          .u64(entry.address)
          .u32(0)
          .u32(0)
          .zeros(16);
      });
      b.zeros(8 + GROUP_LEAF * 40 - b.length);
      below.push({ last: offsets[i + part.length - 1] ?? 0, address: await this.#put(b.done()) });
    }
    for (;;) {
      const nodes: typeof below = [];
      for (let i = 0; i < below.length; i += GROUP_FANOUT) {
        const part = below.slice(i, i + GROUP_FANOUT);
        const full = 24 + GROUP_FANOUT * 8 + (GROUP_FANOUT + 1) * 8;
        const b = new Bytes()
          .text("TREE")
          .u8(0, level)
          .u16(entries.length === 0 ? 0 : part.length);
        if (i > 0) b.u64(this.#at - full);
        else b.nowhere();
        if (i + GROUP_FANOUT < below.length) b.u64(this.#at + full);
        else b.nowhere();
        b.u64(i > 0 ? below[i - 1]!.last : 0);
        if (entries.length > 0) for (const child of part) b.u64(child.address).u64(child.last);
        b.zeros(full - b.length);
        nodes.push({ last: part.at(-1)!.last, address: await this.#put(b.done()) });
      }
      if (nodes.length === 1) {
        const table = new Bytes().u64(nodes[0]!.address).u64(heap).done();
        return this.#put(encodeHeader([[17, table], ...(await this.#attributes(group.attributes))]));
      }
      below = nodes;
      level++;
    }
  }
}

function view(values: ArrayBufferView): Uint8Array {
  return new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
}

/** The first bytes of all elements, then the second ones, and so on. */
function shuffle(data: Uint8Array, size: number): Uint8Array {
  if (size <= 1) return data;
  const count = data.length / size;
  const out = new Uint8Array(data.length);
  for (let b = 0; b < size; b++)
    for (let i = 0, at = b; i < count; i++, at += size) out[b * count + i] = data[at]!;
  return out;
}

/** Room of an object in a collection. */
function objectBytes(object: Uint8Array): number {
  return 16 + 8 * Math.ceil(object.length / 8);
}

/** A collection of the global heap: objects from number 1 on, then free space up to its size. */
function heapCollection(objects: readonly Uint8Array[], size: number): Buffer {
  const used = objects.reduce((sum, object) => sum + objectBytes(object), 16);
  const total = Math.max(size, HEAP_LEAST, used + 16);
  const b = new Bytes().text("GCOL").u8(1, 0, 0, 0).u64(total);
  objects.forEach((object, i) => {
    b.u16(i + 1)
      .u16(0)
      .u32(0)
      .u64(object.length)
      .bytes(object)
      .align();
  });
  const free = total - b.length;
  return b
    .u16(0)
    .u16(0)
    .u32(0)
    .u64(free)
    .zeros(free - 16)
    .done();
}
