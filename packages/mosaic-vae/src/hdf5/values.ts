/** Bytes of elements as numbers and texts. */
import type { Numbers, Values } from "../tree.ts";
import { type Datatype, unsupportedType } from "./datatype.ts";
import { Cursor, NOWHERE, type Storage } from "./storage.ts";

const INTS = {
  1: [Uint8Array, Int8Array],
  2: [Uint16Array, Int16Array],
  4: [Uint32Array, Int32Array],
  8: [BigUint64Array, BigInt64Array],
} as const;

/** Elements of a type as values; texts of variable length are fetched from the file's global heaps. */
export async function decodeValues(
  storage: Storage,
  where: string,
  type: Datatype,
  bytes: Uint8Array,
): Promise<Values> {
  switch (type.class) {
    case "int":
    case "float":
      return numbers(storage, where, type, bytes);
    case "enum":
      return decodeValues(storage, where, type.base, bytes);
    case "text":
      return fixedTexts(type.size, type.padding, bytes);
    case "vlen-text":
      return heapTexts(storage, where, type.size, bytes);
    default:
      throw unsupportedType(storage.path, where, type);
  }
}

/** One field of compound elements, its bytes brought together. */
export function fieldBytes(
  type: Datatype,
  name: string,
  bytes: Uint8Array,
): { type: Datatype; bytes: Uint8Array } | undefined {
  const member = type.class === "compound" ? type.members.find((m) => m.name === name) : undefined;
  if (!member) return undefined;
  const count = bytes.length / type.size;
  const size = member.type.size;
  const out = new Uint8Array(count * size);
  for (let i = 0; i < count; i++) {
    const from = i * type.size + member.offset;
    out.set(bytes.subarray(from, from + size), i * size);
  }
  return { type: member.type, bytes: out };
}

function numbers(
  storage: Storage,
  where: string,
  type: Datatype & { class: "int" | "float" },
  raw: Uint8Array,
): Numbers {
  const { size, big } = type;
  // Typed arrays need their own alignment, and the page cache must not be shared with users.
  const bytes = raw.slice();
  if (big && size > 1) {
    const swap = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    if (size === 2) swap.swap16();
    else if (size === 4) swap.swap32();
    else swap.swap64();
  }
  const count = bytes.length / size;
  if (type.class === "float") {
    if (size === 4) return new Float32Array(bytes.buffer, 0, count);
    if (size === 8) return new Float64Array(bytes.buffer, 0, count);
    if (size === 2) return Float32Array.from(new Uint16Array(bytes.buffer, 0, count), half);
    throw unsupportedType(storage.path, where, type);
  }
  const pair = INTS[size as 1 | 2 | 4 | 8];
  if (!pair) throw unsupportedType(storage.path, where, type);
  return new pair[type.signed ? 1 : 0](bytes.buffer as ArrayBuffer, 0, count);
}

function half(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25));
}

function fixedTexts(size: number, padding: number, bytes: Uint8Array): string[] {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = size === 0 ? 0 : bytes.length / size;
  return Array.from({ length: count }, (_, i) => {
    const [from, to] = [i * size, (i + 1) * size];
    const zero = buffer.subarray(from, to).indexOf(0);
    const text = buffer.toString("utf8", from, zero < 0 ? to : from + zero);
    return padding === 2 ? text.replace(/ +$/, "") : text;
  });
}

/** Collections kept while one read goes on: neighbours lie in the same one. */
const COLLECTIONS = 64;

async function heapTexts(
  storage: Storage,
  where: string,
  size: number,
  bytes: Uint8Array,
): Promise<string[]> {
  if (size !== 8 + storage.offsetSize) throw storage.fault(`${where}: a text reference of ${size} bytes`);
  const heaps = new Map<number, ReadonlyMap<number, Buffer>>();
  const c = new Cursor(bytes, storage, 0);
  const count = bytes.length / size;
  const texts = new Array<string>(count);
  for (let i = 0; i < count; i++) {
    const length = c.u32();
    const address = c.offset();
    const index = c.u32();
    if (length === 0 || address === 0 || address === NOWHERE) {
      texts[i] = "";
      continue;
    }
    let heap = heaps.get(address);
    if (!heap) {
      heap = await readCollection(storage, address);
      if (heaps.size >= COLLECTIONS) heaps.delete(heaps.keys().next().value!);
      heaps.set(address, heap);
    }
    const object = heap.get(index);
    if (!object || object.length < length)
      throw storage.fault(`${where}: text ${i} points to nothing in the heap`, address);
    texts[i] = object.toString("utf8", 0, length).replace(/\0+$/, "");
  }
  return texts;
}

/** A global heap collection: objects by number. */
async function readCollection(storage: Storage, address: number): Promise<ReadonlyMap<number, Buffer>> {
  const head = await storage.cursor(address, 8 + storage.lengthSize);
  head.signature("GCOL");
  head.skip(4);
  const size = head.length();
  const c = await storage.cursor(address, size);
  c.skip(8 + storage.lengthSize);
  const objects = new Map<number, Buffer>();
  while (c.left >= 8 + storage.lengthSize) {
    const start = c.at;
    const index = c.u16();
    c.skip(6);
    const length = c.length();
    if (index === 0) break; // free space up to the end
    const data = c.take(length);
    objects.set(index, Buffer.from(data.buffer, data.byteOffset, length));
    c.at = Math.min(c.bytes.length, start + 8 + storage.lengthSize + 8 * Math.ceil(length / 8));
  }
  return objects;
}
