import { escapeXml, px, tickStep } from "@x/core/base";

/** Small pieces that the plots share: axes, curves and bands. */

/** Ticks inside a range, with labels of as many decimals as the step needs. */
export function ticks(low: number, high: number, wanted: number): { value: number; label: string }[] {
  const step = tickStep(high - low, wanted);
  const decimals = Math.min(20, Math.max(0, -Math.floor(Math.log10(step) + 1e-9)));
  const list: { value: number; label: string }[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; i++) {
    const value = i * step;
    const label = Math.abs(value) >= 1e6 || step < 1e-5 ? value.toPrecision(3) : value.toFixed(decimals);
    list.push({ value, label: label.replace("-", "−") });
  }
  return list;
}

/** A plot's frame: scales and axes over data ranges. */
export interface Axes {
  readonly x: (v: number) => number;
  readonly y: (v: number) => number;
  /** Grid, axes, tick labels and axis titles. */
  readonly svg: string;
  readonly box: { left: number; right: number; top: number; bottom: number };
}

/** Axes for two ranges (widened where they are empty) inside a picture. */
export function axes(
  xRange: readonly [number, number],
  yRange: readonly [number, number],
  {
    width,
    height,
    xTitle,
    yTitle,
    left = 58,
  }: { width: number; height: number; xTitle: string; yTitle: string; left?: number },
): Axes {
  const box = { left, right: width - 14, top: 14, bottom: height - 42 };
  const [x0, x1] = widen(xRange);
  const [y0, y1] = widen(yRange);
  const x = (v: number): number => box.left + ((box.right - box.left) * (v - x0)) / (x1 - x0);
  const y = (v: number): number => box.bottom - ((box.bottom - box.top) * (v - y0)) / (y1 - y0);
  let svg = "";
  for (const t of ticks(y0, y1, 5))
    svg += `<path class="g" d="M${box.left} ${px(y(t.value))}H${box.right}"/><text x="${box.left - 7}" y="${px(y(t.value))}" dy=".32em" text-anchor="end">${t.label}</text>`;
  for (const t of ticks(x0, x1, 6))
    svg += `<text x="${px(x(t.value))}" y="${box.bottom + 16}" text-anchor="middle">${t.label}</text>`;
  svg += `<path class="ax" d="M${box.left} ${box.bottom}H${box.right}"/>`;
  svg += `<text class="t" x="${(box.left + box.right) / 2}" y="${height - 8}" text-anchor="middle">${escapeXml(xTitle)}</text>`;
  svg += `<text class="t" transform="translate(13 ${(box.top + box.bottom) / 2})rotate(-90)" text-anchor="middle">${escapeXml(yTitle)}</text>`;
  return { x, y, svg, box };
}

function widen([low, high]: readonly [number, number]): [number, number] {
  if (high > low) return [low, high];
  const by = Math.abs(low) > 0 ? Math.abs(low) * 0.1 : 1;
  return [low - by, low + by];
}

/** A curve through points. */
export function line(xs: ArrayLike<number>, ys: ArrayLike<number>, a: Axes, style: string): string {
  const points = Array.from(xs, (v, i) => `${px(a.x(v))} ${px(a.y(ys[i]!))}`);
  return `<path d="M${points.join("L")}" style="fill:none;${style}"/>`;
}

/** The area between two curves. */
export function ribbon(
  xs: ArrayLike<number>,
  low: ArrayLike<number>,
  high: ArrayLike<number>,
  a: Axes,
  style: string,
): string {
  const up = Array.from(xs, (v, i) => `${px(a.x(v))} ${px(a.y(high[i]!))}`);
  const down = Array.from(xs, (v, i) => `${px(a.x(v))} ${px(a.y(low[i]!))}`).reverse();
  return `<path d="M${[...up, ...down].join("L")}Z" style="${style}"/>`;
}

const MAX_DOTS = 4000;

/** Dots as one path of zero-length strokes; of very many, an even selection. */
export function dots(
  xs: ArrayLike<number>,
  ys: ArrayLike<number>,
  a: Axes,
  radius: number,
  opacity: number,
): string {
  const step = Math.max(1, Math.ceil(xs.length / MAX_DOTS));
  let d = "";
  for (let i = 0; i < xs.length; i += step)
    if (Number.isFinite(xs[i]!) && Number.isFinite(ys[i]!)) d += `M${px(a.x(xs[i]!))} ${px(a.y(ys[i]!))}h0`;
  return d === ""
    ? ""
    : `<path class="d" style="stroke:var(--a);stroke-width:${radius * 2};opacity:${opacity}" d="${d}"/>`;
}

/** Smallest and largest finite value. */
export function extent(...lists: readonly ArrayLike<number>[]): [number, number] {
  let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const list of lists)
    for (let i = 0; i < list.length; i++) {
      const v = list[i]!;
      if (!Number.isFinite(v)) continue;
      if (v < low) low = v;
      if (v > high) high = v;
    }
  return low <= high ? [low, high] : [0, 1];
}
