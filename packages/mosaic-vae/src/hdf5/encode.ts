/** Element types and messages as bytes, the way the oldest readers understand them. */

/** Element types we write. */
export type WriteType =
  | "int8"
  | "uint8"
  | "int16"
  | "uint16"
  | "int32"
  | "uint32"
  | "int64"
  | "uint64"
  | "float32"
  | "float64"
  | "bool"
  | "text";

/** Bytes of an element of a type; a text is a reference into the global heap. */
export function typeBytes(type: WriteType): number {
  if (type === "text") return 16;
  if (type === "bool") return 1;
  return Number(/\d+/.exec(type)![0]) / 8;
}

/** Little-endian fields one after the other. */
export class Bytes {
  #buffer: Buffer = Buffer.alloc(256);
  length = 0;

  u8(...values: number[]): this {
    for (const value of values) this.#room(1).writeUInt8(value, this.length++);
    return this;
  }

  u16(value: number): this {
    this.#room(2).writeUInt16LE(value, this.length);
    this.length += 2;
    return this;
  }

  u32(value: number): this {
    this.#room(4).writeUInt32LE(value, this.length);
    this.length += 4;
    return this;
  }

  u64(value: number): this {
    this.#room(8).writeBigUInt64LE(BigInt(value), this.length);
    this.length += 8;
    return this;
  }

  /** An address that points nowhere. */
  nowhere(): this {
    return this.u32(0xffffffff).u32(0xffffffff);
  }

  text(text: string): this {
    return this.bytes(Buffer.from(text));
  }

  bytes(bytes: Uint8Array): this {
    this.#room(bytes.length).set(bytes, this.length);
    this.length += bytes.length;
    return this;
  }

  zeros(count: number): this {
    return this.bytes(new Uint8Array(count));
  }

  /** Zeros up to a multiple of 8. */
  align(): this {
    return this.zeros((8 - (this.length % 8)) % 8);
  }

  done(): Buffer {
    return this.#buffer.subarray(0, this.length);
  }

  #room(more: number): Buffer {
    if (this.length + more <= this.#buffer.length) return this.#buffer;
    const larger = Buffer.alloc(Math.max(2 * this.#buffer.length, this.length + more));
    this.#buffer.copy(larger, 0, 0, this.length);
    this.#buffer = larger;
    return larger;
  }
}

/** A datatype message. */
export function encodeType(type: WriteType): Buffer {
  const b = new Bytes();
  if (type === "text") {
    // Variable length, UTF-8, ended by zero; the base type is one character.
    b.u8(0x19, 0x01, 0x01, 0x00).u32(16);
    return b.u8(0x13, 0x10, 0x00, 0x00).u32(1).done();
  }
  if (type === "bool") {
    // h5py's boolean: an enumeration over int8.
    b.u8(0x18, 0x02, 0x00, 0x00).u32(1).bytes(encodeType("int8"));
    return b.text("FALSE\0\0\0TRUE\0\0\0\0").u8(0, 1).done();
  }
  const size = typeBytes(type);
  if (!type.startsWith("float")) {
    b.u8(0x10, type.startsWith("u") ? 0 : 8, 0, 0).u32(size);
    return b
      .u16(0)
      .u16(8 * size)
      .done();
  }
  const double = size === 8;
  b.u8(0x11, 0x20, double ? 63 : 31, 0).u32(size);
  b.u16(0).u16(8 * size);
  b.u8(double ? 52 : 23, double ? 11 : 8, 0, double ? 52 : 23);
  return b.u32(double ? 1023 : 127).done();
}

/** A dataspace message. */
export function encodeSpace(shape: readonly number[]): Buffer {
  const b = new Bytes().u8(1, shape.length, 0, 0).u32(0);
  for (const n of shape) b.u64(n);
  return b.done();
}

/** An attribute message. */
export function encodeAttribute(
  name: string,
  type: WriteType,
  shape: readonly number[],
  data: Uint8Array,
): Buffer {
  const [title, kind, space] = [Buffer.from(`${name}\0`), encodeType(type), encodeSpace(shape)];
  const b = new Bytes().u8(1, 0).u16(title.length).u16(kind.length).u16(space.length);
  for (const part of [title, kind, space]) b.bytes(part).align();
  return b.bytes(data).done();
}

/** A filter pipeline message: shuffle for numbers of several bytes, then gzip. */
export function encodeFilters(size: number, level: number): Buffer {
  const shuffle = size > 1;
  const b = new Bytes().u8(1, shuffle ? 2 : 1).zeros(6);
  if (shuffle) b.u16(2).u16(8).u16(1).u16(1).text("shuffle\0").u32(size).u32(0);
  return b.u16(1).u16(8).u16(1).u16(1).text("deflate\0").u32(level).u32(0).done();
}

/** An object header of version 1. */
export function encodeHeader(messages: readonly [type: number, body: Uint8Array][]): Buffer {
  const body = new Bytes();
  for (const [type, data] of messages) {
    const padded = 8 * Math.ceil(data.length / 8);
    body
      .u16(type)
      .u16(padded)
      .u8(0, 0, 0, 0)
      .bytes(data)
      .zeros(padded - data.length);
  }
  const head = new Bytes().u8(1, 0).u16(messages.length).u32(1).u32(body.length).u32(0);
  return head.bytes(body.done()).done();
}
