/** Small pieces that both plots share: escaping, axes, and drawing very many dots in few bytes. */

/** Text safe inside HTML and SVG, attributes included. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** Coordinates to a tenth of a pixel. */
export const px = (x: number): string => String(Math.round(x * 10) / 10);

/** The colours, once for light, once for dark; print is always light. */
export const STYLE: string = `<style>
.xp{--ink:#1d2733;--soft:#66717f;--grid:#e8ebef;--a:#1f5f8b;--b:#7fb0d0;--hit:#c8374a;--band:#dfe6ec;--bg:none;
font:12px system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;max-width:100%;height:auto}
@media screen and (prefers-color-scheme:dark){.xp{--ink:#e7ebf0;--soft:#97a3b0;--grid:#2a333d;--a:#6db3e3;--b:#3f7ca6;--hit:#ff7d88;--band:#27323d}}
.xp text{fill:var(--soft)}.xp .t{fill:var(--ink)}.xp .ax{stroke:var(--soft);stroke-width:1;fill:none}
.xp .g{stroke:var(--grid);stroke-width:1}.xp .d{fill:none;stroke-linecap:round}.xp .l{fill:var(--ink);font-size:11px}
</style>`;

/** Opens an SVG of the given size with its title (also the accessible name). */
export function openSvg(width: number, height: number, title: string): string {
  const name = escapeXml(title);
  return `<svg xmlns="http://www.w3.org/2000/svg" class="xp" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${name}"><title>${name}</title>${STYLE}`;
}

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

/** Steps of 1, 2 or 5 × 10^k that give about `wanted` ticks from 0 to `top`. */
export function tickStep(top: number, wanted: number): number {
  const raw = top / wanted;
  const unit = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map((m) => m * unit).find((s) => s >= raw) ?? 10 * unit;
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
