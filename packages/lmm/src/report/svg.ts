import { px, tickStep } from "@x/core/base";

/** Small pieces that both plots share: axes, and drawing very many dots in few bytes. */

/**
 * Dots as ONE path of zero-length strokes with round caps: a tenth of the bytes of circles. Relative moves keep the
 * numbers short.
 */
export function dots(
  points: ReadonlyArray<readonly [number, number]>,
  radius: number,
  colour: string,
): string {
  if (points.length === 0) return "";
  let d = "";
  let lastX = 0;
  let lastY = 0;
  for (const [x, y] of points) {
    const ix = Math.round(x * 10);
    const iy = Math.round(y * 10);
    d += `m${tenths(ix - lastX)} ${tenths(iy - lastY)}h0`;
    lastX = ix;
    lastY = iy;
  }
  return `<path class="d" style="stroke:var(${colour});stroke-width:${radius * 2}" d="${d}"/>`;
}

function tenths(t: number): string {
  return t % 10 === 0 ? String(t / 10) : (t / 10).toFixed(1);
}

/** Horizontal grid lines with their labels, for a value axis from 0 to `top`. */
export function yAxis(
  top: number,
  at: (v: number) => number,
  box: { left: number; right: number },
  wanted: number = 6,
): string {
  const step = Math.max(1, tickStep(top, wanted));
  let out = "";
  for (let v = 0; v <= top + 1e-9; v += step) {
    const y = px(at(v));
    out += `<path class="g" d="M${box.left} ${y}H${box.right}"/><text x="${box.left - 8}" y="${y}" dy=".32em" text-anchor="end">${v}</text>`;
  }
  return out;
}

/** −log₁₀ p as axis title, written with real sub- and superscripts of Unicode. */
export const MINUS_LOG10_P = "−log₁₀ p";
