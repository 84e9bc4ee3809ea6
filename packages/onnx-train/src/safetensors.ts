/** The safetensors format: eight bytes of header length, a JSON header, the numbers. Python reads it too. */
import { readFileSync } from "node:fs";
import { type AtomicWriterOptions, atomicWriter, fromSystemError } from "@x/core/base";
import { bytesOf, type Data, type DType, dtypeBytes, fromBytes } from "./dtype.ts";
import { trainFileError } from "./errors.ts";

const NAMES: Record<string, DType> = {
  F32: "float32",
  F64: "float64",
  F16: "float16",
  BF16: "bfloat16",
  I64: "int64",
  I32: "int32",
  BOOL: "bool",
};
const CODES = new Map(Object.entries(NAMES).map(([code, dtype]) => [dtype, code]));
/** A header beyond this is no header. */
const MAX_HEADER = 1e8;

/** A tensor of a file. */
export interface Stored {
  /** Element type. */
  readonly dtype: DType;
  /** Lengths. */
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: Data;
}

/** What a file holds. */
export interface Safetensors {
  /** By name, in the order of the file. */
  readonly tensors: ReadonlyMap<string, Stored>;
  /** Texts by name. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** Writes a file atomically: it is complete under its name, or not there. The same contents give the same bytes. */
export async function writeSafetensors(
  path: string,
  { tensors, metadata }: Safetensors,
  options?: AtomicWriterOptions,
): Promise<void> {
  const header: Record<string, unknown> = { __metadata__: metadata };
  let offset = 0;
  for (const [name, { dtype, shape, data }] of tensors) {
    header[name] = { dtype: CODES.get(dtype), shape, data_offsets: [offset, offset + data.byteLength] };
    offset += data.byteLength;
  }
  let json = JSON.stringify(header);
  json += " ".repeat((8 - (Buffer.byteLength(json) % 8)) % 8);
  const head = Buffer.from(json);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(head.length));
  await using out = atomicWriter(path, options);
  await out.write(length);
  await out.write(head);
  for (const { data } of tensors.values()) await out.write(bytesOf(data));
  await out.commit();
}

/** Reads a file. `CHECKPOINT_FORMAT` for another kind of file (nothing in it is executed), `CHECKPOINT_TRUNCATED` for a part of one. */
export function readSafetensors(path: string): Safetensors {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (e) {
    throw fromSystemError(e, path);
  }
  const kind = foreignKind(bytes);
  if (kind)
    throw trainFileError(
      "CHECKPOINT_FORMAT",
      path,
      `this is ${kind}, a safetensors file was expected; nothing in it was run`,
    );
  if (bytes.length < 8)
    throw trainFileError("CHECKPOINT_TRUNCATED", path, `${bytes.length} bytes, too short for any checkpoint`);
  const length = Number(bytes.readBigUInt64LE(0));
  if (length > MAX_HEADER || (bytes.length > 8 && bytes[8] !== 0x7b))
    throw trainFileError(
      "CHECKPOINT_FORMAT",
      path,
      "no safetensors file: it does not begin with a JSON header",
    );
  if (8 + length > bytes.length)
    throw trainFileError(
      "CHECKPOINT_TRUNCATED",
      path,
      `${bytes.length} bytes, the header alone has ${8 + length}`,
    );
  return parse(path, bytes, length);
}

function foreignKind(bytes: Buffer): string | undefined {
  if (bytes[0] === 0x80 && bytes[1]! >= 1 && bytes[1]! <= 5) return "a Python pickle";
  if (bytes.subarray(0, 4).toString("latin1") === "PK\u0003\u0004") return "a zip archive (PyTorch's .pt)";
  if (bytes.subarray(0, 8).toString("latin1") === "\u0089HDF\r\n\u001a\n") return "an HDF5 file";
  return undefined;
}

function parse(path: string, bytes: Buffer, length: number): Safetensors {
  const bad = (message: string): never => {
    throw trainFileError("CHECKPOINT_FORMAT", path, message);
  };
  let header: Record<string, { dtype?: unknown; shape?: unknown; data_offsets?: unknown }>;
  try {
    header = JSON.parse(bytes.subarray(8, 8 + length).toString("utf8"));
  } catch (e) {
    return bad(`the header is no JSON: ${(e as Error).message}`);
  }
  const { __metadata__: metadata = {}, ...entries } = header as never as Record<string, never>;
  const start = 8 + length;
  const tensors = new Map<string, Stored>();
  let expected = start;
  for (const [name, entry] of Object.entries(entries as typeof header)) {
    const dtype = NAMES[String(entry.dtype)];
    const shape = entry.shape as number[];
    const [from, to] = (entry.data_offsets ?? []) as number[];
    if (!dtype) return bad(`${name} has the unknown type ${JSON.stringify(entry.dtype)}`);
    const whole = (x: unknown): boolean => Number.isSafeInteger(x) && (x as number) >= 0;
    if (!Array.isArray(shape) || !shape.every(whole) || !whole(from) || !whole(to))
      return bad(`${name} has no proper shape or place`);
    if (to! - from! !== shape.reduce((n, d) => n * d, dtypeBytes(dtype)))
      return bad(`${name} has ${to! - from!} bytes, its shape [${shape}] needs another number`);
    expected = Math.max(expected, start + to!);
    if (start + to! > bytes.length) continue;
    tensors.set(name, { dtype, shape, data: fromBytes(dtype, bytes.subarray(start + from!, start + to!)) });
  }
  if (bytes.length < expected)
    throw trainFileError(
      "CHECKPOINT_TRUNCATED",
      path,
      `${bytes.length} bytes found, ${expected} expected: the file was cut off in transfer or copying`,
      { found: bytes.length, expected },
    );
  if (bytes.length > expected) return bad(`${bytes.length - expected} bytes follow after the last tensor`);
  return { tensors, metadata: metadata as Record<string, string> };
}
