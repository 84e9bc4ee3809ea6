import type { FeatureTable, Predictor, SampleBatch, SequenceCache } from "../../src/index.ts";

/**
 * A model whose every number is known: tanh(Σ effect · ln(count + 1)) over a sample's ASVs, attention in proportion to
 * the counts' logarithms.
 */
export function knownPredictor(
  table: FeatureTable,
  cache: SequenceCache,
  effects: Readonly<Record<string, number>>,
): Predictor {
  const effectOf = new Float64Array(cache.table.lengths.length);
  table.featureIds.forEach((id, f) => {
    effectOf[cache.rowOf[f]!] = effects[id] ?? 0;
  });
  const log = (batch: SampleBatch, slot: number): number =>
    batch.mask[slot]! * Math.log1p(batch.counts[slot]!);
  const part = (batch: SampleBatch, slot: number): number =>
    log(batch, slot) * effectOf[batch.unique[batch.sequence[slot]!]!]!;
  const inside = (batch: SampleBatch, weights?: Float32Array): Float64Array => {
    const sums = new Float64Array(batch.ids.length);
    for (let slot = 0; slot < sums.length * batch.slots; slot++)
      sums[Math.floor(slot / batch.slots)]! += (weights?.[slot] ?? 1) * part(batch, slot);
    return sums;
  };
  return {
    width: 1,
    classes: [],
    async predict(batch) {
      const totals = new Float64Array(batch.ids.length);
      const attention = new Float32Array(batch.mask.length);
      attention.forEach((_, slot) => {
        totals[Math.floor(slot / batch.slots)]! += log(batch, slot);
      });
      attention.forEach((_, slot) => {
        attention[slot] = log(batch, slot) / totals[Math.floor(slot / batch.slots)]!;
      });
      return { width: 1, values: inside(batch).map(Math.tanh), embeddings: new Float32Array(), attention };
    },
    async slotGradients(batch, weights) {
      const slopes = inside(batch, weights).map((x) => 1 - Math.tanh(x) ** 2);
      return Float32Array.from(
        batch.mask,
        (_, slot) => slopes[Math.floor(slot / batch.slots)]! * part(batch, slot),
      );
    },
  };
}
