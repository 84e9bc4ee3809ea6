/** The page a training run leaves: loss curves, one self-contained file without scripts. */
import { readFileSync } from "node:fs";
import { fromSystemError } from "@x/core/base";
import { trainFileError } from "./errors.ts";

/** One line of a history as `jsonlTracker` writes it. */
export type HistoryLine = Readonly<Record<string, number | null>>;

/** Reads a history; a last line that was cut off is left out. `CHECKPOINT_FORMAT` with the line for anything else. */
export function readHistory(path: string): HistoryLine[] {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (e) {
    throw fromSystemError(e, path);
  }
  const lines = text.split("\n");
  lines.pop(); // empty, or a line that was being written
  return lines.map((line, i) => {
    try {
      return JSON.parse(line);
    } catch {
      throw trainFileError("CHECKPOINT_FORMAT", path, "no line of a training history", { line: i + 1 });
    }
  });
}

/** Options of `lossReportHtml`. */
export interface LossReportOptions {
  /** Heading; "Training" by default. */
  readonly title?: string;
  /** Facts to show above the curves: device, precision, command. */
  readonly facts?: Readonly<Record<string, string>>;
}

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [560, 260, 56, 30];
/** More points than pixels only make the file larger: neighbours are averaged. */
const POINTS = 500;

/** One number over the steps. */
export interface LossCurve {
  /** What it is. */
  readonly name: string;
  /** Its curve. */
  readonly svg: string;
}

/** One curve a number of a history, as SVG; lines have the class `l`, rules `g`. */
export function lossCurves(history: readonly HistoryLine[]): LossCurve[] {
  const names = [...new Set(history.flatMap((line) => Object.keys(line)))].filter(
    (name) => !["step", "seconds", "applied"].includes(name),
  );
  return names.map((name) => ({ name, svg: curveSvg(history, name) }));
}

/** A self-contained HTML page with one curve a number: light, dark and print, no network. */
export function lossReportHtml(history: readonly HistoryLine[], options: LossReportOptions = {}): string {
  const title = options.title ?? "Training";
  const skipped = history.filter((line) => line.applied === 0).length;
  const facts = {
    steps: String(history.length),
    ...(skipped > 0 && { "steps left out (not finite)": String(skipped) }),
    ...options.facts,
  };
  const rows = Object.entries(facts).map(
    ([k, v]) => `<tr><th>${escapeXml(k)}</th><td>${escapeXml(v)}</td></tr>`,
  );
  const figures = lossCurves(history).map(
    ({ name, svg }) => `<figure>${svg}<figcaption>${escapeXml(name)}</figcaption></figure>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><title>${escapeXml(title)}</title><style>
:root{--p:#fff;--i:#1d2733;--s:#66717f;--r:#e1e6eb;--a:#2563a8}
@media screen and (prefers-color-scheme:dark){:root{--p:#12171d;--i:#e7ebf0;--s:#97a3b0;--r:#2c3641;--a:#7cb1ea}}
body{margin:0;background:var(--p);color:var(--i);font:15px/1.5 system-ui,sans-serif}main{max-width:1180px;margin:0 auto;padding:32px 24px}
h1{font-size:26px;margin:0 0 16px}th{text-align:left;font-weight:400;color:var(--s);padding-right:20px}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:24px;margin-top:24px}figure{margin:0}figcaption{text-align:center;color:var(--s)}
svg{width:100%;height:auto}svg text{fill:var(--s);font:12px system-ui,sans-serif}.g{stroke:var(--r)}.l{fill:none;stroke:var(--a);stroke-width:1.6}
</style></head><body><main><h1>${escapeXml(title)}</h1><table>${rows.join("")}</table><div class="grid">${figures.join("")}</div></main></body></html>
`;
}

/** One curve over the steps as SVG; numbers that are not finite leave a gap. */
function curveSvg(history: readonly HistoryLine[], name: string): string {
  const points = thin(history, name);
  const ys = points.map(([, y]) => y).filter(Number.isFinite);
  const [low, high] = [Math.min(...ys, Number.POSITIVE_INFINITY), Math.max(...ys, Number.NEGATIVE_INFINITY)];
  if (ys.length === 0)
    return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img"><text x="20" y="40">no finite values</text></svg>`;
  const [first, last] = [points[0]![0], points.at(-1)![0]];
  const x = (v: number): number => LEFT + ((WIDTH - LEFT - 10) * (v - first)) / (last - first || 1);
  const y = (v: number): number => HEIGHT - BOTTOM - ((HEIGHT - BOTTOM - 12) * (v - low)) / (high - low || 1);
  let path = "";
  let open = false;
  for (const [step, value] of points) {
    const shown = Number.isFinite(value);
    if (shown) path += `${open ? "L" : "M"}${x(step).toFixed(1)} ${y(value).toFixed(1)}`;
    open = shown;
  }
  const ticks = [low, (low + high) / 2, high].map(
    (v) =>
      `<path class="g" d="M${LEFT} ${y(v).toFixed(1)}H${WIDTH - 10}"/><text x="${LEFT - 6}" y="${(y(v) + 4).toFixed(1)}" text-anchor="end">${v.toPrecision(3)}</text>`,
  );
  const ends = `<text x="${LEFT}" y="${HEIGHT - 8}">${first}</text><text x="${WIDTH - 10}" y="${HEIGHT - 8}" text-anchor="end">step ${last}</text>`;
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeXml(name)}">${ticks.join("")}${ends}<path class="l" d="${path}"/></svg>`;
}

function thin(history: readonly HistoryLine[], name: string): [number, number][] {
  const size = Math.max(1, Math.ceil(history.length / POINTS));
  const out: [number, number][] = [];
  for (let i = 0; i < history.length; i += size) {
    const group = history.slice(i, i + size).filter((line) => name in line);
    if (group.length === 0) continue;
    const values = group.map((line) => line[name] ?? Number.NaN).filter(Number.isFinite);
    const mean = values.length === 0 ? Number.NaN : values.reduce((a, b) => a + b, 0) / values.length;
    out.push([group[0]!.step ?? i, mean]);
  }
  return out;
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]!);
}
