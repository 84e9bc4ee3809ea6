/** Numbers of any stored type as the types the rest works with. */
import { mosaicError } from "./errors.ts";
import type { Attribute, Numbers, Values } from "./tree.ts";
import { isTexts } from "./tree.ts";

/** Values as numbers; `VALUE_TYPE` for texts. */
export function asNumbers(values: Values, where: string): Numbers {
  if (!isTexts(values)) return values;
  throw mosaicError("VALUE_TYPE", `${where} holds texts, numbers were expected`, {
    details: { object: where },
  });
}

/** Values as texts. */
export function asTexts(values: Values): string[] {
  return isTexts(values) ? [...values] : Array.from(values as Iterable<number | bigint>, String);
}

/** Single precision, shared where it is so already. */
export function toFloat32(values: Values, where: string): Float32Array {
  const numbers = asNumbers(values, where);
  if (numbers instanceof Float32Array) return numbers;
  const out = new Float32Array(numbers.length);
  for (let i = 0; i < out.length; i++) out[i] = Number(numbers[i]);
  return out;
}

/** Doubles: exact for whole numbers up to 2^53. */
export function toFloat64(values: Values, where: string): Float64Array {
  const numbers = asNumbers(values, where);
  if (numbers instanceof Float64Array) return numbers;
  const out = new Float64Array(numbers.length);
  for (let i = 0; i < out.length; i++) out[i] = Number(numbers[i]);
  return out;
}

/** An attribute's numbers, e.g. a shape; undefined where it holds none. */
export function attributeNumbers(value: Attribute | undefined): number[] | undefined {
  if (typeof value === "number" || typeof value === "bigint") return [Number(value)];
  if (value === null || value === undefined || typeof value !== "object" || isTexts(value)) return undefined;
  return Array.from(value as Iterable<number | bigint>, Number);
}

/** An attribute's text; undefined where it holds none. */
export function attributeText(value: Attribute | undefined): string | undefined {
  if (typeof value === "string") return value;
  return Array.isArray(value) && value.length === 1 ? String(value[0]) : undefined;
}

/** An attribute's texts; undefined where it holds none. */
export function attributeTexts(value: Attribute | undefined): string[] | undefined {
  if (typeof value === "string") return [value];
  if (value instanceof Float64Array && value.length === 0) return []; // h5py's empty list
  return Array.isArray(value) ? [...(value as readonly string[])] : undefined;
}
