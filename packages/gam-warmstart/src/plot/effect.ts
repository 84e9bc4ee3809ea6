import { checkOptions, normalQuantile, openSvg, px } from "@x/core/base";
import { type Band, smoothByLabel, termOn } from "../bands.ts";
import { gamError } from "../errors.ts";
import type { GamModel } from "../model.ts";
import { axes, dots, extent, line, ribbon } from "./svg.ts";

/** Options of `effectSvg`. */
export interface EffectOptions {
  /** Pixels; 460 × 320 by default. */
  readonly width?: number;
  /** Pixels. */
  readonly height?: number;
  /** Accessible name; `Effect of` and the label by default. */
  readonly title?: string;
  /** Posterior draws of the simultaneous band; 2000 by default, 0 leaves it out. */
  readonly draws?: number;
}

/**
 * A smooth as a picture: a curve with its pointwise (dark) and simultaneous (light) 95 % band, a map for two variables, one
 * curve a level for a factor smooth, sorted effects against normal quantiles for a random effect. Returns an SVG string.
 * `TERM_UNKNOWN`, `NOT_SUPPORTED`.
 */
export async function effectSvg(model: GamModel, term: string, options: EffectOptions = {}): Promise<string> {
  checkOptions(options, ["width", "height", "title", "draws"], "effectSvg");
  const { width = 460, height = 320, draws = 2000 } = options;
  const { parts } = model;
  const { term: t, variables } = smoothByLabel(parts, term);
  const size = { width, height, title: options.title ?? `Effect of ${term}` };
  const numeric = variables.every((v) => parts.ranges[v]);
  const edf = model.terms.find((row) => row.label === term)!.edf;
  if (t.bs === "re") return randomSvg(parts.arrays.beta.slice(t.from, t.to), term, size);
  if (t.bs === "fs") return levelsSvg(model, term, variables, edf, size);
  if (!numeric)
    throw gamError("NOT_SUPPORTED", `${term} is no smooth of numeric variables; there is no picture of it`, {
      details: { term },
    });
  if (variables.length === 1)
    return curveSvg(await model.band(term, { draws: Math.max(1, draws) }), edf, draws > 0, size);
  if (variables.length === 2) return mapSvg(model, term, variables, edf, size);
  throw gamError("NOT_SUPPORTED", `${term} has ${variables.length} variables; pictures are for one or two`, {
    details: { term },
  });
}

interface Size {
  width: number;
  height: number;
  title: string;
}

function curveSvg(band: Band, edf: number, simultaneous: boolean, { width, height, title }: Size): string {
  const at = (k: number): Float64Array => band.fit.map((f, i) => f + k * band.se[i]!);
  const outer = simultaneous ? Math.max(band.critical, 1.96) : 1.96;
  const a = axes(extent(band.x), extent(at(-outer), at(outer)), {
    width,
    height,
    xTitle: band.variable,
    yTitle: `${band.term}, edf ${edf.toFixed(2)}`,
  });
  return [
    openSvg(width, height, title),
    a.svg,
    simultaneous ? ribbon(band.x, at(-band.critical), at(band.critical), a, "fill:var(--a);opacity:.12") : "",
    ribbon(band.x, at(-1.96), at(1.96), a, "fill:var(--a);opacity:.2"),
    line(band.x, band.fit, a, "stroke:var(--a);stroke-width:2"),
    "</svg>",
  ].join("");
}

const POINTS = 100;

/** A factor smooth: the curve of each level, without bands. */
async function levelsSvg(
  model: GamModel,
  term: string,
  variables: readonly string[],
  edf: number,
  { width, height, title }: Size,
): Promise<string> {
  const { parts } = model;
  const covariate = variables.find((v) => parts.ranges[v])!;
  const factor = variables.find((v) => v !== covariate)!;
  const levels = parts.variables.find((v) => v.label === factor)?.levels ?? [];
  const [low, high] = parts.ranges[covariate]!;
  const x = Float64Array.from({ length: POINTS }, (_, i) => low + ((high - low) * i) / (POINTS - 1));
  const curves: Float64Array[] = [];
  for (const level of levels.keys())
    curves.push((await termOn(parts, term, { [covariate]: x }, { variable: factor, level }, POINTS, {})).fit);
  const yTitle = `${term}, edf ${edf.toFixed(2)}`;
  const a = axes(extent(x), extent(...curves), { width, height, xTitle: covariate, yTitle });
  const faint = Math.max(0.25, Math.min(0.9, 6 / levels.length)).toFixed(2);
  const lines = curves.map((f) => line(x, f, a, `stroke:var(--a);stroke-width:1.5;opacity:${faint}`));
  return [openSvg(width, height, title), a.svg, ...lines, "</svg>"].join("");
}

const CELLS = 40;

async function mapSvg(
  model: GamModel,
  term: string,
  variables: readonly string[],
  edf: number,
  { width, height, title }: Size,
): Promise<string> {
  const { parts } = model;
  const ranges = variables.map((v) => parts.ranges[v]!);
  const middle = ([low, high]: readonly [number, number], i: number): number =>
    low + ((high - low) * (i + 0.5)) / CELLS;
  const n = CELLS * CELLS;
  const values = Object.fromEntries(
    variables.map((v, d) => [
      v,
      Float64Array.from({ length: n }, (_, i) =>
        middle(ranges[d]!, d === 0 ? i % CELLS : Math.floor(i / CELLS)),
      ),
    ]),
  );
  const { by } = smoothByLabel(parts, term);
  const { fit } = await termOn(parts, term, values, by, n, {});
  const top = Math.max(...fit.map(Math.abs), 1e-300);
  const a = axes(ranges[0]!, ranges[1]!, {
    width: width - 54,
    height,
    xTitle: `${variables[0]!} · ${term}, edf ${edf.toFixed(2)}`,
    yTitle: variables[1]!,
  });
  const w = (a.box.right - a.box.left) / CELLS;
  const h = (a.box.bottom - a.box.top) / CELLS;
  const cell = (x: number, y: number, wide: number, tall: number, v: number): string =>
    `<path d="M${px(x)} ${px(y)}h${px(wide)}v${px(tall)}h${px(-wide)}z" style="fill:var(${v < 0 ? "--hit" : "--a"});opacity:${(Math.abs(v) / top).toFixed(2)}"/>`;
  const cells = Array.from(fit, (v, i) =>
    cell(a.box.left + (i % CELLS) * w, a.box.bottom - (Math.floor(i / CELLS) + 1) * h, w + 0.2, h + 0.2, v),
  );
  const steps = 20;
  const tall = (a.box.bottom - a.box.top) / steps;
  const legend = Array.from({ length: steps }, (_, i) =>
    cell(width - 50, a.box.bottom - (i + 1) * tall, 10, tall, (top * (2 * i + 1 - steps)) / steps),
  );
  const label = (v: number, y: number): string =>
    `<text x="${width - 36}" y="${px(y)}" dy=".32em">${v.toPrecision(2).replace("-", "−")}</text>`;
  return [
    openSvg(width, height, title),
    a.svg,
    ...cells,
    ...legend,
    label(top, a.box.top + 6),
    label(0, (a.box.top + a.box.bottom) / 2),
    label(-top, a.box.bottom - 6),
    "</svg>",
  ].join("");
}

function randomSvg(effects: Float64Array, term: string, { width, height, title }: Size): string {
  const sorted = effects.slice().sort();
  const normal = Float64Array.from(sorted, (_, i) => normalQuantile((i + 0.5) / sorted.length));
  const spread = Math.sqrt(sorted.reduce((sum, v) => sum + v * v, 0) / sorted.length);
  const ends = [normal[0]!, normal[normal.length - 1]!];
  const range = extent(
    sorted,
    ends.map((q) => q * spread),
  );
  const a = axes(extent(normal), range, { width, height, xTitle: "normal quantiles", yTitle: term });
  return [
    openSvg(width, height, title),
    a.svg,
    line(
      ends,
      ends.map((q) => q * spread),
      a,
      "stroke:var(--soft);stroke-dasharray:4 3",
    ),
    dots(normal, sorted, a, 2.2, 0.9),
    "</svg>",
  ].join("");
}
