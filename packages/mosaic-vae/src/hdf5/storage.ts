/** Bytes of an HDF5 file by address: metadata through a small page cache, data straight from the disk. */
import { type InputFile, openInput } from "@x/core/base";
import { mosaicFileError } from "../errors.ts";

const PAGE = 2 ** 16;
const PAGES = 256;
/** An address that points nowhere. */
export const NOWHERE: number = Number.POSITIVE_INFINITY;

/** The file, and what its superblock says about addresses. */
export class Storage implements AsyncDisposable {
  readonly path: string;
  readonly size: number;
  /** Addresses count from here. */
  base = 0;
  offsetSize = 8;
  lengthSize = 8;
  readonly #file: InputFile;
  readonly #pages = new Map<number, Promise<Uint8Array>>();

  constructor(path: string) {
    this.#file = openInput(path);
    this.path = path;
    this.size = this.#file.size;
  }

  /** `length` bytes at an address; `HDF5_TRUNCATED` behind the end of the file. */
  async read(address: number, length: number): Promise<Uint8Array> {
    const at = this.base + address;
    if (!(length >= 0) || !(at >= 0) || at + length > this.size) throw this.beyond(address, length);
    if (length > PAGE) return this.#file.read(at, length);
    const [first, last] = [Math.floor(at / PAGE), Math.floor((at + Math.max(0, length - 1)) / PAGE)];
    const head = await this.#page(first);
    const from = at - first * PAGE;
    if (first === last) return head.subarray(from, from + length);
    const joined = new Uint8Array(length);
    joined.set(head.subarray(from));
    const tail = await this.#page(last);
    joined.set(tail.subarray(0, length - (head.length - from)), head.length - from);
    return joined;
  }

  async cursor(address: number, length: number): Promise<Cursor> {
    return new Cursor(await this.read(address, length), this, address);
  }

  /** The same up to the end of the file: for structures whose length stands inside. */
  cursorUpTo(address: number, length: number): Promise<Cursor> {
    return this.cursor(address, Math.max(0, Math.min(length, this.size - this.base - address)));
  }

  /** Straight from the disk, past the page cache. */
  readData(address: number, length: number): Promise<Uint8Array> {
    if (!(address >= 0) || this.base + address + length > this.size) throw this.beyond(address, length);
    return this.#file.read(this.base + address, length);
  }

  fault(message: string, address?: number): Error {
    const place = address === undefined ? {} : { byte: this.base + address };
    return mosaicFileError("HDF5_FORMAT", this.path, `damaged HDF5: ${message}`, place);
  }

  beyond(address: number, length: number): Error {
    const end = this.base + address + length;
    const message = `the file has ${this.size} bytes, but something should lie up to byte ${end}: it was cut, or an address in it is damaged`;
    return mosaicFileError("HDF5_TRUNCATED", this.path, message, { size: this.size, end });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#pages.clear();
    return this.#file.close();
  }

  #page(number: number): Promise<Uint8Array> {
    const known = this.#pages.get(number);
    if (known) return known;
    const start = number * PAGE;
    const page = this.#file.read(start, Math.min(PAGE, this.size - start));
    this.#pages.set(number, page);
    if (this.#pages.size > PAGES) this.#pages.delete(this.#pages.keys().next().value!);
    return page;
  }
}

/** Reads little-endian fields one after the other; `HDF5_FORMAT` when the structure is shorter than it says. */
export class Cursor {
  at = 0;
  readonly bytes: Uint8Array;
  readonly storage: Storage;
  readonly address: number;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, storage: Storage, address: number) {
    this.bytes = bytes;
    this.storage = storage;
    this.address = address;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get left(): number {
    return this.bytes.length - this.at;
  }

  take(length: number): Uint8Array {
    const from = this.#advance(length);
    return this.bytes.subarray(from, from + length);
  }

  skip(length: number): this {
    this.#advance(length);
    return this;
  }

  /** To the next multiple of 8 from `start`. */
  align(start: number): void {
    this.skip((8 - ((this.at - start) % 8)) % 8);
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  /** A whole number of any length; `HDF5_FORMAT` above 2^53. */
  uint(size: number): number {
    const from = this.#advance(size);
    let value = 0;
    for (let i = size - 1; i >= 0; i--) value = value * 256 + this.bytes[from + i]!;
    if (value <= Number.MAX_SAFE_INTEGER) return value;
    throw this.storage.fault(`a length of ${value}`, this.address + from);
  }

  length(): number {
    return this.uint(this.storage.lengthSize);
  }

  /** An address; all ones are `NOWHERE`. */
  offset(): number {
    const size = this.storage.offsetSize;
    const from = this.at;
    if (this.left >= size && this.bytes.subarray(from, from + size).every((b) => b === 255)) {
      this.at += size;
      return NOWHERE;
    }
    return this.uint(size);
  }

  /** Four letters that a structure begins with. */
  signature(wanted: string): void {
    const found = Buffer.from(this.take(4)).toString("latin1");
    if (found !== wanted) throw this.storage.fault(`${wanted} was expected`, this.address + this.at - 4);
  }

  /** A text up to its zero byte. */
  text(): string {
    const end = this.bytes.indexOf(0, this.at);
    if (end < 0) throw this.storage.fault("a name does not end", this.address + this.at);
    const name = Buffer.from(this.take(end - this.at)).toString("utf8");
    this.skip(1);
    return name;
  }

  #advance(length: number): number {
    const from = this.at;
    if (!(length >= 0) || from + length > this.bytes.length) {
      throw this.storage.fault("a structure ends early", this.address + from);
    }
    this.at += length;
    return from;
  }
}
