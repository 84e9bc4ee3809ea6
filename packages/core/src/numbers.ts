/** Numbers in and out of text, exactly as C's printf writes them. */

const STRICT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * A decimal number, or undefined: no hexadecimal, no empty text, no spaces, no `1_000`, no `nan` or `inf`. A number
 * beyond the range of doubles comes back as an infinity, which callers refuse.
 */
export function parseStrictNumber(text: string): number | undefined {
  return STRICT.test(text) ? Number(text) : undefined;
}

/** Powers of ten that make |x| a seven-digit integer; exact up to 10^22. */
const POWERS: Float64Array = Float64Array.from({ length: 300 }, (_, k) => Number(`1e${k}`));
/** `e-05`, `e+00`, `e+123`. */
const EXPONENTS: string[] = Array.from({ length: 640 }, (_, i) => exponentText(i - 330));

function exponentText(e: number): string {
  return `e${e < 0 ? "-" : "+"}${String(Math.abs(e)).padStart(2, "0")}`;
}

/**
 * C's `%.6e`: `1.234568e-05`. Exact ties round to even, infinities are `inf` and `-inf`, zero keeps its sign, NaN is
 * always `nan` (JavaScript does not keep the sign of a NaN).
 */
export function formatE6(x: number): string {
  const a = x < 0 ? -x : x;
  if (!(a > 1e-280 && a < 1e280)) return formatE(x, 6);
  // Seven digits by one multiplication: its error is below 1e-8 of the last digit, so that only numbers that near to
  // a tie need the exact way.
  let e = Math.floor(Math.log10(a));
  let scaled = e <= 6 ? a * POWERS[6 - e]! : a / POWERS[e - 6]!;
  if (scaled < 999999.75) {
    e--;
    scaled = e <= 6 ? a * POWERS[6 - e]! : a / POWERS[e - 6]!;
  }
  let digits = Math.floor(scaled);
  const rest = scaled - digits;
  if (rest > 0.4999999 && rest < 0.5000001) return formatE(x, 6);
  if (rest > 0.5) digits++;
  if (digits >= 10000000) {
    if (digits > 10000000) return formatE(x, 6);
    digits = 1000000;
    e++;
  } else if (digits < 1000000) return formatE(x, 6);
  const text = `${digits}`;
  return `${x < 0 ? "-" : ""}${text[0]}.${text.slice(1)}${EXPONENTS[e + 330]}`;
}

/** C's `%.<digits>e`. */
export function formatE(x: number, digits: number): string {
  if (!Number.isFinite(x)) return special(x);
  const text = exponential(x, digits);
  const at = text.indexOf("e");
  return text.slice(0, at) + exponentText(Number(text.slice(at + 1)));
}

/** C's `%.<digits>g`: the shorter of fixed and exponent form at that many significant digits, without trailing zeros. */
export function formatG(x: number, digits = 6): string {
  if (!Number.isFinite(x)) return special(x);
  const precision = digits === 0 ? 1 : digits;
  const text = exponential(x, precision - 1);
  const at = text.indexOf("e");
  const exponent = Number(text.slice(at + 1));
  const negative = text[0] === "-";
  const figures = text
    .slice(negative ? 1 : 0, at)
    .replace(".", "")
    .replace(/0+$/, "");
  const sign = negative ? "-" : "";
  if (figures === "") return `${sign}0`;
  if (exponent < -4 || exponent >= precision) {
    const fraction = figures.length > 1 ? `.${figures.slice(1)}` : "";
    return `${sign}${figures[0]}${fraction}${exponentText(exponent)}`;
  }
  if (exponent < 0) return `${sign}0.${"0".repeat(-exponent - 1)}${figures}`;
  if (figures.length <= exponent + 1) return sign + figures.padEnd(exponent + 1, "0");
  return `${sign}${figures.slice(0, exponent + 1)}.${figures.slice(exponent + 1)}`;
}

/** C's `%.3f`. */
export function formatFixed3(x: number): string {
  if (!Number.isFinite(x)) return special(x);
  const a = Math.abs(x);
  const sign = x < 0 || Object.is(x, -0) ? "-" : "";
  if (a >= 1e21) return `${sign}${BigInt(a)}.000`;
  const sixteenths = a * 16;
  if (sixteenths % 2 !== 1) return sign + a.toFixed(3);
  // A tie is an odd number of sixteenths, whose fourth and last decimal is 5; the third is 2 or 7.
  const exact = a.toFixed(4);
  const kept = exact.slice(0, -2);
  return sign + kept + (exact.at(-2) === "2" ? "2" : "8");
}

function special(x: number): string {
  return Number.isNaN(x) ? "nan" : x > 0 ? "inf" : "-inf";
}

/** `toExponential` with exact ties to even instead of away from zero. */
function exponential(x: number, digits: number): string {
  if (x === 0) return `${Object.is(x, -0) ? "-" : ""}0${digits > 0 ? `.${"0".repeat(digits)}` : ""}e+0`;
  const rounded = x.toExponential(digits);
  if (digits >= 50) return rounded; // beyond what a tie of a double can have at that length
  const longer = x.toExponential(digits + 1);
  const end = longer.indexOf("e");
  if (longer[end - 1] !== "5") return rounded;
  // One figure more ends in 5: a tie if nothing follows. The figure before decides.
  const exact = x.toExponential(100);
  const tail = exact.slice(exact.indexOf(".") + digits + 2, exact.indexOf("e"));
  if (/[1-9]/.test(tail) || exact[exact.indexOf(".") + digits + 1] !== "5") return rounded;
  const before = digits === 0 ? longer[end - 3]! : longer[end - 2]!;
  if ((before.charCodeAt(0) & 1) === 1) return rounded;
  const down = longer.slice(0, digits === 0 ? end - 2 : end - 1);
  return down + longer.slice(end);
}

/** A number and what it counts: `1 epoch`, `2 epochs`. */
export function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}
