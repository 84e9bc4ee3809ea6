/** Clades of a tree: which sequences stand below which of its branches. */
import type { FeatureTable } from "./feature-table.ts";
import type { Tree } from "./read-newick.ts";
import type { SequenceCache } from "./sequence-batches.ts";

/** Some branches of a tree and the sequences below them. */
export interface Clades {
  /** How many. */
  readonly size: number;
  /** Length of each one's branch, in units of their mean. */
  readonly lengths: Float64Array;
  /** Share of the sequences below each. */
  readonly shares: Float64Array;
  /** Rows of the cache below each. */
  readonly rows: readonly Uint32Array[];
  /** 1 where a row of the cache stands below a clade, 0 elsewhere: rows × clades. */
  of(rows: ArrayLike<number>): Float32Array;
}

/** Options of {@link cladesOf}. */
export interface CladeOptions {
  readonly tree: Tree;
  /** Places of the samples whose richness decides which branches matter. */
  readonly train: Uint32Array;
  /** Clades at most. */
  readonly most: number;
  /** Length of branches without one; 0 by default. */
  readonly missingLength?: number;
}

/**
 * The branches that distances rest on: a branch of length l that a share f of the training samples has adds
 * l² f (1 − f) to their variance, up to a factor; those with most come first. Branches with the same sequences
 * below count as one. Features must have tips.
 */
export function cladesOf(table: FeatureTable, cache: SequenceCache, options: CladeOptions): Clades {
  const { tree, train, most } = options;
  const parents = tree.parents();
  const { above, length, all } = branchesOf(table, tree, parents, options.missingLength ?? 0);
  const rows = cache.table.lengths.length;
  const byRow = Array.from({ length: rows }, () => new Set<number>());
  cache.rowOf.forEach((row, f) => {
    for (const branch of above[f]!) byRow[row]!.add(branch);
  });
  const held = new Float64Array(length.length);
  const mark = new Int32Array(length.length).fill(-1);
  for (const sample of train)
    for (let e = table.indptr[sample]!; e < table.indptr[sample + 1]!; e++) {
      if (table.values[e]! === 0) continue;
      for (const branch of byRow[cache.rowOf[table.indices[e]!]!]!) {
        if (mark[branch] === sample) continue;
        mark[branch] = sample;
        held[branch]!++;
      }
    }
  const worth = held.map((n, b) => {
    const share = (n + 0.5) / (train.length + 1);
    return length[b]! ** 2 * share * (1 - share);
  });
  const chosen = [...all].sort((a, b) => worth[b]! - worth[a]! || a - b).slice(0, most);
  const place = new Map(chosen.map((branch, k) => [branch, k]));
  const own = byRow.map((branches) =>
    Uint32Array.from([...branches].flatMap((b) => place.get(b) ?? [])).sort(),
  );
  const below: number[][] = chosen.map(() => []);
  own.forEach((clades, row) => {
    for (const k of clades) below[k]!.push(row);
  });
  const size = chosen.length;
  const mean = chosen.reduce((sum, b) => sum + length[b]!, 0) / Math.max(1, size) || 1;
  return {
    size,
    lengths: Float64Array.from(chosen, (b) => length[b]! / mean),
    shares: Float64Array.from(below, (list) => list.length / Math.max(1, rows)),
    rows: below.map((list) => Uint32Array.from(list)),
    of(wanted) {
      const out = new Float32Array(wanted.length * size);
      for (let i = 0; i < wanted.length; i++) for (const k of own[wanted[i]!]!) out[i * size + k] = 1;
      return out;
    },
  };
}

/** Branches above each feature up to the root, chains as one. */
function branchesOf(
  table: FeatureTable,
  tree: Tree,
  parents: Uint32Array,
  missing: number,
): { above: number[][]; length: Float64Array; all: Set<number> } {
  const tips = tree.tipsOf(table.featureIds);
  const given = tree.lengths();
  const nodes = parents.length;
  const below = new Uint32Array(nodes);
  for (const tip of tips) below[tip]!++;
  const children = new Uint32Array(nodes);
  // Children stand before their parents.
  for (let node = 0; node < nodes - 1; node++) {
    if (below[node] === 0) continue;
    below[parents[node]!]! += below[node]!;
    children[parents[node]!]!++;
  }
  const branch = Uint32Array.from({ length: nodes }, (_, node) => node);
  const length = Float64Array.from(given, (l) => (Number.isNaN(l) ? missing : l));
  for (let node = 0; node < nodes - 1; node++) {
    const parent = parents[node]!;
    if (below[node] === 0 || children[parent] !== 1) continue;
    branch[parent] = branch[node]!;
    if (parent !== nodes - 1) length[branch[node]!]! += length[parent]!;
  }
  const all = new Set<number>();
  const above = Array.from(tips, (tip) => {
    const list: number[] = [];
    for (let node = tip; node !== nodes - 1; node = parents[node]!) {
      const own = branch[node]!;
      if (list.at(-1) !== own) list.push(own);
      all.add(own);
    }
    return list;
  });
  return { above, length, all };
}
