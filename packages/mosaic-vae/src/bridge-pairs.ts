/** Where bridge pairs come from: mutual neighbours, or maps learned on cells that have both modalities. */
import type { MosaicDataset } from "./dataset.ts";
import type { Embedding } from "./embed.ts";
import { solveSpd } from "./solve.ts";
import { nearest, type Points } from "./neighbours.ts";

type Pairs = [number, number][];

/** Pairs of cells of different patterns that are among each other's k nearest (Haghverdi et al. 2018). */
export function mutualNeighbours(
  embedding: Embedding,
  rows: Int32Array,
  pattern: Int32Array,
  k: number,
): Pairs {
  const kinds = [...new Set(Array.from(rows, (row) => pattern[row]!))].sort((a, b) => a - b);
  const pairs: Pairs = [];
  for (const [i, a] of kinds.entries())
    for (const b of kinds.slice(i + 1)) {
      const [left, right] = [a, b].map((kind) => rows.filter((row) => pattern[row] === kind));
      const [pl, pr] = [left!, right!].map((some) => pointsOf(embedding, some));
      const there = nearest(pl!, pr!, { k });
      const back = nearest(pr!, pl!, { k });
      for (let x = 0; x < left!.length; x++)
        for (let n = 0; n < there.k; n++) {
          const y = there.indices[x * there.k + n]!;
          if (back.indices.subarray(y * back.k, (y + 1) * back.k).includes(x)) {
            pairs.push([left![x]!, right![y]!]);
            break;
          }
        }
    }
  return pairs;
}

function pointsOf({ mean, latent }: { mean: Float32Array; latent: number }, rows: Int32Array): Points {
  const values = new Float32Array(rows.length * latent);
  rows.forEach((row, i) => {
    values.set(mean.subarray(row * latent, (row + 1) * latent), i * latent);
  });
  return { values, count: rows.length, dimensions: latent };
}

const RIDGE = 1e-3;

/**
 * For each cell with the first modality alone, the nearest cell with the second alone, after a map from the posteriors of
 * the one to those of the other that is learned on cells that have both: a ridge regression, or with `local` the mean of
 * the k nearest of them (a dictionary).
 */
export function mappedPartners(
  embedding: Embedding,
  dataset: MosaicDataset,
  rows: Int32Array,
  { k, local }: { k: number; local: boolean },
): Pairs {
  const [a, b] = [...dataset.modalities.values()];
  if (!a || !b) return [];
  const paired = rows.filter((row) => a.available[row] && b.available[row]);
  const left = rows.filter((row) => a.available[row] && !b.available[row]);
  const right = rows.filter((row) => b.available[row] && !a.available[row]);
  if (paired.length === 0 || left.length === 0 || right.length === 0) return [];
  const { latent } = embedding;
  const of = (name: string, some: Int32Array): Points =>
    pointsOf({ mean: embedding.single[name]!.mean, latent }, some);
  const [from, to] = [of(a.name, paired), of(b.name, paired)];
  const sources = of(a.name, left);
  const mapped = local ? localMap(sources, from, to, k) : linearMap(sources, from, to);
  const found = nearest(mapped, of(b.name, right), { k: 1 });
  return Array.from(left, (row, i) => [row, right[found.indices[i]!]!]);
}

function localMap(sources: Points, from: Points, to: Points, k: number): Points {
  const near = nearest(sources, from, { k });
  const values = new Float32Array(sources.count * to.dimensions);
  for (let i = 0; i < sources.count; i++)
    for (let n = 0; n < near.k; n++)
      for (let d = 0; d < to.dimensions; d++)
        values[i * to.dimensions + d]! += to.values[near.indices[i * near.k + n]! * to.dimensions + d]! / near.k;
  return { values, count: sources.count, dimensions: to.dimensions };
}

/** W = (AᵀA + λI)⁻¹ AᵀB with a column of ones in A. */
function linearMap(sources: Points, from: Points, to: Points): Points {
  const d = from.dimensions;
  const width = d + 1;
  const gram = new Float64Array(width * width);
  const right = new Float64Array(width * d);
  const row = (points: Points, i: number, j: number): number => (j < d ? points.values[i * d + j]! : 1);
  for (let i = 0; i < from.count; i++)
    for (let p = 0; p < width; p++) {
      for (let q = 0; q < width; q++) gram[p * width + q]! += row(from, i, p) * row(from, i, q);
      for (let q = 0; q < d; q++) right[p * d + q]! += row(from, i, p) * to.values[i * d + q]!;
    }
  for (let p = 0; p < width; p++) gram[p * width + p]! += RIDGE * from.count;
  const map = solveSpd(gram, right, width, d);
  const values = new Float32Array(sources.count * d);
  for (let i = 0; i < sources.count; i++)
    for (let q = 0; q < d; q++) {
      let sum = 0;
      for (let p = 0; p < width; p++) sum += row(sources, i, p) * map[p * d + q]!;
      values[i * d + q] = sum;
    }
  return { values, count: sources.count, dimensions: d };
}
