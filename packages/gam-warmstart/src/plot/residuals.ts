import { checkOptions, normalQuantile, openSvg } from "@x/core/base";
import type { GamModel } from "../model.ts";
import { axes, dots, extent, line } from "./svg.ts";

/** The pictures of `residualSvg`, as in mgcv's `gam.check`. */
export type ResidualPanel = "qq" | "linear-predictor" | "histogram" | "response";

/** Options of `residualSvg`. */
export interface ResidualOptions {
  /** Pixels; 460 × 320 by default. */
  readonly width?: number;
  /** Pixels. */
  readonly height?: number;
}

/**
 * One panel of residual checks: deviance residuals against normal quantiles, against the linear predictor, their histogram, or
 * the response against fitted values. An SVG string. Only right after `fit` (`NO_ROWS`).
 */
export async function residualSvg(
  model: GamModel,
  panel: ResidualPanel,
  options: ResidualOptions = {},
): Promise<string> {
  checkOptions(options, ["width", "height"], "residualSvg");
  const { width = 460, height = 320 } = options;
  const { y, eta } = model.rowsData();
  const predictors = model.parts.shape.predictors;
  const first = Float64Array.from({ length: y.length }, (_, i) => eta[i * predictors]!);
  const residuals = panel === "response" ? y : model.residuals("deviance");
  const size = { width, height };
  if (panel === "qq") {
    const sorted = residuals.slice().sort();
    const spread = Math.sqrt(sorted.reduce((sum, v) => sum + v * v, 0) / Math.max(1, sorted.length));
    const normal = Float64Array.from(sorted, (_, i) => spread * normalQuantile((i + 0.5) / sorted.length));
    const a = axes(extent(normal), extent(sorted, normal), {
      ...size,
      xTitle: "normal quantiles",
      yTitle: "deviance residuals",
    });
    const ends = extent(normal);
    return panelSvg(
      a.svg +
        line(ends, ends, a, "stroke:var(--hit);stroke-dasharray:4 3") +
        dots(normal, sorted, a, 1.8, 0.7),
      size,
      "Quantiles of residuals",
    );
  }
  if (panel === "histogram") return panelSvg(histogram(residuals, size), size, "Histogram of residuals");
  const x = panel === "response" ? (await model.fitted()).fit[0]! : first;
  const titles =
    panel === "response"
      ? { xTitle: "fitted values", yTitle: "response" }
      : { xTitle: "linear predictor", yTitle: "deviance residuals" };
  const a = axes(extent(x), extent(residuals), { ...size, ...titles });
  return panelSvg(
    a.svg + dots(x, residuals, a, 1.8, 0.55),
    size,
    panel === "response" ? "Response against fitted values" : "Residuals against linear predictor",
  );
}

const panelSvg = (
  body: string,
  { width, height }: { width: number; height: number },
  title: string,
): string => `${openSvg(width, height, title)}${body}</svg>`;

function histogram(values: Float64Array, size: { width: number; height: number }): string {
  const [low, high] = extent(values);
  const bins = Math.max(5, Math.min(60, Math.ceil(Math.log2(values.length) + 1) * 2));
  const counts = new Float64Array(bins);
  const span = high - low || 1;
  for (const v of values)
    if (Number.isFinite(v)) counts[Math.min(bins - 1, Math.floor(((v - low) / span) * bins))]!++;
  const a = axes([low, low + span], [0, Math.max(...counts)], {
    ...size,
    xTitle: "deviance residuals",
    yTitle: "rows",
  });
  const bars = Array.from(counts, (c, i) => {
    const [x0, x1] = [a.x(low + (span * i) / bins), a.x(low + (span * (i + 1)) / bins)];
    return c === 0
      ? ""
      : `<path d="M${x0.toFixed(1)} ${a.y(0).toFixed(1)}V${a.y(c).toFixed(1)}H${(x1 - 1).toFixed(1)}V${a.y(0).toFixed(1)}Z" style="fill:var(--b)"/>`;
  });
  return a.svg + bars.join("");
}
