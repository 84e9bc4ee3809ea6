/** What the pictures of all packages share: escaping, coordinates, the frame with its colours, steps of axes. */

/** Text safe inside HTML and SVG, attributes included. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}

/** Coordinates to a tenth of a pixel. */
export const px = (x: number): string => String(Math.round(x * 10) / 10);

/** The colours, once for light, once for dark; print is always light. */
const STYLE = `<style>
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

/** Steps of 1, 2 or 5 × 10^k that give about `wanted` ticks over a span. */
export function tickStep(span: number, wanted: number): number {
  const raw = span / wanted;
  const unit = 10 ** Math.floor(Math.log10(raw));
  return [1, 2, 5, 10].map((m) => m * unit).find((s) => s >= raw * 0.999) ?? 10 * unit;
}
