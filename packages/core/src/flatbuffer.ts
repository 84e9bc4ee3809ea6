/**
 * A bounds check of FlatBuffers: every table, vector and text that a reader would follow lies inside the buffer. The
 * JavaScript runtime of FlatBuffers does not look, so a damaged length would make it loop until the memory is full.
 * Format: https://flatbuffers.dev/internals/
 */

/** What a field of a table holds; scalars need no check. */
export type FieldKind =
  | { kind: "text" }
  | { kind: "vector"; bytes: number }
  | { kind: "table"; of: () => TableShape }
  | { kind: "tables"; of: () => TableShape }
  | { kind: "union"; tag: number; of: Readonly<Record<number, () => TableShape>> };

/** The fields of a table that point somewhere, by their number in the schema. */
export type TableShape = Readonly<Record<number, FieldKind>>;

const MAX_DEPTH = 64;

/** Reads a buffer; every read outside throws a `RangeError`. */
export class FlatBuffer {
  readonly #view: DataView;
  #budget: number;

  constructor(bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#budget = bytes.byteLength; // tables may be pointed at twice, but not without end
  }

  /** Where the root table begins. */
  get root(): number {
    return this.#view.getUint32(0, true);
  }

  /** Checks a table and all it points to. */
  check(table: number, shape: TableShape, depth = 0): void {
    if (depth > MAX_DEPTH || --this.#budget < 0) throw new RangeError("its tables point at each other");
    for (const [slot, field] of Object.entries(shape)) {
      const at = this.field(table, Number(slot));
      if (at === 0) continue;
      const target = at + this.#view.getUint32(at, true);
      if (field.kind === "text") this.#vector(target, 1);
      else if (field.kind === "vector") this.#vector(target, field.bytes);
      else if (field.kind === "table") this.check(target, field.of(), depth + 1);
      else if (field.kind === "tables") {
        const length = this.#vector(target, 4);
        for (let i = 0; i < length; i++) {
          const entry = target + 4 + 4 * i;
          this.check(entry + this.#view.getUint32(entry, true), field.of(), depth + 1);
        }
      } else this.check(target, field.of[this.uint8(table, field.tag)]?.() ?? {}, depth + 1);
    }
  }

  /** Where field `slot` of a table lies; 0 when it is not there. */
  field(table: number, slot: number): number {
    const vtable = table - this.#view.getInt32(table, true);
    const size = this.#view.getUint16(vtable, true);
    if (size < 4) throw new RangeError("a table has no fields");
    this.#view.getUint8(vtable + size - 1);
    this.#view.getUint8(table + this.#view.getUint16(vtable + 2, true) - 1);
    const offset = 4 + 2 * slot < size ? this.#view.getUint16(vtable + 4 + 2 * slot, true) : 0;
    return offset === 0 ? 0 : table + offset;
  }

  /** The table that a field points at; undefined when it is not there. */
  table(table: number, slot: number): number | undefined {
    const at = this.field(table, slot);
    return at === 0 ? undefined : at + this.#view.getUint32(at, true);
  }

  uint8(table: number, slot: number): number {
    const at = this.field(table, slot);
    return at === 0 ? 0 : this.#view.getUint8(at);
  }

  int64(table: number, slot: number): number {
    const at = this.field(table, slot);
    return at === 0 ? 0 : Number(this.#view.getBigInt64(at, true));
  }

  /** The numbers of a vector of structs, each made of 64-bit words (Arrow's blocks, nodes and buffers). */
  structs(table: number, slot: number, words: number): number[][] {
    const target = this.table(table, slot);
    if (target === undefined) return [];
    const length = this.#vector(target, 8 * words);
    const word = (i: number, w: number): number =>
      Number(this.#view.getBigInt64(target + 4 + 8 * (i * words + w), true));
    return Array.from({ length }, (_, i) => Array.from({ length: words }, (_, w) => word(i, w)));
  }

  /** The length of a vector that lies inside the buffer. */
  #vector(at: number, bytes: number): number {
    const length = this.#view.getUint32(at, true);
    if (at + 4 + length * bytes > this.#view.byteLength)
      throw new RangeError(`a list claims ${length} entries`);
    return length;
  }
}
