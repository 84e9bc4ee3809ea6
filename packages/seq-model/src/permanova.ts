import { checkOptions, checkRange, type RunOptions, resolveThreads } from "@x/core/base";
import type { DistanceMatrix } from "./distance-matrix.ts";
import { seqError } from "./errors.ts";
import { permutationTest } from "./native.ts";

/** Options of {@link permanova}. */
export interface PermanovaOptions extends Pick<RunOptions, "signal" | "onProgress" | "threads" | "seed"> {
  /** 999 by default; 0 leaves p out (NaN). */
  permutations?: number;
}

/** What the test found. */
export interface Permanova {
  /** Between groups over within groups, each by its degrees of freedom. */
  readonly pseudoF: number;
  /** Share of the squared distances that lies between groups. */
  readonly r2: number;
  /** (1 + permutations at least as extreme) / (1 + permutations). */
  readonly p: number;
  /** Permutations drawn. */
  readonly permutations: number;
  /** Names of the groups with their sizes. */
  readonly groups: ReadonlyMap<string, number>;
}

/**
 * Do groups of samples differ? Permutational analysis of variance (Anderson, Austral Ecology 2001). `groups` names the
 * group of every sample, in the matrix's order. Permutation k is drawn from stream k of the seed, so p is the same for
 * any `threads`. `GROUPS` with fewer than two groups, or as many as samples.
 */
export async function permanova(
  matrix: DistanceMatrix,
  groups: readonly string[],
  options: PermanovaOptions = {},
): Promise<Permanova> {
  checkOptions(options, ["permutations", "signal", "onProgress", "threads", "seed"], "permanova");
  const permutations = checkRange("permutations", options.permutations ?? 999, {
    min: 0,
    max: 2 ** 31,
    integer: true,
  });
  if (groups.length !== matrix.n) throw seqError("GROUPS", `${groups.length} groups for ${matrix.n} samples`);
  const sizes = new Map<string, number>();
  for (const group of groups) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  if (sizes.size < 2 || sizes.size >= matrix.n) {
    const message = `${matrix.n} samples in ${sizes.size} groups: there must be at least two groups, and one of several samples`;
    throw seqError("GROUPS", message);
  }
  const names = [...sizes.keys()];
  const numbers = Uint32Array.from(groups, (group) => names.indexOf(group));
  const { signal, onProgress, seed = 0 } = options;
  const native = { signal, onProgress, threads: resolveThreads(options.threads), stage: "permutations" };
  const found = await permutationTest(matrix.native, numbers, names.length, permutations, seed, native);
  return Object.freeze({ ...found, permutations, groups: sizes });
}
