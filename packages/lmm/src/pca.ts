import { checkRange, type RunOptions } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import type { Table } from "apache-arrow";
import { type Cohort, cohortHash } from "./cohort.ts";
import { checkEnvironment, extendDesign } from "./covariates.ts";
import { EIGEN_NAMES, type EigenOptions, eigen } from "./eigen.ts";
import { Eigen } from "./eigen-matrix.ts";
import { lmmError } from "./errors.ts";
import { FILTER_NAMES, type FilterCounts, type FilterOptions } from "./filter.ts";
import { KINSHIP_NAMES, type KinshipMode, type KinshipOptions, kinship } from "./kinship.ts";
import { arrowCore } from "./lazy-arrow.ts";
import { checkNames, type NamesOf, only, RUN_NAMES } from "./option-names.ts";

/** Options of {@link pca}. */
export interface PcaOptions extends FilterOptions, RunOptions {
  /** How many components. Default 10. */
  readonly components?: number;
  /** How genotypes are scaled. Default `hardy`, as PLINK's `--pca` does. */
  readonly mode?: KinshipMode;
  /** Only these people shape the components, and only they get them. Default: everyone. */
  readonly cohort?: Cohort;
  /** Variants read at once; results do not depend on it. */
  readonly chunk?: number;
}

const PCA_NAMES: NamesOf<PcaOptions> = {
  ...FILTER_NAMES,
  ...RUN_NAMES,
  components: true,
  mode: true,
  cohort: true,
  chunk: true,
};

/** Principal components of the genotypes. */
export interface Pca {
  /** Largest first: eigenvalues of the relatedness matrix. */
  readonly values: Float64Array;
  /** Each as a share of all eigenvalues. */
  readonly share: Float64Array;
  /** One a component: its unit-length vector, a value for each person. */
  readonly vectors: readonly Float64Array[];
  /** Rows of the people in the .fam, in the vectors' order. */
  readonly people: Uint32Array;
  /** Variants they are made from. */
  readonly filters: FilterCounts;
  /** `fid, iid, PC1, PC2, …`, ready as covariates: `joinSamples(study, { covariates: table, on: "fid+iid" })`. */
  readonly table: Table;
}

/**
 * Principal components: the leading eigenvectors of the relatedness matrix. The sign of a vector means nothing; here its
 * largest entry (the first of equals) is positive, so that it is the same in every run. Missing calls count as the
 * variant's mean.
 *
 * @throws OPTION_RANGE for more components than the genotypes have, and what {@link kinship} and {@link eigen} throw.
 */
export async function pca(study: PlinkStudy, options: PcaOptions = {}): Promise<Pca> {
  checkNames(options, PCA_NAMES, "pca");
  const cohort = options.cohort ?? everyone(study);
  const mode = options.mode ?? "hardy";
  await using K = await kinship(study, cohort, only<KinshipOptions>({ ...options, mode }, KINSHIP_NAMES));
  await using e = await eigen(K, cohort, { ...only<EigenOptions>(options, EIGEN_NAMES), consume: true });
  const { values, share, vectors } = leading(e, options.components ?? 10);
  const { fam } = study;
  let table: Table | undefined;
  return Object.freeze({
    values,
    share,
    vectors,
    people: cohort.analyzed,
    filters: K.filters!,
    get table(): Table {
      const pick = (ids: readonly string[]): string[] => Array.from(cohort.analyzed, (row) => ids[row]!);
      table ??= arrowCore().tableFromColumns({
        fid: pick(fam.fid),
        iid: pick(fam.iid),
        ...Object.fromEntries(vectors.map((vector, j) => [`PC${j + 1}`, vector])),
      });
      return table;
    },
  });
}

/**
 * The cohort with the first `count` components of its own kinship as further covariates, PC1, PC2, … . The
 * eigendecomposition stays valid: the people are the same.
 * @throws OPTION_RANGE, DF, COVAR_RANK, COHORT_MISMATCH.
 */
export function withComponents<C extends Cohort>(cohort: C, eigen: Eigen, count: number): C {
  Eigen.vectorsFor(eigen, cohort);
  const { vectors } = leading(eigen, count);
  const names = vectors.map((_, j) => `PC${j + 1}`);
  const given = { w: cohort.w, names: cohort.covariateNames };
  const model = extendDesign(given, vectors, names, cohort.analyzed.length);
  if (cohort.environment) checkEnvironment(model, cohort.environment, "the environment");
  // Descriptors, not values: `dropped` is a table that is made when it is asked for.
  const more = { w: model.w, covariateNames: model.names };
  const all = { ...Object.getOwnPropertyDescriptors(cohort), ...Object.getOwnPropertyDescriptors(more) };
  return Object.freeze(Object.defineProperties({}, all)) as C;
}

function leading(e: Eigen, wanted: number): Pick<Pca, "values" | "share" | "vectors"> {
  const n = e.samples;
  const rank = e.values.filter((v) => v > 0).length;
  const count = checkRange("components", wanted, { min: 1, max: n, integer: true });
  if (count > rank)
    throw lmmError(
      "OPTION_RANGE",
      `${count} components asked for; the genotypes of these people have ${rank}.`,
      {
        usage: true,
        details: { option: "components", value: count, rank },
      },
    );
  const total = e.values.reduce((sum, v) => sum + v, 0);
  const values = e.values.slice(n - count).reverse();
  const tile = e.tile(0, n, n - count, count);
  const vectors = Array.from(values, (_, j) => {
    const vector = Float64Array.from({ length: n }, (_v, i) => tile[i * count + count - 1 - j]!);
    let top = 0;
    // Rounding must not choose between equals, as the two of a pair of twins are.
    for (let i = 1; i < n; i++) if (Math.abs(vector[i]!) > Math.abs(vector[top]!) * (1 + 1e-9)) top = i;
    return vector[top]! < 0 ? vector.map((v) => -v) : vector;
  });
  return { values, share: values.map((v) => v / total), vectors };
}

/** A cohort of all people, with neither phenotype nor covariates. */
function everyone(study: PlinkStudy): Cohort {
  const { n, sampleHash } = study;
  const mask = new Uint8Array(Math.ceil(n / 8)).fill(255);
  if (n % 8 > 0) mask[mask.length - 1] = (1 << (n % 8)) - 1;
  return Object.freeze({
    samples: n,
    analyzed: Uint32Array.from({ length: n }, (_, i) => i),
    mask,
    y: new Float64Array(n),
    w: new Float64Array(n).fill(1),
    covariateNames: ["intercept"],
    categories: [],
    phenotypeName: "none",
    sampleHash,
    hash: cohortHash(sampleHash, mask),
    drops: [],
    get dropped(): Table {
      return arrowCore().tableFromColumns({ row: new Int32Array(), fid: [], iid: [], reason: [] });
    },
  });
}
