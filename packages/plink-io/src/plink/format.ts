import type { Texts } from "../texts.ts";

/** Distance from a tie, in units of the fourth digit, that still counts as one. */
const TIE = 1e-9;
const SCALES = [1, 10, 100, 1e3, 1e4, 1e5, 1e6, 1e7];

/**
 * A number as PLINK 1.9's reports print it: four significant digits, trailing zeros dropped, ties (also those that
 * binary rounding hides) to the even digit; `nan` for NaN. Found by comparing with PLINK's output.
 */
export function formatG4(value: number): string {
  if (Number.isNaN(value)) return "nan";
  if (value === 0 || value === 1) return String(value);
  if (!isShare(value)) return scientific(value);
  const places = sharePlaces(value);
  return fixed(roundShare(value, places), places);
}

/** Whether a number is printed as `0.…`: not below 0.0001, below 1. */
export function isShare(value: number): boolean {
  return value >= 1e-4 && value < 1;
}

/** Places after the point that four significant digits of a share take. */
export function sharePlaces(value: number): number {
  return value >= 0.1 ? 4 : value >= 0.01 ? 5 : value >= 0.001 ? 6 : 7;
}

/** A share in units of its last place. */
export function roundShare(value: number, places: number): number {
  return roundHalfEven(value * SCALES[places]!);
}

function roundHalfEven(scaled: number): number {
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  if (rest > 0.5 + TIE) return floor + 1;
  if (rest < 0.5 - TIE) return floor;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** `whole / 10^digits` without trailing zeros. */
function fixed(whole: number, digits: number): string {
  const text = String(whole).padStart(digits + 1, "0");
  let end = text.length;
  while (text.charCodeAt(end - 1) === 48) end--;
  const point = text.length - digits;
  return end <= point ? text.slice(0, point) : `${text.slice(0, point)}.${text.slice(point, end)}`;
}

function scientific(value: number): string {
  const [mantissa, power] = value.toExponential(16).split("e") as [string, string];
  let digits = roundHalfEven(Number(mantissa) * 1000);
  let exponent = Number(power);
  if (digits === 10000) {
    digits = 1000;
    exponent++;
  }
  if (exponent >= -4 && exponent < 4) return String(Number(`${digits}e${exponent - 3}`));
  const sign = exponent < 0 ? "-" : "+";
  return `${fixed(digits, 3)}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

/**
 * Width of a column of names. PLINK widens it while it reads: a name that does not fit makes it two wider than itself,
 * so that the width depends on the order.
 */
export function nameWidth(names: Texts): number {
  let width = 4;
  for (let k = 0; k < names.length; k++) {
    const bytes = names.width(k);
    if (bytes > width) width = bytes + 2;
  }
  return width;
}
