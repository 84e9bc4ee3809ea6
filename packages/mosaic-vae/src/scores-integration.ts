/** Are batches mixed while types stay apart? The scores of scIB (Luecken et al. 2022). */
import { type Neighbours, nearest, type Points } from "./neighbours.ts";

/** From 0 to 1, higher is better; NaN where labels or a second batch are missing. */
export interface IntegrationScores {
  /** (mean silhouette of labels + 1) / 2. */
  readonly labelSilhouette: number;
  /** Mean over labels of mean(1 − |silhouette of batches|). */
  readonly batchSilhouette: number;
  /** (median inverse Simpson index of batches − 1) / (batches − 1). */
  readonly iLisi: number;
  /** (labels − median index of labels) / (labels − 1). */
  readonly cLisi: number;
  /** Mean over labels of the share of its cells in its largest connected part. */
  readonly graphConnectivity: number;
  /** Share of neighbourhoods whose batches do not differ from those of all cells (χ², 5 %). */
  readonly kBet: number;
  /** 0.6 · biology + 0.4 · batches, of the scores there are. */
  readonly total: number;
}

/** Scores of points with batches and, where there are any, labels. */
export function integrationScores(
  points: Points,
  { batches, labels }: { batches: readonly string[]; labels?: readonly string[] | undefined },
): IntegrationScores {
  const near = nearest(points, points, { k: Math.min(90, Math.max(2, points.count >> 2)), self: false });
  const batchCount = new Set(batches).size;
  const labelCount = labels ? new Set(labels).size : 0;
  const none = Number.NaN;
  const labelSilhouette = labels && labelCount > 1 ? (mean(silhouettes(points, labels)) + 1) / 2 : none;
  const scores = {
    labelSilhouette,
    batchSilhouette: batchCount > 1 ? batchSilhouette(points, batches, labels) : none,
    iLisi: batchCount > 1 ? (median(lisi(near, batches)) - 1) / (batchCount - 1) : none,
    cLisi: labels && labelCount > 1 ? (labelCount - median(lisi(near, labels))) / (labelCount - 1) : none,
    graphConnectivity: labels ? connectivity(near, labels) : none,
    kBet: batchCount > 1 ? kBet(near, batches) : none,
  };
  const bio = [scores.labelSilhouette, scores.cLisi].filter((x) => !Number.isNaN(x));
  const mixed = [scores.batchSilhouette, scores.iLisi, scores.graphConnectivity, scores.kBet].filter(
    (x) => !Number.isNaN(x),
  );
  const total =
    bio.length === 0 || mixed.length === 0 ? mean([...bio, ...mixed]) : 0.6 * mean(bio) + 0.4 * mean(mixed);
  return { ...scores, total };
}

function mean(values: readonly number[]): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Silhouette of each point (Rousseeuw 1987); 0 for the only one of its group. */
function silhouettes({ values, count, dimensions }: Points, groups: readonly string[]): number[] {
  const names = [...new Set(groups)];
  const code = groups.map((g) => names.indexOf(g));
  const sizes = names.map((_, g) => code.filter((c) => c === g).length);
  const sums = new Float64Array(names.length);
  return code.map((own, i) => {
    sums.fill(0);
    for (let j = 0; j < count; j++) {
      let square = 0;
      for (let d = 0; d < dimensions; d++)
        square += (values[i * dimensions + d]! - values[j * dimensions + d]!) ** 2;
      sums[code[j]!]! += Math.sqrt(square);
    }
    if (sizes[own]! < 2) return 0;
    const inside = sums[own]! / (sizes[own]! - 1);
    let outside = Number.POSITIVE_INFINITY;
    for (let g = 0; g < names.length; g++) if (g !== own) outside = Math.min(outside, sums[g]! / sizes[g]!);
    return Number.isFinite(outside) ? (outside - inside) / Math.max(inside, outside, 1e-12) : 0;
  });
}

function batchSilhouette(points: Points, batches: readonly string[], labels?: readonly string[]): number {
  const kinds = labels ? [...new Set(labels)] : ["all"];
  const scores: number[] = [];
  for (const kind of kinds) {
    const rows = batches.flatMap((_, i) => (!labels || labels[i] === kind ? [i] : []));
    const own = rows.map((i) => batches[i]!);
    if (new Set(own).size < 2) continue;
    const { dimensions } = points;
    const values = new Float32Array(rows.length * dimensions);
    rows.forEach((row, i) => {
      for (let d = 0; d < dimensions; d++) values[i * dimensions + d] = points.values[row * dimensions + d]!;
    });
    const s = silhouettes({ values, count: rows.length, dimensions }, own);
    scores.push(mean(s.map((x) => 1 - Math.abs(x))));
  }
  return scores.length > 0 ? mean(scores) : Number.NaN;
}

const PERPLEXITY = 30;

/** Inverse Simpson index of each neighbourhood with Gaussian weights of perplexity 30 (Korsunsky et al. 2019). */
function lisi({ k, indices, distances }: Neighbours, groups: readonly string[]): number[] {
  return groups.map((_, i) => {
    const row = distances.subarray(i * k, (i + 1) * k);
    const weights = gaussianWeights(row);
    const share = new Map<string, number>();
    for (let n = 0; n < k; n++) {
      const group = groups[indices[i * k + n]!]!;
      share.set(group, (share.get(group) ?? 0) + weights[n]!);
    }
    let simpson = 0;
    for (const p of share.values()) simpson += p * p;
    return 1 / simpson;
  });
}

/** Weights exp(−β d²) that sum to 1, with β such that their entropy is ln 30. */
function gaussianWeights(distances: Float32Array): Float64Array {
  const target = Math.log(Math.min(PERPLEXITY, distances.length));
  let [low, high, beta] = [0, Number.POSITIVE_INFINITY, 1];
  const weights = new Float64Array(distances.length);
  for (let round = 0; round < 50; round++) {
    let total = 0;
    const least = distances[0]! ** 2;
    for (let n = 0; n < weights.length; n++) {
      weights[n] = Math.exp(-beta * (distances[n]! ** 2 - least));
      total += weights[n]!;
    }
    let entropy = 0;
    for (let n = 0; n < weights.length; n++) {
      weights[n]! /= total;
      if (weights[n]! > 0) entropy -= weights[n]! * Math.log(weights[n]!);
    }
    if (Math.abs(entropy - target) < 1e-5) break;
    if (entropy > target) low = beta;
    else high = beta;
    beta = Number.isFinite(high) ? (low + high) / 2 : beta * 2;
  }
  return weights;
}

function connectivity({ k, indices }: Neighbours, labels: readonly string[]): number {
  const used = Math.min(15, k);
  const parent = Int32Array.from(labels, (_, i) => i);
  const root = (i: number): number => {
    let at = i;
    while (parent[at] !== at) {
      parent[at] = parent[parent[at]!]!;
      at = parent[at]!;
    }
    return at;
  };
  for (let i = 0; i < labels.length; i++)
    for (let n = 0; n < used; n++) {
      const j = indices[i * k + n]!;
      if (labels[i] === labels[j]) parent[root(i)] = root(j);
    }
  const kinds = [...new Set(labels)];
  return mean(
    kinds.map((kind) => {
      const sizes = new Map<number, number>();
      let all = 0;
      labels.forEach((label, i) => {
        if (label !== kind) return;
        all++;
        sizes.set(root(i), (sizes.get(root(i)) ?? 0) + 1);
      });
      return Math.max(...sizes.values()) / all;
    }),
  );
}

/** 95 % points of χ² by Wilson and Hilferty's cube. */
function chiSquareLimit(freedom: number): number {
  const c = 2 / (9 * freedom);
  return freedom * (1 - c + 1.6448536269514722 * Math.sqrt(c)) ** 3;
}

function kBet({ k, indices }: Neighbours, batches: readonly string[]): number {
  const names = [...new Set(batches)];
  const code = batches.map((b) => names.indexOf(b));
  const expected = names.map((_, b) => (k * code.filter((c) => c === b).length) / code.length);
  const limit = chiSquareLimit(names.length - 1);
  let kept = 0;
  for (let i = 0; i < code.length; i++) {
    const seen = new Float64Array(names.length);
    for (let n = 0; n < k; n++) seen[code[indices[i * k + n]!]!]!++;
    const chi = expected.reduce((sum, e, b) => sum + (seen[b]! - e) ** 2 / e, 0);
    if (chi <= limit) kept++;
  }
  return kept / code.length;
}
