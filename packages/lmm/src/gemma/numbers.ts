import { parseStrictNumber } from "@x/core/base";

/** What a text field of a phenotype or covariate file says; `value` is NaN when the person has no value. */
export type Field =
  | { readonly kind: "value"; readonly value: number }
  | { readonly kind: "missing" }
  | { readonly kind: "nan" | "inf" | "range" | "text" };

const NAN = /^[+-]?nan$/i;
const INF = /^[+-]?inf(?:inity)?$/i;

/** Strict reading: GEMMA turns unreadable text into 0 and lets NaN and inf into every result. */
export function readField(text: string): Field {
  if (text === "NA") return { kind: "missing" };
  if (NAN.test(text)) return { kind: "nan" };
  if (INF.test(text)) return { kind: "inf" };
  const value = parseStrictNumber(text);
  if (value === undefined) return { kind: "text" };
  if (!Number.isFinite(value)) return { kind: "range" };
  return { kind: "value", value };
}
