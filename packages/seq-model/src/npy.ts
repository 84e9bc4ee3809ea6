import { seqFileError } from "./errors.ts";

/** A two-dimensional array of a `.npy` file. */
export interface NpyArray {
  /** Rows and columns. */
  readonly shape: readonly number[];
  /** Row by row. */
  readonly values: Float64Array;
}

/** The header of a `.npy` file (version 1.0) of little-endian numbers, row by row. */
export function npyHeader(shape: readonly number[], type: "<f8" | "<f4"): Uint8Array {
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const text = `{'descr': '${type}', 'fortran_order': False, 'shape': (${dims}), }`;
  const length = Math.ceil((10 + text.length + 1) / 64) * 64 - 10;
  const head = Buffer.alloc(10 + length, " ");
  head.set([0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, 1, 0]);
  head.writeUInt16LE(length, 8);
  head.write(text, 10, "latin1");
  head[head.length - 1] = 10;
  return head;
}

/** Reads float64 or float32, by rows or by columns. `MATRIX_FORMAT` for anything else. Format: NumPy, NEP 1. */
export function parseNpy(bytes: Uint8Array, path: string): NpyArray {
  const bad = (what: string): Error => seqFileError("MATRIX_FORMAT", path, what);
  const data = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  if (data.length < 12 || data.toString("latin1", 1, 6) !== "NUMPY") throw bad("this is no .npy file");
  const wide = data[6]! > 1;
  const start = wide ? 12 + data.readUInt32LE(8) : 10 + data.readUInt16LE(8);
  const head = data.toString("latin1", wide ? 12 : 10, start);
  const type = /'descr':\s*'([^']*)'/.exec(head)?.[1];
  const shape = /'shape':\s*\(([^)]*)\)/
    .exec(head)?.[1]
    ?.split(",")
    .filter((s) => s.trim() !== "")
    .map(Number);
  if ((type !== "<f8" && type !== "<f4") || !shape)
    throw bad(`numbers of type ${type} are not read; float64 and float32 are`);
  const count = shape.reduce((product, size) => product * size, 1);
  const size = type === "<f8" ? 8 : 4;
  if (data.length !== start + count * size) {
    throw bad(
      `${data.length - start} bytes of numbers found, ${count * size} expected for ${shape.join(" × ")}`,
    );
  }
  const whole = data.buffer.slice(data.byteOffset + start, data.byteOffset + data.length);
  const raw = size === 8 ? new Float64Array(whole) : Float64Array.from(new Float32Array(whole));
  const byColumns = /'fortran_order':\s*True/.test(head) && shape.length === 2;
  const [rows, cols] = shape as [number, number];
  const values = byColumns ? raw.map((_, at) => raw[(at % cols) * rows + Math.floor(at / cols)]!) : raw;
  return { shape, values };
}
