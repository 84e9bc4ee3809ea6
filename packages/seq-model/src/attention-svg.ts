import { checkOptions, checkRange, escapeXml, openSvg } from "@x/core/base";
import type { Predictor, SampleBatch } from "./model-interfaces.ts";
import type { SequenceCache } from "./sequence-batches.ts";

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

const [CELL, LEFT, TOP] = [16, 120, 120];

/** A heat map of attention, samples by ASVs, as an SVG string; white cells are ASVs a sample does not have. */
export function attentionSvg(map: AttentionMap, options: AttentionSvgOptions = {}): string {
  const { sampleIds, sequences, weights } = map;
  const columns = sequences.length;
  const largest = Math.max(...weights.filter((w) => !Number.isNaN(w)), Number.MIN_VALUE);
  const nameOf = options.nameOf ?? ((sequence: number) => `ASV ${sequence}`);
  const short = (text: string): string => escapeXml(text.length > 16 ? `${text.slice(0, 15)}…` : text);
  const cells = Array.from(weights, (weight, k) => {
    if (Number.isNaN(weight)) return "";
    const [row, column] = [Math.floor(k / columns), k % columns];
    const about = `${sampleIds[row]}, ${nameOf(sequences[column]!)}: ${Number(weight.toPrecision(3))}`;
    const place = `x="${LEFT + CELL * column}" y="${TOP + CELL * row}" width="${CELL - 1}" height="${CELL - 1}"`;
    // The root spreads small weights out; an ASV without weight is still seen to be there.
    const shade = (0.06 + 0.94 * Math.sqrt(weight / largest)).toFixed(2);
    return `<rect ${place} fill="var(--a)" fill-opacity="${shade}"><title>${escapeXml(about)}</title></rect>`;
  });
  const title = options.title ?? "Attention of samples to ASVs";
  return [
    openSvg(LEFT + CELL * columns + 84, TOP + CELL * sampleIds.length + 16, title),
    ...cells,
    ...sampleIds.map((id, r) => {
      return `<text class="l" x="${LEFT - 6}" y="${TOP + CELL * r + 12}" text-anchor="end">${short(id)}</text>`;
    }),
    ...sequences.map((sequence, c) => {
      const at = `translate(${LEFT + CELL * c + 11} ${TOP - 6})rotate(-60)`;
      return `<text class="l" transform="${at}">${short(nameOf(sequence))}</text>`;
    }),
    "</svg>",
  ].join("");
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
