/** Protocol-buffer encoding of ONNX models, by the tables of `proto-schema.ts`. */
import { isAbsolute } from "node:path";
import { trainError } from "./errors.ts";
import { type GraphProto, type Int, type ModelProto, SCHEMA } from "./proto-schema.ts";

type Message = Record<string, unknown>;

/** The bytes of an `.onnx` file. */
export function encodeModel(model: ModelProto): Uint8Array {
  const writer = new Writer();
  writer.message("Model", model as Message);
  return writer.bytes();
}

/**
 * Reads an `.onnx` file. Fields we do not know are skipped. `ONNX_FORMAT` for anything that is not such a file,
 * `ONNX_EXTERNAL_PATH` where its weights are said to lie outside the model's own folder. Nothing is executed or opened.
 */
export function decodeModel(bytes: Uint8Array, what = "the model"): ModelProto {
  let model: ModelProto;
  try {
    model = new Reader(bytes).message("Model", bytes.length) as ModelProto;
  } catch (cause) {
    if (!(cause instanceof RangeError) && !(cause instanceof TypeError)) throw cause;
    throw trainError("ONNX_FORMAT", `${what} is no ONNX file, or is cut off: ${cause.message}`, { cause });
  }
  if (model.graph === undefined)
    throw trainError("ONNX_FORMAT", `${what} is no ONNX file: it holds no graph`);
  checkExternalPaths(model.graph, what);
  return model;
}

function checkExternalPaths(graph: GraphProto, what: string): void {
  for (const tensor of graph.initializer ?? []) {
    const path = tensor.externalData?.find((e) => e.key === "location")?.value;
    if (path === undefined) continue;
    if (isAbsolute(path) || /^[a-z]:|(^|[\\/])\.\.([\\/]|$)/i.test(path)) {
      const message = `${what}: the weights of ${tensor.name} are said to lie in ${JSON.stringify(path)}, outside the model's folder; refused`;
      throw trainError("ONNX_EXTERNAL_PATH", message, { details: { path, tensor: tensor.name } });
    }
  }
  for (const node of graph.node ?? [])
    for (const attribute of node.attribute ?? []) if (attribute.g) checkExternalPaths(attribute.g, what);
}

const utf8 = new TextEncoder();

class Writer {
  #chunks: Uint8Array[] = [];
  #open: number[] = [];
  #length = 0;

  bytes(): Uint8Array {
    this.#flush();
    const out = new Uint8Array(this.#length);
    let at = 0;
    for (const chunk of this.#chunks) {
      out.set(chunk, at);
      at += chunk.length;
    }
    return out;
  }

  message(name: string, value: Message): void {
    for (const [key, [number, kind]] of Object.entries(SCHEMA[name]!)) {
      const field = value[key];
      if (field === undefined) continue;
      if (kind.endsWith("[]"))
        for (const item of field as unknown[]) this.#field(number, kind.slice(0, -2), item);
      else this.#field(number, kind, field);
    }
  }

  #field(number: number, kind: string, value: unknown): void {
    if (kind === "int") {
      this.#varint(number << 3);
      this.#varint(value as Int);
    } else if (kind === "float") {
      this.#varint((number << 3) | 5);
      this.#raw(new Uint8Array(Float32Array.of(value as number).buffer));
    } else {
      this.#varint((number << 3) | 2);
      const body = encodeBody(kind, value);
      this.#varint(body.length);
      this.#raw(body);
    }
  }

  #varint(value: Int): void {
    if (typeof value === "number" && value >= 0 && value < 2 ** 31) {
      let rest = value;
      while (rest > 127) {
        this.#open.push((rest & 127) | 128);
        rest >>>= 7;
      }
      this.#open.push(rest);
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    while (rest > 127n) {
      this.#open.push(Number(rest & 127n) | 128);
      rest >>= 7n;
    }
    this.#open.push(Number(rest));
  }

  #raw(bytes: Uint8Array): void {
    this.#flush();
    this.#chunks.push(bytes);
    this.#length += bytes.length;
  }

  #flush(): void {
    if (this.#open.length === 0) return;
    this.#chunks.push(Uint8Array.from(this.#open));
    this.#length += this.#open.length;
    this.#open = [];
  }

  /** The contents of a packed list. */
  packed(kind: string, values: readonly Int[]): Uint8Array {
    if (kind === "floats") return new Uint8Array(Float32Array.from(values as number[]).buffer);
    for (const value of values) this.#varint(value);
    return this.bytes();
  }
}

function encodeBody(kind: string, value: unknown): Uint8Array {
  if (kind === "text") return utf8.encode(value as string);
  if (kind === "bytes") return value as Uint8Array;
  const writer = new Writer();
  if (kind === "ints" || kind === "floats") return writer.packed(kind, value as Int[]);
  writer.message(kind, value as Message);
  return writer.bytes();
}

/** Deeper nesting than any model has: a guard for the call stack. */
const MAX_DEPTH = 64;

class Reader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #depth = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  message(name: string, end: number): Message {
    if (++this.#depth > MAX_DEPTH) throw new RangeError("messages are nested too deeply");
    const fields = new Map(
      Object.entries(SCHEMA[name]!).map(([key, [number, kind]]) => [number, { key, kind }]),
    );
    const out: Message = {};
    while (this.#at < end) {
      const tag = Number(this.#varint());
      const field = fields.get(tag >>> 3);
      if (field) this.#field(out, field.key, field.kind, tag & 7);
      else this.#skip(tag & 7);
    }
    if (this.#at !== end) throw new RangeError(`a field of ${name} runs past its end (byte ${end})`);
    this.#depth--;
    return out;
  }

  #field(out: Message, key: string, kind: string, wire: number): void {
    if (kind === "ints" || kind === "floats") {
      const list = (out[key] as Int[]) ?? [];
      out[key] = list;
      const end = wire === 2 ? this.#end() : -1;
      if (end < 0) list.push(this.#scalar(kind, wire));
      else while (this.#at < end) list.push(this.#scalar(kind, kind === "ints" ? 0 : 5));
      return;
    }
    const many = kind.endsWith("[]");
    const value = this.#value(many ? kind.slice(0, -2) : kind, wire);
    if (!many) out[key] = value;
    else if (out[key] === undefined) out[key] = [value];
    else (out[key] as unknown[]).push(value);
  }

  #value(kind: string, wire: number): unknown {
    if (kind === "int" || kind === "float") return this.#scalar(kind, wire);
    if (wire !== 2) throw new RangeError(`wire type ${wire} where ${kind} was expected (byte ${this.#at})`);
    const end = this.#end();
    if (kind !== "text" && kind !== "bytes") return this.message(kind, end);
    const bytes = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return kind === "bytes" ? bytes : new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  }

  #scalar(kind: string, wire: number): Int {
    const float = kind.startsWith("float");
    if (wire !== (float ? 5 : 0))
      throw new RangeError(`wire type ${wire} where ${kind} was expected (byte ${this.#at})`);
    if (!float) return this.#varint();
    this.#at += 4;
    return this.#view.getFloat32(this.#at - 4, true);
  }

  #end(): number {
    const length = Number(this.#varint());
    const end = this.#at + length;
    if (!(length >= 0) || end > this.#bytes.length)
      throw new RangeError(
        `${length} bytes announced at byte ${this.#at}, ${this.#bytes.length - this.#at} left`,
      );
    return end;
  }

  #varint(): Int {
    let small = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#view.getUint8(this.#at++);
      small |= (byte & 127) << shift;
      if (byte < 128) return small;
    }
    let big = BigInt(small);
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#view.getUint8(this.#at++);
      big |= BigInt(byte & 127) << shift;
      if (byte >= 128) continue;
      const signed = BigInt.asIntN(64, big);
      return Number.isSafeInteger(Number(signed)) ? Number(signed) : signed;
    }
    throw new RangeError(`a number longer than 64 bits at byte ${this.#at}`);
  }

  #skip(wire: number): void {
    if (wire === 0) this.#varint();
    else if (wire === 1) this.#at += 8;
    else if (wire === 2) this.#at = this.#end();
    else if (wire === 5) this.#at += 4;
    else throw new RangeError(`unknown wire type ${wire} at byte ${this.#at}`);
    if (this.#at > this.#bytes.length) throw new RangeError("the last field is cut off");
  }
}
