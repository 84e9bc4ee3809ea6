import { formatG } from "@x/core/base";

/** Three digits of p from −log₁₀ p, which does not underflow; a power of ten from p = 0.001 down. */
function format(negLog10P: number, power: (mantissa: string, exponent: number) => string): string {
  if (!Number.isFinite(negLog10P)) return "–";
  if (negLog10P < 3) return formatG(10 ** -negLog10P, 3);
  const exponent = Math.ceil(negLog10P);
  const mantissa = (10 ** (exponent - negLog10P)).toFixed(2);
  return mantissa === "10.00" ? power("1.00", exponent - 1) : power(mantissa, exponent);
}

/** For a terminal: `2.14e-386`. */
export function pText(negLog10P: number): string {
  return format(negLog10P, (mantissa, exponent) => `${mantissa}e-${exponent}`);
}

/** For a page: `2.14 × 10<sup>−386</sup>`. */
export function pHtml(negLog10P: number): string {
  return format(negLog10P, (mantissa, exponent) => `${mantissa} × 10<sup>−${exponent}</sup>`);
}
