import type { RunOptions, StageMeter, Warn } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import type { Cohort } from "./cohort.ts";
import { EIGEN_NAMES, type EigenOptions, eigen } from "./eigen.ts";
import { type EigenSource, loadEigen } from "./eigen-load.ts";
import type { Eigen } from "./eigen-matrix.ts";
import type { FilterOptions } from "./filter.ts";
import { KINSHIP_NAMES, type KinshipMode, type KinshipOptions, kinship } from "./kinship.ts";
import { Kinship, type KinshipLoadOptions, LOAD_NAMES } from "./kinship-matrix.ts";
import { kinshipTwins, type TwinFacts } from "./kinship-twins.ts";
import { only, RUN_NAMES, refuseBoth } from "./option-names.ts";

/** Where an eigendecomposition comes from, and where it and its kinship go. */
export interface EigenRoute extends FilterOptions, RunOptions {
  /** A kinship to read (text or Arrow) instead of computing one. */
  readonly kinship?: string;
  /** Where to keep the kinship: `.txt` as GEMMA writes it, anything else as Arrow. */
  readonly saveKinship?: string;
  /** How genotypes enter the computed kinship. Default `centered`. */
  readonly kinshipMode?: KinshipMode;
  /** Only these variant ids make the kinship, whatever `snps` lists for the tests. */
  readonly kinshipSnps?: ReadonlySet<string>;
  /**
   * An eigendecomposition to read: a file of `saveEigen`, or GEMMA's two text files. No kinship is made then; one that is
   * read beside it serves as a check.
   */
  readonly eigen?: EigenSource;
  /** Where to keep the eigendecomposition, an Arrow file that belongs to these analysed people. */
  readonly saveEigen?: string;
  /** Variants read at once; the result does not depend on it. */
  readonly chunk?: number;
  /** Receives what is odd but acceptable. */
  readonly onWarning?: Warn;
}

/** Refuses what would be ignored. */
export function checkEigenRoute(
  o: Omit<EigenRoute, "kinshipSnps"> & { readonly kinshipSnps?: unknown },
): void {
  const [read, decomposed] = [o.kinship !== undefined, o.eigen !== undefined];
  for (const [name, given] of [
    ["kinshipMode (-gk)", o.kinshipMode !== undefined],
    ["kinshipSnps (-ksnps)", o.kinshipSnps !== undefined],
  ] as const) {
    refuseBoth(name, given, "kinship (-k)", read, "the kinship is either made or read");
    refuseBoth(name, given, "eigen (-d, -u, --eig)", decomposed, "no kinship is made");
  }
  refuseBoth("saveKinship", o.saveKinship !== undefined, "eigen", decomposed, "no kinship is made");
}

/** An eigendecomposition, and what was found and written on the way. */
export interface Obtained {
  readonly eigen: Eigen;
  readonly twins: TwinFacts | undefined;
  readonly files: string[];
}

/** The eigendecomposition of a cohort: read, or made from a kinship that is read or computed. */
export async function obtainEigen(
  study: PlinkStudy,
  cohort: Cohort,
  o: EigenRoute,
  meter: StageMeter,
): Promise<Obtained> {
  await using K = await obtainKinship(study, cohort, o, meter);
  return await eigenOf(K, cohort, o, meter);
}

/** The kinship of a study, read or computed; none where an eigendecomposition is read alone. */
export async function obtainKinship(
  study: PlinkStudy,
  cohort: Cohort,
  o: EigenRoute,
  meter: StageMeter,
): Promise<Kinship | undefined> {
  if (o.kinship !== undefined)
    return meter.measure("reading kinship", () =>
      Kinship.load(o.kinship!, study, only<KinshipLoadOptions>(o, LOAD_NAMES)),
    );
  if (o.eigen !== undefined) return undefined;
  const mode = o.kinshipMode === undefined ? {} : { mode: o.kinshipMode };
  return meter.measure("kinship", () =>
    kinship(study, cohort, { ...only<KinshipOptions>(o, KINSHIP_NAMES), ...mode }),
  );
}

/** The eigendecomposition of a kinship that is at hand, or read; `keep` leaves the kinship as it is. */
export async function eigenOf(
  K: Kinship | undefined,
  cohort: Cohort,
  o: EigenRoute,
  meter: StageMeter,
  { keep = false }: { keep?: boolean } = {},
): Promise<Obtained> {
  const files: string[] = [];
  const run = only<RunOptions>(o, RUN_NAMES);
  const { saveKinship, saveEigen, eigen: source } = o;
  if (K && saveKinship !== undefined) {
    await meter.measure("writing kinship", () => K.save(saveKinship, run));
    files.push(saveKinship);
  }
  const twins = K ? await kinshipTwins(K, cohort, run) : undefined;
  const found =
    source === undefined
      ? await meter.measure("eigen", () =>
          eigen(K!, cohort, { ...only<EigenOptions>(o, EIGEN_NAMES), consume: !keep }),
        )
      : await meter.measure("reading eigen", () =>
          loadEigen(source, cohort, { ...run, ...(K ? { kinship: K } : {}) }),
        );
  if (saveEigen !== undefined)
    files.push(...(await meter.measure("writing eigen", () => found.save(saveEigen, run))));
  return { eigen: found, twins, files };
}
