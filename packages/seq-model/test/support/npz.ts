import { readFileSync } from "node:fs";
import { inflateRawSync } from "node:zlib";

export interface NpzArray {
  shape: number[];
  data: Float32Array;
}

/** Arrays of an .npz file (a zip of .npy), all as float32. */
export function readNpz(path: string): Record<string, NpzArray> {
  const file = readFileSync(path);
  const end = file.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  let at = file.readUInt32LE(end + 16);
  const arrays: Record<string, NpzArray> = {};
  for (let i = file.readUInt16LE(end + 10); i > 0; i--) {
    const size = file.readUInt32LE(at + 20);
    const nameLength = file.readUInt16LE(at + 28);
    const name = file.toString("utf8", at + 46, at + 46 + nameLength).replace(/\.npy$/, "");
    const local = file.readUInt32LE(at + 42);
    const start = local + 30 + file.readUInt16LE(local + 26) + file.readUInt16LE(local + 28);
    const raw = file.subarray(start, start + size);
    arrays[name] = parse(file.readUInt16LE(at + 10) === 0 ? raw : inflateRawSync(raw));
    at += 46 + nameLength + file.readUInt16LE(at + 30) + file.readUInt16LE(at + 32);
  }
  return arrays;
}

function parse(bytes: Buffer): NpzArray {
  const start = 10 + bytes.readUInt16LE(8);
  const head = bytes.toString("latin1", 10, start);
  const shape = /'shape':\s*\(([^)]*)\)/
    .exec(head)![1]!
    .split(",")
    .filter((s) => s.trim() !== "")
    .map(Number);
  const body = bytes.subarray(start);
  const data = new Float32Array(shape.reduce((a, b) => a * b, 1));
  const read = {
    "<f4": (i: number) => body.readFloatLE(4 * i),
    "<f8": (i: number) => body.readDoubleLE(8 * i),
    "<i4": (i: number) => body.readInt32LE(4 * i),
  }[/'descr':\s*'([^']*)'/.exec(head)![1]! as "<f4"];
  for (let i = 0; i < data.length; i++) data[i] = read(i);
  return { shape, data };
}
