import { parseStrictNumber } from "@x/core";

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

/** C++ `ostream << double` at its default precision: `%g` with six significant digits. */
export function sixDigits(x: number): string {
  if (Number.isNaN(x)) return "nan";
  if (!Number.isFinite(x)) return x > 0 ? "inf" : "-inf";
  if (x === 0) return Object.is(x, -0) ? "-0" : "0";
  const [mantissa = "", exponentText = "0"] = x.toExponential(5).split("e");
  const exponent = Number(exponentText);
  if (exponent < -4 || exponent >= 6) {
    const digits = trimZeros(mantissa);
    const size = Math.abs(exponent).toString().padStart(2, "0");
    return `${digits}e${exponent < 0 ? "-" : "+"}${size}`;
  }
  return trimZeros(x.toFixed(5 - exponent));
}

function trimZeros(text: string): string {
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}
