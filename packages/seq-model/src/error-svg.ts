import { escapeXml, openSvg, px, tickStep } from "@x/core/base";
import type { ErrorAnalysis } from "./error-analysis.ts";

/** Options of {@link errorSvg}. */
export interface ErrorSvgOptions {
  /** Name of the target, on both axes. */
  label?: string;
  /** Accessible name. */
  title?: string;
}

const [WIDTH, HEIGHT] = [760, 340];
const LEFT = { left: 56, right: 356, top: 24, bottom: 290 };
const RIGHT = { left: 436, right: 740, top: 24, bottom: 290 };

/**
 * Predicted against true values with the line of perfect prediction, and how often errors of each size occur, as an SVG
 * string; the five worst samples are marked; pointing at a dot names it.
 */
export function errorSvg(analysis: ErrorAnalysis, options: ErrorSvgOptions = {}): string {
  return [
    openSvg(WIDTH, HEIGHT, options.title ?? "Errors of prediction"),
    ...predictions(analysis, options.label ?? "value"),
    ...histogram(analysis),
    "</svg>",
  ].join("");
}

function predictions({ samples, worst }: ErrorAnalysis, label: string): string[] {
  const all = samples.flatMap(({ truth, predicted }) => [truth, predicted]);
  const range = [Math.min(...all), Math.max(...all)] as const;
  const x = linear(range, [LEFT.left + 8, LEFT.right - 8]);
  const y = linear(range, [LEFT.bottom - 8, LEFT.top + 8]);
  const bad = new Set(worst.slice(0, 5).map(({ sample }) => sample));
  const dots = samples.map(({ sample, truth, predicted }) => {
    const fill = bad.has(sample) ? "var(--hit)" : "var(--a)";
    const name = `${sample}: true ${number(truth)}, predicted ${number(predicted)}`;
    return `<circle cx="${x(truth)}" cy="${y(predicted)}" r="3" fill="${fill}" fill-opacity=".75"><title>${escapeXml(name)}</title></circle>`;
  });
  const [a, b] = range;
  return [
    `<path class="ax" d="M${LEFT.left} ${LEFT.top}V${LEFT.bottom}H${LEFT.right}"/>`,
    `<path class="ax" stroke-dasharray="4 4" d="M${x(a)} ${y(a)}L${x(b)} ${y(b)}"/>`,
    ...ticks(range).flatMap((t) => [
      `<text class="l" x="${x(t)}" y="${LEFT.bottom + 16}" text-anchor="middle">${number(t)}</text>`,
      `<text class="l" x="${LEFT.left - 6}" y="${Number(y(t)) + 4}" text-anchor="end">${number(t)}</text>`,
    ]),
    ...dots,
    `<text x="${(LEFT.left + LEFT.right) / 2}" y="${HEIGHT - 12}" text-anchor="middle">true ${escapeXml(label)}</text>`,
    `<text transform="translate(14 ${(LEFT.top + LEFT.bottom) / 2})rotate(-90)" text-anchor="middle">predicted ${escapeXml(label)}</text>`,
  ];
}

function histogram({ edges, counts, mean, sd }: ErrorAnalysis): string[] {
  const most = Math.max(...counts);
  const range = [edges[0]!, edges.at(-1)!] as const;
  const x = linear(range, [RIGHT.left + 4, RIGHT.right]);
  const y = linear([0, most], [RIGHT.bottom, RIGHT.top + 8]);
  const bars = counts.map((count, k) => {
    const [from, to] = [Number(x(edges[k]!)), Number(x(edges[k + 1]!))];
    const top = Number(y(count));
    return `<rect x="${px(from)}" y="${px(top)}" width="${px(Math.max(0.5, to - from - 1))}" height="${px(RIGHT.bottom - top)}" fill="var(--b)"><title>${count}</title></rect>`;
  });
  const zero = range[0] <= 0 && range[1] >= 0;
  return [
    ...bars,
    ...(zero ? [`<path class="ax" stroke-dasharray="4 4" d="M${x(0)} ${RIGHT.top}V${RIGHT.bottom}"/>`] : []),
    `<path class="ax" d="M${RIGHT.left} ${RIGHT.top}V${RIGHT.bottom}H${RIGHT.right}"/>`,
    ...ticks(range).map(
      (t) => `<text class="l" x="${x(t)}" y="${RIGHT.bottom + 16}" text-anchor="middle">${number(t)}</text>`,
    ),
    ...[0, most].map(
      (t) => `<text class="l" x="${RIGHT.left - 6}" y="${Number(y(t)) + 4}" text-anchor="end">${t}</text>`,
    ),
    `<text x="${(RIGHT.left + RIGHT.right) / 2}" y="${HEIGHT - 12}" text-anchor="middle">predicted − true: mean ${number(mean)}, sd ${number(sd)}</text>`,
    `<text transform="translate(${RIGHT.left - 34} ${(RIGHT.top + RIGHT.bottom) / 2})rotate(-90)" text-anchor="middle">samples</text>`,
  ];
}

const number = (x: number): string => String(Number(x.toPrecision(3)));

function linear(
  [a, b]: readonly [number, number],
  [from, to]: readonly [number, number],
): (x: number) => string {
  const size = b > a ? b - a : 1;
  return (x) => px(from + ((to - from) * (x - a)) / size);
}

function ticks([a, b]: readonly [number, number]): number[] {
  if (!(b > a)) return [a];
  const step = tickStep(b - a, 5);
  const first = Math.ceil(a / step - 1e-9);
  const last = Math.floor(b / step + 1e-9);
  return Array.from({ length: last - first + 1 }, (_, k) => (first + k) * step);
}
