import { escapeXml, openSvg, px } from "@x/core/base";
import { dots, MINUS_LOG10_P, yAxis } from "./svg.ts";

/** What a Manhattan plot needs of each variant; all columns equally long. */
export interface ManhattanData {
  /** Chromosome names. */
  readonly chrom: ArrayLike<string>;
  /** Base pairs; ≤ 0 is unknown. */
  readonly pos: ArrayLike<number>;
  /** −log₁₀ p; anything that is not finite is left out. */
  readonly negLog10P: ArrayLike<number>;
  /** Names for the labels of peaks. */
  readonly id?: ArrayLike<string>;
}

/** Size, lines and labels of {@link manhattanSvg}. */
export interface ManhattanOptions {
  /** Pixels. Default 1160. */
  readonly width?: number;
  /** Pixels. Default 400. */
  readonly height?: number;
  /** Accessible name. */
  readonly title?: string;
  /** Genome-wide line, as −log₁₀ p. Default 7.30103 (5e-8). */
  readonly genomeWide?: number;
  /** Suggestive line, as −log₁₀ p. Default 5. */
  readonly suggestive?: number;
  /** How many peaks get their variant's id. Default 6, 3 below a width of 600. */
  readonly labels?: number;
}

/** Width of a character of a chromosome's name, pixels. */
const NAME_EM = 7;
const BOX = { left: 52, top: 16, bottom: 44, rightGap: 14 };

/**
 * Manhattan plot as an SVG string with its own style (light, dark, print).
 *
 * Variants without a finite −log₁₀ p are left out; those without a position (≤ 0) stand beside the one before them in the
 * file. Points above p = 0.01 that would fall on the same pixel are drawn once, so that millions of variants stay a
 * small file.
 */
export function manhattanSvg(data: ManhattanData, options: ManhattanOptions = {}): string {
  const width = options.width ?? 1160;
  const height = options.height ?? 400;
  const genomeWide = options.genomeWide ?? -Math.log10(5e-8);
  const suggestive = options.suggestive ?? 5;
  const right = width - BOX.rightGap;
  const bottom = height - BOX.bottom;
  const layout = placeChromosomes(data, right - BOX.left);
  let highest = genomeWide;
  for (let i = 0; i < data.negLog10P.length; i++)
    if (Number.isFinite(data.negLog10P[i]!)) highest = Math.max(highest, data.negLog10P[i]!);
  const top = highest * 1.06 + 0.3;
  const y = (v: number): number => bottom - ((bottom - BOX.top) * v) / top;

  const groups: Array<Array<[number, number]>> = [[], [], []];
  const seen = new Set<number>();
  for (let i = 0; i < data.negLog10P.length; i++) {
    const v = data.negLog10P[i]!;
    if (!Number.isFinite(v)) continue;
    const cx = BOX.left + layout.x[i]!;
    const cy = y(v);
    const cell = v < 2 ? 1 : 4;
    const key = (v < 2 ? 0 : 1e9) + Math.round(cx * cell) * 20_000 + Math.round(cy * cell);
    if (seen.has(key)) continue;
    seen.add(key);
    groups[v >= genomeWide ? 2 : layout.order[i]! % 2]!.push([cx, cy]);
  }

  const parts = [openSvg(width, height, options.title ?? "Manhattan plot")];
  parts.push(yAxis(top, y, { left: BOX.left, right }));
  parts.push(line(y(suggestive), right, "--soft", "2 5"), line(y(genomeWide), right, "--hit", "6 4"));
  parts.push(dots(groups[0]!, 1.5, "--a"), dots(groups[1]!, 1.5, "--b"), dots(groups[2]!, 2.4, "--hit"));
  parts.push(`<path class="ax" d="M${BOX.left} ${bottom}H${right}"/>`);
  // A name that would touch the one before it is left out.
  let free = 0;
  for (const c of layout.chromosomes) {
    const middle = BOX.left + c.start + c.width / 2;
    const half = (c.name.length * NAME_EM) / 2;
    if (middle - half < free) continue;
    free = middle + half + 3;
    parts.push(`<text x="${px(middle)}" y="${bottom + 17}" text-anchor="middle">${escapeXml(c.name)}</text>`);
  }
  parts.push(
    `<text class="t" x="${(BOX.left + right) / 2}" y="${height - 6}" text-anchor="middle">chromosome</text>`,
    `<text class="t" transform="translate(14 ${(BOX.top + bottom) / 2})rotate(-90)" text-anchor="middle">${MINUS_LOG10_P}</text>`,
    peakLabels(data, layout.x, y, { right, suggestive, count: options.labels ?? (width < 600 ? 3 : 6) }),
    "</svg>",
  );
  return parts.join("");
}

function line(y: number, right: number, colour: string, dash: string): string {
  return `<path d="M${BOX.left} ${px(y)}H${right}" style="stroke:var(${colour});stroke-dasharray:${dash};opacity:.8"/>`;
}

interface Placed {
  readonly x: Float64Array;
  readonly order: Int32Array;
  readonly chromosomes: Array<{ name: string; start: number; width: number }>;
}

function placeChromosomes(data: ManhattanData, width: number): Placed {
  const spans = new Map<string, { low: number; high: number; count: number }>();
  for (let i = 0; i < data.negLog10P.length; i++) {
    const name = data.chrom[i]!;
    let span = spans.get(name);
    if (!span) {
      span = { low: Number.POSITIVE_INFINITY, high: 0, count: 0 };
      spans.set(name, span);
    }
    if (data.pos[i]! > 0) span.low = Math.min(span.low, data.pos[i]!);
    span.high = Math.max(span.high, data.pos[i]!);
    span.count++;
  }
  const names = [...spans.keys()].sort(byChromosome);
  const gap = names.length > 60 ? 0 : Math.min(6, width / (names.length * 8 || 1));
  // A chromosome without positions gets the room its variants would need if spread as thinly as the others.
  const placed = names.map((name) => spans.get(name)!).filter((s) => s.high > 0);
  const perVariant =
    placed.reduce((a, s) => a + s.high - s.low, 0) /
    Math.max(
      1,
      placed.reduce((a, s) => a + s.count, 0),
    );
  const size = (name: string): number => {
    const s = spans.get(name)!;
    return s.high > 0 ? Math.max(1, s.high - s.low) : s.count * (perVariant || 1);
  };
  const total = names.reduce((a, name) => a + size(name), 0) || 1;
  const scale = (width - gap * Math.max(0, names.length - 1) - 8) / total;
  const chromosomes: Placed["chromosomes"] = [];
  const at = new Map<string, { index: number; next: number }>();
  let start = 4;
  for (const [index, name] of names.entries()) {
    chromosomes.push({ name, start, width: size(name) * scale });
    at.set(name, { index, next: 0 });
    start += size(name) * scale + gap;
  }
  const x = new Float64Array(data.negLog10P.length);
  const order = new Int32Array(x.length);
  for (let i = 0; i < x.length; i++) {
    const slot = at.get(data.chrom[i]!)!;
    const span = spans.get(data.chrom[i]!)!;
    let offset: number;
    if (span.high > 0) {
      // An unknown position (0, −9) is drawn beside the variant before it in the file.
      if (data.pos[i]! > 0) slot.next = data.pos[i]! - span.low;
      offset = slot.next;
    } else offset = slot.next++ * (perVariant || 1);
    x[i] = chromosomes[slot.index]!.start + offset * scale;
    order[i] = slot.index;
  }
  return { x, order, chromosomes };
}

/** 1, 2, … 22, X, Y, XY, MT, then anything else by name. */
export function byChromosome(a: string, b: string): number {
  return rank(a) - rank(b) || (a < b ? -1 : a > b ? 1 : 0);
}

function rank(name: string): number {
  const bare = name.replace(/^chr/i, "");
  if (/^\d+$/.test(bare)) return Number(bare);
  const sex = ["X", "Y", "XY", "MT", "M"].indexOf(bare.toUpperCase());
  return sex >= 0 ? 1e6 + sex : 2e6;
}

/** Ids beside the highest variants, one a neighbourhood, never on top of each other. */
function peakLabels(
  data: ManhattanData,
  x: Float64Array,
  y: (v: number) => number,
  options: { right: number; suggestive: number; count: number },
): string {
  const { id } = data;
  if (!id) return "";
  const candidates: number[] = [];
  for (let i = 0; i < x.length; i++) if (data.negLog10P[i]! >= options.suggestive) candidates.push(i);
  candidates.sort((a, b) => data.negLog10P[b]! - data.negLog10P[a]! || a - b);
  const chosen: number[] = [];
  for (const i of candidates) {
    if (chosen.length >= options.count) break;
    const clash = chosen.some(
      (j) =>
        Math.abs(x[i]! - x[j]!) < 26 ||
        (Math.abs(x[i]! - x[j]!) < 96 && Math.abs(y(data.negLog10P[i]!) - y(data.negLog10P[j]!)) < 14),
    );
    if (!clash && id[i] !== ".") chosen.push(i);
  }
  return chosen
    .map((i) => {
      const cx = BOX.left + x[i]!;
      const left = cx > options.right - 100;
      const text = escapeXml(id[i]!.length > 24 ? `${id[i]!.slice(0, 23)}…` : id[i]!);
      return `<text class="l" x="${px(cx + (left ? -7 : 7))}" y="${px(y(data.negLog10P[i]!))}" dy=".3em"${left ? ' text-anchor="end"' : ""}>${text}</text>`;
    })
    .join("");
}
