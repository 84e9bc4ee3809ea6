import { createHash } from "node:crypto";

const KIND = { tag: 0, bytes: 1, text: 2, u64: 3, f64: 4, f64Slice: 5, f64Matrix: 6 } as const;

/**
 * SHA-256 over typed, tagged values. Each absorb writes a byte for the type, the tag's length (u32) and the tag, then the
 * length (u64; rows and columns of a matrix) where it can vary, and the payload, all little endian. So the same bytes
 * under another type or tag never collide. `native/crates/gam/src/fingerprint.rs` gives the same digests.
 */
export class Fingerprint {
  readonly #hash = createHash("sha256");

  /** A tag alone. */
  tag(tag: string): this {
    return this.#head(KIND.tag, tag);
  }

  /** Raw bytes. */
  bytes(tag: string, value: Uint8Array): this {
    this.#head(KIND.bytes, tag).#u64(value.length);
    this.#hash.update(value);
    return this;
  }

  /** A text, as UTF-8. */
  text(tag: string, value: string): this {
    const bytes = Buffer.from(value);
    this.#head(KIND.text, tag).#u64(bytes.length);
    this.#hash.update(bytes);
    return this;
  }

  /** A whole number from 0 to 2^53 − 1. */
  u64(tag: string, value: number): this {
    return this.#head(KIND.u64, tag).#u64(value);
  }

  /** A double, bit for bit. */
  f64(tag: string, value: number): this {
    this.#head(KIND.f64, tag);
    this.#hash.update(littleEndian([value]));
    return this;
  }

  /** A list of doubles, bit for bit. */
  f64Slice(tag: string, values: ArrayLike<number>): this {
    this.#head(KIND.f64Slice, tag).#u64(values.length);
    this.#hash.update(littleEndian(values));
    return this;
  }

  /** A row-major matrix of doubles, bit for bit. */
  f64Matrix(tag: string, rows: number, columns: number, values: ArrayLike<number>): this {
    this.#head(KIND.f64Matrix, tag).#u64(rows).#u64(columns);
    this.#hash.update(littleEndian(values));
    return this;
  }

  /** A double without a tag; −0 counts as 0. */
  value(value: number): this {
    return this.f64("", value === 0 ? 0 : value);
  }

  /** A list of doubles without a tag; −0 counts as 0. */
  values(values: ArrayLike<number>): this {
    return this.f64Slice(
      "",
      Float64Array.from(values, (v) => (v === 0 ? 0 : v)),
    );
  }

  /** 64 lower-case hexadecimal digits; ends the fingerprint. */
  hex(): string {
    return this.#hash.digest("hex");
  }

  #head(kind: number, tag: string): this {
    const name = Buffer.from(tag);
    const head = Buffer.alloc(5);
    head[0] = kind;
    head.writeUInt32LE(name.length, 1);
    this.#hash.update(head).update(name);
    return this;
  }

  #u64(value: number): this {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    this.#hash.update(bytes);
    return this;
  }
}

const IS_LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

function littleEndian(values: ArrayLike<number>): Uint8Array {
  const doubles = values instanceof Float64Array ? values : Float64Array.from(values);
  const bytes = new Uint8Array(doubles.buffer, doubles.byteOffset, doubles.byteLength);
  return IS_LITTLE_ENDIAN ? bytes : Buffer.from(bytes).swap64();
}
