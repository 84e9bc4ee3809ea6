/** The page a training run leaves: loss curves, one self-contained file without scripts. */
import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { escapeXml, fromSystemError } from "@x/core/base";
import { trainFileError } from "./errors.ts";

/** One line of a history as `jsonlTracker` writes it. */
export type HistoryLine = Readonly<Record<string, number | null>>;

/**
 * Reads a history, gzip and a byte order mark undone; a last line that was cut off is left out. `CHECKPOINT_FORMAT` with
 * the line for anything else.
 */
export function readHistory(path: string): HistoryLine[] {
  const lines = readText(path).split("\n");
  lines.pop(); // empty, or a line that was being written
  return lines.map((text, i) => {
    let line: unknown;
    try {
      line = JSON.parse(text);
    } catch {
      line = undefined;
    }
    if (typeof line === "object" && line !== null && !Array.isArray(line)) return line as HistoryLine;
    throw trainFileError("CHECKPOINT_FORMAT", path, "no line of a training history", { line: i + 1 });
  });
}

function readText(path: string): string {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (e) {
    throw fromSystemError(e, path);
  }
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) {
    try {
      bytes = gunzipSync(bytes);
    } catch (cause) {
      throw trainFileError("CHECKPOINT_FORMAT", path, "this gzip file is damaged or cut off", { cause });
    }
  }
  return bytes.toString("utf8").replace(/^\ufeff/, "");
}

/** Options of `lossReportHtml`. */
export interface LossReportOptions {
  /** Heading; "Training" by default. */
  readonly title?: string;
  /** Facts to show above the curves: device, precision, command. */
  readonly facts?: Readonly<Record<string, string>>;
  /** What a line of the history is about; by default an epoch where there is a `validation`, else a step. */
  readonly unit?: "step" | "epoch";
}

const [WIDTH, HEIGHT, LEFT, BOTTOM] = [560, 260, 72, 30];
/** More points than pixels only make the file larger: neighbours are averaged. */
const POINTS = 500;

/** One number over the steps, or epochs. */
export interface LossCurve {
  /** What it is. */
  readonly name: string;
  /** Its curve. */
  readonly svg: string;
}

/** One curve a number of a history, as SVG; lines have the class `l`, points between gaps `p`, rules `g`. */
export function lossCurves(
  history: readonly HistoryLine[],
  { unit = unitOf(history) }: Pick<LossReportOptions, "unit"> = {},
): LossCurve[] {
  const names = [...new Set(history.flatMap((line) => Object.keys(line)))].filter(
    (name) => !["step", "seconds", "applied"].includes(name),
  );
  return names.map((name) => ({ name, svg: curveSvg(history, name, unit) }));
}

/** Validation is measured once an epoch. */
function unitOf(history: readonly HistoryLine[]): "step" | "epoch" {
  return history.some((line) => Object.keys(line).some((name) => name.startsWith("validation")))
    ? "epoch"
    : "step";
}

/** A self-contained HTML page with one curve a number: light, dark and print, no network. */
export function lossReportHtml(history: readonly HistoryLine[], options: LossReportOptions = {}): string {
  const title = options.title ?? "Training";
  const unit = options.unit ?? unitOf(history);
  const skipped = history.filter((line) => line.applied === 0).length;
  const facts = {
    [`${unit}s`]: String(history.length),
    ...(skipped > 0 && { "steps left out (not finite)": String(skipped) }),
    ...options.facts,
  };
  const rows = Object.entries(facts).map(
    ([k, v]) => `<tr><th>${escapeXml(k)}</th><td>${escapeXml(v)}</td></tr>`,
  );
  const figures = lossCurves(history, { unit }).map(
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
svg{width:100%;height:auto}svg text{fill:var(--s);font:12px system-ui,sans-serif}.g{stroke:var(--r)}.l{fill:none;stroke:var(--a);stroke-width:1.6}.p{fill:var(--a)}
</style></head><body><main><h1>${escapeXml(title)}</h1><table>${rows.join("")}</table><div class="grid">${figures.join("")}</div></main></body></html>
`;
}

/** One curve as SVG; numbers that are not finite leave a gap, and one alone between gaps is a point. */
function curveSvg(history: readonly HistoryLine[], name: string, unit: string): string {
  const points = thin(history, name);
  const ys = points.map(([, y]) => y).filter(Number.isFinite);
  const [low, high] = [Math.min(...ys, Number.POSITIVE_INFINITY), Math.max(...ys, Number.NEGATIVE_INFINITY)];
  const open = `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" font-size="12" fill="currentColor" aria-label="${escapeXml(name)}">`;
  if (ys.length === 0) return `${open}<text x="20" y="40">no finite values</text></svg>`;
  const [first, last] = [points[0]![0], points.at(-1)![0]];
  // What does not change lies in the middle.
  const share = (v: number, from: number, to: number): number => (to > from ? (v - from) / (to - from) : 0.5);
  const x = (v: number): string => (LEFT + (WIDTH - LEFT - 10) * share(v, first, last)).toFixed(1);
  const y = (v: number): string =>
    (HEIGHT - BOTTOM - (HEIGHT - BOTTOM - 12) * share(v, low, high)).toFixed(1);
  let path = "";
  let dots = "";
  for (const [i, [step, value]] of points.entries()) {
    if (!Number.isFinite(value)) continue;
    const [before, after] = [points[i - 1], points[i + 1]].map(
      (p) => p !== undefined && Number.isFinite(p[1]),
    );
    path += `${before ? "L" : "M"}${x(step)} ${y(value)}`;
    if (!before && !after) dots += `<circle class="p" cx="${x(step)}" cy="${y(value)}" r="3"/>`;
  }
  const ticks = [...new Set([low, (low + high) / 2, high])].map(
    (v) =>
      `<path class="g" d="M${LEFT} ${y(v)}H${WIDTH - 10}"/><text x="${LEFT - 6}" y="${Number(y(v)) + 4}" text-anchor="end">${tickText(v)}</text>`,
  );
  const end = `<text x="${WIDTH - 10}" y="${HEIGHT - 8}" text-anchor="end">${unit} ${last}</text>`;
  const ends = last > first ? `<text x="${LEFT}" y="${HEIGHT - 8}">${first}</text>${end}` : end;
  return `${open}${ticks.join("")}${ends}<path class="l" d="${path}"/>${dots}</svg>`;
}

/** Three figures, e.g. 8,660; with an exponent only where zeros would fill the margin. */
function tickText(v: number): string {
  const size = Math.abs(v);
  if (v !== 0 && (size < 1e-3 || size >= 1e6)) return v.toExponential(2);
  return v.toLocaleString("en-US", { maximumSignificantDigits: 3 });
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
