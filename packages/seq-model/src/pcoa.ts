import { tableFromColumns } from "@x/core";
import { checkOptions, checkRange, type RunOptions, requireMemory, resolveThreads } from "@x/core/base";
import type { Table } from "apache-arrow";
import type { DistanceMatrix } from "./distance-matrix.ts";
import { principalCoordinates } from "./native.ts";

/** Options of {@link pcoa}. */
export interface PcoaOptions extends Pick<RunOptions, "signal" | "onProgress" | "threads" | "memoryLimit"> {
  /** Axes to keep, 10 by default; fewer where fewer are positive. */
  axes?: number;
}

/** Samples as points. */
export interface Pcoa {
  /** Names of the samples. */
  readonly ids: readonly string[];
  /** What the distances measure, as users write it; `unknown` where the file of the matrix does not say. */
  readonly metric: string;
  /** Axes. */
  readonly axes: number;
  /** Sample after sample, `axes` numbers each. */
  readonly coordinates: Float64Array;
  /** Eigenvalue of every axis, largest first. */
  readonly eigenvalues: Float64Array;
  /** Share of the positive eigenvalues' sum that every axis has. */
  readonly explained: Float64Array;
  /** Sum of the negative eigenvalues over that of the positive ones, as a positive number: how far the distances are from Euclidean ones. */
  readonly negativeShare: number;
  /** `sample: Utf8`, `axis1 … axisN: Float64`. */
  toArrow(): Table;
}

/**
 * Principal coordinates of a distance matrix (Gower, Biometrika 1966), by a full eigendecomposition: time grows with the
 * cube of the samples, memory takes 24 n² bytes. An axis points to where its largest coordinate is positive. Errors:
 * `MEM_PREFLIGHT`, `DISTANCE_NAN`.
 */
export async function pcoa(matrix: DistanceMatrix, options: PcoaOptions = {}): Promise<Pcoa> {
  checkOptions(options, ["axes", "signal", "onProgress", "threads", "memoryLimit"], "pcoa");
  const wanted = checkRange("axes", options.axes ?? 10, { min: 1, max: 2 ** 31, integer: true });
  const bytes = 24 * matrix.n ** 2;
  requireMemory(
    { parts: [{ name: "eigenvectors", bytes }], total: bytes },
    { memoryLimit: options.memoryLimit },
  );
  const { signal, onProgress } = options;
  const native = { signal, onProgress, threads: resolveThreads(options.threads), stage: "pcoa" };
  const found = await principalCoordinates(matrix.native, Math.min(wanted, matrix.n), native);
  const axes = found.values.length;
  const { ids } = matrix;
  const axis = (a: number): Float64Array =>
    Float64Array.from(ids, (_, s) => found.coordinates[s * axes + a]!);
  return Object.freeze({
    ids,
    metric: matrix.metric,
    axes,
    coordinates: found.coordinates,
    eigenvalues: found.values,
    explained: found.values.map((v) => v / found.positive),
    negativeShare: found.positive > 0 ? -found.negative / found.positive : 0,
    toArrow: () =>
      tableFromColumns({
        sample: ids,
        ...Object.fromEntries(Array.from({ length: axes }, (_, a) => [`axis${a + 1}`, axis(a)])),
      }),
  });
}
