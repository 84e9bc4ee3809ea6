/** Datatype messages: what the elements of a dataset or an attribute are. */
import { mosaicFileError } from "../errors.ts";
import type { Cursor } from "./storage.ts";

/** An element type. */
export type Datatype =
  | { readonly class: "int"; readonly size: number; readonly signed: boolean; readonly big: boolean }
  | { readonly class: "float"; readonly size: number; readonly big: boolean }
  | { readonly class: "text"; readonly size: number; readonly padding: number }
  | { readonly class: "vlen-text"; readonly size: number }
  | { readonly class: "vlen"; readonly size: number; readonly base: Datatype }
  | {
      readonly class: "enum";
      readonly size: number;
      readonly base: Datatype;
      readonly names: readonly string[];
    }
  | { readonly class: "compound"; readonly size: number; readonly members: readonly Member[] }
  | { readonly class: "other"; readonly size: number; readonly what: string };

/** A field of a compound type. */
export interface Member {
  readonly name: string;
  readonly offset: number;
  readonly type: Datatype;
}

const OTHER: Readonly<Record<number, string>> = {
  2: "time",
  4: "bit field",
  5: "opaque",
  7: "reference",
  10: "array",
  11: "complex",
};

/** Reads one type; types may lie inside types. */
export function readDatatype(c: Cursor, depth = 0): Datatype {
  const head = c.u8();
  const [kind, version] = [head & 15, head >> 4];
  if (version < 1 || version > 5 || depth > 16)
    throw c.storage.fault(`datatype version ${version}`, c.address);
  const bits = c.u8() | (c.u8() << 8) | (c.u8() << 16);
  const size = c.u32();
  if (kind === 0) {
    c.skip(4);
    return { class: "int", size, signed: (bits & 8) !== 0, big: (bits & 1) !== 0 };
  }
  if (kind === 1) {
    c.skip(12);
    return { class: "float", size, big: (bits & 1) !== 0 };
  }
  if (kind === 3) return { class: "text", size, padding: bits & 15 };
  if (kind === 6)
    return { class: "compound", size, members: members(c, version, bits & 0xffff, size, depth) };
  if (kind === 8) {
    const base = readDatatype(c, depth + 1);
    const names = Array.from({ length: bits & 0xffff }, () => memberName(c, version));
    c.skip(base.size * names.length);
    return { class: "enum", size, base, names };
  }
  if (kind === 9) {
    const base = readDatatype(c, depth + 1);
    return (bits & 15) === 1 ? { class: "vlen-text", size } : { class: "vlen", size, base };
  }
  if (kind === 4) c.skip(4);
  if (kind === 5) c.skip(bits & 255);
  if (kind === 10) {
    const rank = c.u8();
    if (version < 3) c.skip(3);
    c.skip(4 * rank * (version < 3 ? 2 : 1));
    readDatatype(c, depth + 1);
  }
  if (kind === 11) readDatatype(c, depth + 1);
  return { class: "other", size, what: OTHER[kind] ?? `class ${kind}` };
}

function memberName(c: Cursor, version: number): string {
  const start = c.at;
  const name = c.text();
  if (version < 3) c.align(start);
  return name;
}

function members(c: Cursor, version: number, count: number, size: number, depth: number): Member[] {
  const offsetBytes = Math.floor(Math.log2(Math.max(1, size)) / 8) + 1;
  return Array.from({ length: count }, () => {
    const name = memberName(c, version);
    const offset = version < 3 ? c.u32() : c.uint(offsetBytes);
    // Version 1 allows an array of up to four dimensions here.
    if (version === 1) {
      const rank = c.u8();
      c.skip(27);
      if (rank > 0)
        return {
          name,
          offset,
          type: { ...readDatatype(c, depth + 1), class: "other", what: "array" } as Datatype,
        };
    }
    return { name, offset, type: readDatatype(c, depth + 1) };
  });
}

/** A name like numpy's. */
export function dtypeName(type: Datatype): string {
  if (type.class === "int") return `${type.signed ? "" : "u"}int${8 * type.size}`;
  if (type.class === "float") return `float${8 * type.size}`;
  if (type.class === "enum") return isBool(type) ? "bool" : dtypeName(type.base);
  if (type.class === "text" || type.class === "vlen-text") return "string";
  return type.class === "other" ? type.what : type.class;
}

/** h5py stores booleans as an enumeration of FALSE and TRUE. */
export function isBool(type: Datatype): boolean {
  return type.class === "enum" && [...type.names].sort().join(" ").toUpperCase() === "FALSE TRUE";
}

/** `HDF5_UNSUPPORTED` for a type we do not read. */
export function unsupportedType(file: string, where: string, type: Datatype): Error {
  const message = `${where} holds values of type ${dtypeName(type)}, which is not read`;
  return mosaicFileError("HDF5_UNSUPPORTED", file, message, { object: where });
}
