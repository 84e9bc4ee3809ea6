import { CodedTexts, copyBytes, type Texts } from "./texts.ts";
import type { BimColumns } from "./types.ts";

/** Allele codes below this are one ASCII letter; the others number longer names. */
const LETTERS = 256;

/**
 * A .bim without a JavaScript string a name: ids lie one after another as bytes, chromosomes and alleles are codes. A
 * million lines take some 60 MB instead of four million strings.
 */
export class BimTable {
  /** Names by chromosome code. */
  readonly chromNames: string[] = [];
  /** Chromosome code of each variant. */
  chrom: Uint32Array;
  /** See BimColumns. */
  cm: Float64Array;
  /** See BimColumns. */
  pos: Int32Array;
  /** Code of allele 1: equal codes are equal names. */
  a1: Uint32Array;
  /** Code of allele 2. */
  a2: Uint32Array;
  /** Where the id of each variant ends in `ids`; it begins where the one before ends. */
  idEnds: Float64Array;
  /** UTF-8 bytes of all ids. */
  ids: Buffer;
  /** Variants. */
  length = 0;
  readonly #longAlleles: string[] = [];
  readonly #alleleCodes = new Map<string, number>();
  readonly #chromCodes = new Map<string, number>();

  /** Room for so many variants and bytes of ids; memory that is never written to costs nothing. */
  constructor(variants: number = 1 << 12, idBytes: number = 1 << 16) {
    this.chrom = new Uint32Array(variants);
    this.cm = new Float64Array(variants);
    this.pos = new Int32Array(variants);
    this.a1 = new Uint32Array(variants);
    this.a2 = new Uint32Array(variants);
    this.idEnds = new Float64Array(variants);
    this.ids = Buffer.allocUnsafeSlow(idBytes);
  }

  /** Code of a chromosome, a new one for a new name. */
  chromCode(name: string): number {
    const known = this.#chromCodes.get(name);
    if (known !== undefined) return known;
    this.#chromCodes.set(name, this.chromNames.length);
    return this.chromNames.push(name) - 1;
  }

  /** Code of an allele, a new one for a new name. */
  alleleCode(name: string): number {
    if (name.length === 1 && name.charCodeAt(0) < 128) return name.charCodeAt(0);
    const known = this.#alleleCodes.get(name);
    if (known !== undefined) return known;
    const code = LETTERS + this.#longAlleles.push(name) - 1;
    this.#alleleCodes.set(name, code);
    return code;
  }

  /** Name of an allele. */
  allele(code: number): string {
    return code < LETTERS ? String.fromCharCode(code) : this.#longAlleles[code - LETTERS]!;
  }

  /** Appends a variant. */
  add(chrom: string, id: string, cm: number, pos: number, a1: string, a2: string): void {
    this.#grow(id.length * 3);
    const row = this.length++;
    const start = this.idStart(row);
    this.idEnds[row] = start + this.ids.write(id, start);
    this.chrom[row] = this.chromCode(chrom);
    this.cm[row] = cm;
    this.pos[row] = pos;
    this.a1[row] = this.alleleCode(a1);
    this.a2[row] = this.alleleCode(a2);
  }

  #grow(idBytes: number): void {
    if (this.length === this.pos.length) {
      const size = this.length * 2;
      this.chrom = grown(this.chrom, new Uint32Array(size));
      this.cm = grown(this.cm, new Float64Array(size));
      this.pos = grown(this.pos, new Int32Array(size));
      this.a1 = grown(this.a1, new Uint32Array(size));
      this.a2 = grown(this.a2, new Uint32Array(size));
      this.idEnds = grown(this.idEnds, new Float64Array(size));
    }
    const needed = this.idStart(this.length) + idBytes;
    if (needed > this.ids.length)
      this.ids = grown(this.ids, Buffer.allocUnsafeSlow(Math.max(needed, this.ids.length * 2)));
  }

  /** Where the id of a variant begins. */
  idStart(row: number): number {
    return row === 0 ? 0 : this.idEnds[row - 1]!;
  }

  /** Id of a variant. */
  id(row: number): string {
    return this.ids.toString("utf8", this.idStart(row), this.idEnds[row]!);
  }

  /** Cuts the arrays to what is used. */
  finish(): this {
    const { length } = this;
    this.chrom = this.chrom.slice(0, length);
    this.cm = this.cm.slice(0, length);
    this.pos = this.pos.slice(0, length);
    this.a1 = this.a1.slice(0, length);
    this.a2 = this.a2.slice(0, length);
    this.idEnds = this.idEnds.slice(0, length);
    this.ids = Buffer.from(this.ids.subarray(0, this.idStart(length)));
    return this;
  }

  /** Ids of some rows. */
  idTexts(rows: Uint32Array): Texts {
    return {
      length: rows.length,
      width: (k) => this.idEnds[rows[k]!]! - this.idStart(rows[k]!),
      copy: (k, out, at) => copyBytes(this.ids, this.idStart(rows[k]!), this.idEnds[rows[k]!]!, out, at),
      strings: () => Array.from(rows, (j) => this.id(j)),
    };
  }

  /** Alleles of some rows by their codes. */
  alleleTexts(codes: Uint32Array): Texts {
    return new CodedTexts(codes, (code) => this.allele(code));
  }

  /** All ids. Ids in ASCII, the usual case, are cut out of one string. */
  idStrings(): string[] {
    const end = this.idStart(this.length);
    const out = Array<string>(this.length);
    const pool = end < 2 ** 28 ? this.ids.toString("latin1", 0, end) : undefined;
    const ascii = pool !== undefined && Buffer.byteLength(pool) === end;
    for (let j = 0; j < this.length; j++)
      out[j] = ascii ? pool.slice(this.idStart(j), this.idEnds[j]!) : this.id(j);
    return out;
  }
}

function grown<T extends Uint8Array | Uint32Array | Int32Array | Float64Array>(from: T, into: T): T {
  into.set(from);
  return into;
}

const tables = new WeakMap<BimColumns, BimTable>();

/** The public face of a table: names become strings when somebody reads their column. */
export function lazyColumns(table: BimTable): BimColumns {
  const { cm, pos } = table;
  const chrom = once(() => Array.from(table.chrom, (code) => table.chromNames[code]!));
  const id = once(() => table.idStrings());
  const letters = Array.from({ length: 128 }, (_, code) => String.fromCharCode(code));
  const alleles = (codes: Uint32Array): string[] =>
    Array.from(codes, (code) => letters[code] ?? table.allele(code));
  const a1 = once(() => alleles(table.a1));
  const a2 = once(() => alleles(table.a2));
  const columns: BimColumns = {
    get chrom() {
      return chrom();
    },
    get id() {
      return id();
    },
    cm,
    pos,
    get a1() {
      return a1();
    },
    get a2() {
      return a2();
    },
  };
  tables.set(columns, table);
  return columns;
}

/** The table behind columns; columns that came from elsewhere are put into one. */
export function tableOf(bim: BimColumns): BimTable {
  let table = tables.get(bim);
  if (table !== undefined) return table;
  table = new BimTable();
  const { chrom, id, cm, pos, a1, a2 } = bim;
  for (let j = 0; j < pos.length; j++) table.add(chrom[j]!, id[j]!, cm[j]!, pos[j]!, a1[j]!, a2[j]!);
  tables.set(bim, table.finish());
  return table;
}

function once<T>(make: () => T): () => T {
  let value: T | undefined;
  return () => {
    value ??= make();
    return value;
  };
}
