/** Element types, as ONNX names and numbers them. */

/** The element types a tensor can have. bfloat16 exists inside a graph only: JavaScript has no array for it. */
export type DType = "float32" | "float64" | "float16" | "bfloat16" | "int64" | "int32" | "bool";

/** What holds a tensor's numbers in JavaScript; bool is one byte, float16 its 16 bits. */
export type Data = Float32Array | Float64Array | BigInt64Array | Int32Array | Uint8Array | Uint16Array;

/** TensorProto.DataType. */
const CODES: Record<DType, number> = {
  float32: 1,
  int32: 6,
  int64: 7,
  bool: 9,
  float16: 10,
  float64: 11,
  bfloat16: 16,
};

const BYTES: Record<DType, number> = {
  float32: 4,
  int32: 4,
  int64: 8,
  bool: 1,
  float16: 2,
  float64: 8,
  bfloat16: 2,
};

/** ONNX's number of an element type. */
export function dtypeCode(dtype: DType): number {
  return CODES[dtype];
}

/** Bytes of one element. */
export function dtypeBytes(dtype: DType): number {
  return BYTES[dtype];
}

/** Does a gradient exist for it? */
export function isFloat(dtype: DType): boolean {
  return dtype === "float32" || dtype === "float64" || dtype === "float16" || dtype === "bfloat16";
}

/** An array of this type with these numbers; the array itself where it fits already. */
export function toData(dtype: DType, values: ArrayLike<number | bigint>): Data {
  if (values instanceof dataType(dtype)) return values as Data;
  const numbers = Array.from(values, Number);
  if (dtype === "int64")
    return BigInt64Array.from(Array.from(values), (v) => (typeof v === "bigint" ? v : BigInt(Math.trunc(v))));
  if (dtype === "float16") return Uint16Array.from(numbers, toHalf);
  if (dtype === "bfloat16") return Uint16Array.from(numbers, toBfloat);
  return dataType(dtype).from(numbers as never) as Data;
}

/** An array of this type over little-endian bytes; copies where they are not aligned. */
export function fromBytes(dtype: DType, bytes: Uint8Array): Data {
  // A Buffer's own `slice` would not copy.
  const copy = bytes.byteOffset % BYTES[dtype] === 0 ? bytes : new Uint8Array(bytes);
  const length = copy.byteLength / BYTES[dtype];
  const type = dataType(dtype);
  return new type(copy.buffer as ArrayBuffer, copy.byteOffset, length);
}

/** Zeros of this type. */
export function emptyData(dtype: DType, length: number): Data {
  return fromBytes(dtype, new Uint8Array(length * BYTES[dtype]));
}

/** The bytes under an array. */
export function bytesOf(data: ArrayBufferView): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

type DataConstructor = {
  new (buffer: ArrayBuffer, offset: number, length: number): Data;
  from(values: ArrayLike<never>): Data;
};

function dataType(dtype: DType): DataConstructor {
  const types = {
    float32: Float32Array,
    float64: Float64Array,
    float16: Uint16Array,
    bfloat16: Uint16Array,
    int64: BigInt64Array,
    int32: Int32Array,
    bool: Uint8Array,
  };
  return types[dtype] as unknown as DataConstructor;
}

const one = new Float32Array(1);
const bits = new Uint32Array(one.buffer);

function toBfloat(x: number): number {
  one[0] = x;
  const b = bits[0]!;
  if ((b & 0x7fffffff) > 0x7f800000) return 0x7fc0;
  return (b + 0x7fff + ((b >>> 16) & 1)) >>> 16;
}

/** The nearest float16, ties to even. */
function toHalf(x: number): number {
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const a = Math.abs(x);
  if (Number.isNaN(x)) return 0x7e00;
  if (a >= 65520) return sign | 0x7c00;
  if (a < 2 ** -14) return sign | roundEven(a * 2 ** 24);
  let exponent = Math.floor(Math.log2(a));
  if (2 ** exponent > a) exponent--;
  // A mantissa that rounds up to 1024 carries into the exponent by itself.
  return sign | (((exponent + 15) << 10) + roundEven((a / 2 ** exponent - 1) * 1024));
}

function roundEven(x: number): number {
  const low = Math.floor(x);
  const rest = x - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}
