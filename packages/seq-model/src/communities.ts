/** Samples nobody took: mixtures of what is known, so that distances of every size can be learned from few samples. */
import { Random } from "@x/core/base";
import type { Clades } from "./clades.ts";
import { FeatureTable } from "./feature-table.ts";
import type { SequenceCache } from "./sequence-batches.ts";

/** What communities are drawn from. */
export interface CommunitySource {
  readonly table: FeatureTable;
  readonly cache: SequenceCache;
  /** Places of the training samples: no other sample's composition is looked at. */
  readonly train: Uint32Array;
  readonly clades: Clades;
}

/** Keeps these draws apart from others. */
const COMMUNITY = 0x636f6d6d;

/**
 * As many samples as `places`, each with the chance `share` a community instead: a thinned training sample, a mixture of
 * two, random features of the table, or those below random clades; at most `slots` features each. Same seed and step, same
 * samples.
 */
export function communities(
  { table, cache, train, clades }: CommunitySource,
  places: ArrayLike<number>,
  { share, slots, seed, step }: { share: number; slots: number; seed: number; step: number },
): FeatureTable {
  const featuresOf = featuresByRow(cache);
  const indptr = new Float64Array(places.length + 1);
  const indices: number[] = [];
  const values: number[] = [];
  for (let at = 0; at < places.length; at++) {
    const random = new Random(seed, COMMUNITY * 2 ** 20 + step * table.sampleIds.length + places[at]!);
    const drawn = random.uniform() < share ? drawCommunity(random) : entries(places[at]!, () => true);
    for (const [feature, count] of [...drawn].sort(([a], [b]) => a - b)) {
      indices.push(feature);
      values.push(count);
    }
    indptr[at + 1] = values.length;
  }
  return new FeatureTable({
    sampleIds: Array.from(places, (p, at) => `${at}:${table.sampleIds[p]}`),
    featureIds: table.featureIds,
    indptr,
    indices: Uint32Array.from(indices),
    values: Float64Array.from(values),
    path: table.path,
  });

  function entries(sample: number, keep: () => boolean): Map<number, number> {
    const found = new Map<number, number>();
    for (let e = table.indptr[sample]!; e < table.indptr[sample + 1]!; e++)
      if (table.values[e]! > 0 && keep()) found.set(table.indices[e]!, table.values[e]!);
    return found;
  }

  function drawCommunity(random: Random): Map<number, number> {
    const kind = random.int(4);
    const found = new Map<number, number>();
    const some = (): number => train[random.int(train.length)]!;
    if (kind < 2) {
      const part = 0.1 + 0.9 * random.uniform();
      for (const [f, n] of entries(some(), () => random.uniform() < part)) found.set(f, n);
      if (kind === 1)
        for (const [f, n] of entries(some(), () => random.uniform() < 1.1 - part)) found.set(f, n);
    }
    if (found.size === 0) {
      const count = (): number => Math.ceil(Math.exp(2 * random.normal() + 2));
      const wanted = Math.ceil(slots ** (0.4 + 0.6 * random.uniform()));
      const clade = (): readonly number[] => {
        const rows = clades.rows[random.int(clades.size)]!;
        const part = random.uniform();
        return Array.from(rows).flatMap((row) => (random.uniform() < part ? featuresOf[row]! : []));
      };
      // A clade may be empty-handed; a feature never is.
      for (let tries = 0; found.size < wanted && tries < 4 * wanted; tries++) {
        const more = kind === 3 && clades.size > 0 ? clade() : [random.int(table.featureIds.length)];
        for (const f of more) found.set(f, count());
      }
      if (found.size === 0) found.set(random.int(table.featureIds.length), 1);
    }
    const kept = random.shuffle([...found]);
    return new Map(kept.slice(0, slots));
  }
}

function featuresByRow(cache: SequenceCache): number[][] {
  const lists: number[][] = Array.from(cache.table.lengths, () => []);
  cache.rowOf.forEach((row, f) => {
    lists[row]!.push(f);
  });
  return lists;
}
