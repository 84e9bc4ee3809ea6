/** Fractal heaps: where newer files keep links and attributes that do not fit an object header. */
import { mosaicFileError } from "../errors.ts";
import { bytesFor } from "./btree2.ts";
import { Cursor, NOWHERE, type Storage } from "./storage.ts";

/** One heap; `read` gives the object of an id. */
export class FractalHeap {
  readonly #storage: Storage;
  readonly #address: number;
  #offsetBytes = 0;
  #lengthBytes = 0;
  #width = 0;
  #start = 0;
  #directRows = 0;
  #root = NOWHERE;
  #rows = 0;

  private constructor(storage: Storage, address: number) {
    this.#storage = storage;
    this.#address = address;
  }

  static async open(storage: Storage, address: number): Promise<FractalHeap> {
    const heap = new FractalHeap(storage, address);
    const c = await storage.cursorUpTo(address, 256);
    c.signature("FRHP");
    c.skip(3);
    const filterBytes = c.u16();
    c.skip(1);
    const mostManaged = c.u32();
    c.skip(storage.lengthSize + storage.offsetSize + storage.lengthSize + storage.offsetSize);
    c.skip(8 * storage.lengthSize);
    heap.#width = c.u16();
    heap.#start = c.length();
    const mostDirect = c.length();
    heap.#offsetBytes = Math.ceil(c.u16() / 8);
    c.skip(2);
    heap.#root = c.offset();
    heap.#rows = c.u16();
    if (filterBytes > 0) {
      const message = "a compressed heap of links or attributes is not read; rewrite the file with h5repack";
      throw mosaicFileError("HDF5_UNSUPPORTED", storage.path, message, { byte: address });
    }
    heap.#lengthBytes = bytesFor(Math.min(mostDirect, mostManaged));
    heap.#directRows = Math.log2(mostDirect / heap.#start) + 2;
    return heap;
  }

  /** The bytes of one object. */
  async read(id: Cursor): Promise<Cursor> {
    const flags = id.u8();
    const kind = (flags >> 4) & 3;
    if (kind === 2) return new Cursor(id.take((flags & 15) + 1), this.#storage, id.address);
    if (kind !== 0) {
      const message = "a link or attribute larger than 64 kB is not read";
      throw mosaicFileError("HDF5_UNSUPPORTED", this.#storage.path, message, { byte: this.#address });
    }
    const offset = id.uint(this.#offsetBytes);
    const length = id.uint(this.#lengthBytes);
    return this.#managed(offset, length);
  }

  /** Objects are addressed in the heap's own space, of which each block is a piece. */
  async #managed(offset: number, length: number): Promise<Cursor> {
    if (this.#rows === 0) return this.#storage.cursor(this.#root + offset, length);
    let block = this.#root;
    let base = 0;
    let rows = this.#rows;
    for (let depth = 0; depth < 16; depth++) {
      const { row, column, from, size } = this.#place(offset - base, rows);
      const head = 4 + 1 + this.#storage.offsetSize + this.#offsetBytes;
      const entry = row * this.#width + column;
      const c = await this.#storage.cursor(
        block + head + entry * this.#storage.offsetSize,
        this.#storage.offsetSize,
      );
      block = c.offset();
      base += from;
      if (row < this.#directRows) return this.#storage.cursor(block + (offset - base), length);
      rows = Math.log2(size / (this.#start * this.#width)) + 1;
    }
    throw this.#storage.fault("a heap is nested too deeply", this.#address);
  }

  /** Which block of an indirect block holds an offset: rows of `width` blocks, doubling from the second row on. */
  #place(offset: number, rows: number): { row: number; column: number; from: number; size: number } {
    let from = 0;
    for (let row = 0; row < rows; row++) {
      const size = this.#start * 2 ** Math.max(0, row - 1);
      if (offset < from + size * this.#width) {
        const column = Math.floor((offset - from) / size);
        return { row, column, from: from + column * size, size };
      }
      from += size * this.#width;
    }
    throw this.#storage.fault("an object lies outside its heap", this.#address);
  }
}
