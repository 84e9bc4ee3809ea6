import { checkOptions, checkRange, escapeXml, openSvg } from "@x/core/base";
import type { Predictor, SampleBatch } from "./model-interfaces.ts";
import type { SequenceCache } from "./sequence-batches.ts";
import { shortNames } from "./short-names.ts";

/** Weights of ASVs in samples. */
export interface AttentionMap {
  /** Rows. */
  readonly sampleIds: readonly string[];
  /** Columns: rows of the sequence cache, those of largest mean weight first. */
  readonly sequences: readonly number[];
  /** Row by row; NaN where the sample does not have the sequence. */
  readonly weights: Float64Array;
}

/** The weights of the `most` ASVs (30 by default) that a model looks at most in the samples of a batch. */
export async function attentionMap(
  predictor: Predictor,
  batch: SampleBatch,
  options: { most?: number } = {},
): Promise<AttentionMap> {
  checkOptions(options, ["most"], "attentionMap");
  const most = checkRange("most", options.most ?? 30, { min: 1, integer: true });
  const { attention } = await predictor.predict(batch);
  const sums = new Float64Array(batch.unique.length);
  attention.forEach((weight, slot) => {
    if (batch.mask[slot]) sums[batch.sequence[slot]!]! += weight;
  });
  const order = Array.from(sums, (_, u) => u)
    .sort((a, b) => sums[b]! - sums[a]! || a - b)
    .slice(0, most);
  const column = new Map(order.map((u, c) => [u, c]));
  const weights = new Float64Array(batch.ids.length * order.length).fill(Number.NaN);
  for (let slot = 0; slot < batch.ids.length * batch.slots; slot++) {
    const c = batch.mask[slot] ? column.get(batch.sequence[slot]!) : undefined;
    if (c !== undefined) weights[Math.floor(slot / batch.slots) * order.length + c] = attention[slot]!;
  }
  return { sampleIds: batch.ids, sequences: order.map((u) => batch.unique[u]!), weights };
}

/** Options of {@link attentionSvg}. */
export interface AttentionSvgOptions {
  /** Names of columns, e.g. of {@link sequenceNames}; the number of the sequence by default. */
  nameOf?: (sequence: number) => string;
  /** Accessible name. */
  title?: string;
}

const [CELL, LEFT, TOP, FOOT] = [16, 120, 140, 52];
/** Room for the title and the scale of few columns. */
const LEAST_WIDTH = 440;

/**
 * A heat map of attention, samples by ASVs, with its scale, as an SVG string; empty cells are ASVs a sample does not
 * have.
 */
export function attentionSvg(map: AttentionMap, options: AttentionSvgOptions = {}): string {
  const { sampleIds, sequences, weights } = map;
  const columns = sequences.length;
  const largest = Math.max(...weights.filter((w) => !Number.isNaN(w)), Number.MIN_VALUE);
  const nameOf = options.nameOf ?? ((sequence: number) => `ASV ${sequence}`);
  const rowNames = shortNames(sampleIds, 16);
  const columnNames = shortNames(sequences.map(nameOf), 16);
  const cells = Array.from(weights, (weight, k) => {
    if (Number.isNaN(weight)) return "";
    const [row, column] = [Math.floor(k / columns), k % columns];
    const about = `${sampleIds[row]}, ${nameOf(sequences[column]!)}: ${Number(weight.toPrecision(3))}`;
    const place = `x="${LEFT + CELL * column}" y="${TOP + CELL * row}" width="${CELL - 1}" height="${CELL - 1}"`;
    return `<rect ${place} fill="var(--a)" fill-opacity="${shade(weight / largest)}"><title>${escapeXml(about)}</title></rect>`;
  });
  const title = options.title ?? "Attention of samples to ASVs";
  const bottom = TOP + CELL * sampleIds.length;
  return [
    openSvg(Math.max(LEFT + CELL * columns + 84, LEAST_WIDTH), bottom + FOOT, title),
    `<text class="t" x="16" y="18" font-weight="600">${escapeXml(title)}</text>`,
    ...cells,
    ...rowNames.map((name, r) => {
      return `<text class="l" x="${LEFT - 6}" y="${TOP + CELL * r + 12}" text-anchor="end">${escapeXml(name)}</text>`;
    }),
    ...columnNames.map((name, c) => {
      const at = `translate(${LEFT + CELL * c + 11} ${TOP - 6})rotate(-60)`;
      return `<text class="l" transform="${at}">${escapeXml(name)}</text>`;
    }),
    ...scale(largest, bottom + 22),
    "</svg>",
  ].join("");
}

/** How strong the colour of a share of the largest weight is: the root spreads small weights out; 0 is still seen. */
const shade = (share: number): string => (0.06 + 0.94 * Math.sqrt(share)).toFixed(2);

/** What the colours stand for, at 0, 1/16, 1/4 and 1 of the largest weight. */
function scale(largest: number, y: number): string[] {
  const steps = [0, 1 / 16, 1 / 4, 1];
  return [
    `<text x="16" y="${y + 11}">weight of an ASV</text>`,
    ...steps.map((share, k) => {
      const x = LEFT + 10 + 76 * k;
      const box = `<path d="M${x} ${y}h14v14h-14z" fill="var(--a)" fill-opacity="${shade(share)}"/>`;
      return `${box}<text class="l" x="${x + 19}" y="${y + 11}">${Number((share * largest).toPrecision(2))}</text>`;
    }),
  ];
}

/** Names of sequences for {@link attentionSvg}: the first feature that has each. */
export function sequenceNames(
  cache: SequenceCache,
  featureIds: readonly string[],
): (sequence: number) => string {
  const names = new Map<number, string>();
  cache.rowOf.forEach((row, f) => {
    if (!names.has(row)) names.set(row, featureIds[f]!);
  });
  return (sequence) => names.get(sequence) ?? `ASV ${sequence}`;
}
