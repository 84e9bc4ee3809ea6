import type { RunOptions, StageMeter, Warn } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import type { Cohort } from "./cohort.ts";
import { DUAL_KINSHIP_NAMES, type DualKinshipOptions, dualKinship } from "./dual-kinship.ts";
import { type Decomposition, EIGEN_NAMES, type EigenOptions, eigen } from "./eigen.ts";
import type { FilterOptions } from "./filter.ts";
import { KINSHIP_NAMES, type KinshipOptions, kinship } from "./kinship.ts";
import {
  Kinship,
  type KinshipLoadOptions,
  type KinshipSaveOptions,
  LOAD_NAMES,
  SAVE_NAMES,
} from "./kinship-matrix.ts";
import { only } from "./option-names.ts";
import type { Route } from "./plan.ts";

/** How a study comes by its decomposition. */
interface DecomposeOptions extends FilterOptions, RunOptions {
  readonly route: Route;
  readonly kinship?: string;
  readonly saveKinship?: string;
  readonly kinshipSnps?: ReadonlySet<string>;
  readonly chunk?: number;
  readonly onWarning?: Warn;
}

/** A decomposition, and what must stay alive with it. */
interface Decomposed extends AsyncDisposable {
  readonly eig: Decomposition;
}

/** The kinship of a cohort, read or made, and its decomposition, by either route. */
export async function decompose(
  study: PlinkStudy,
  cohort: Cohort,
  options: DecomposeOptions,
  meter: StageMeter,
): Promise<Decomposed> {
  return options.route === "dual"
    ? await dualDecomposition(study, cohort, options, meter)
    : await primalDecomposition(study, cohort, options, meter);
}

async function primalDecomposition(
  study: PlinkStudy,
  cohort: Cohort,
  options: DecomposeOptions,
  meter: StageMeter,
): Promise<Decomposed> {
  await using K = await meter.measure("kinship", () =>
    options.kinship === undefined
      ? kinship(study, cohort, only<KinshipOptions>(options, KINSHIP_NAMES))
      : Kinship.load(options.kinship, study, only<KinshipLoadOptions>(options, LOAD_NAMES)),
  );
  const { saveKinship } = options;
  if (saveKinship !== undefined)
    await meter.measure("writing kinship", () =>
      K.save(saveKinship, only<KinshipSaveOptions>(options, SAVE_NAMES)),
    );
  const eig = await meter.measure("eigen", () =>
    eigen(K, cohort, { ...only<EigenOptions>(options, EIGEN_NAMES), consume: true }),
  );
  return { eig, [Symbol.asyncDispose]: () => eig[Symbol.asyncDispose]() };
}

async function dualDecomposition(
  study: PlinkStudy,
  cohort: Cohort,
  options: DecomposeOptions,
  meter: StageMeter,
): Promise<Decomposed> {
  const K = await meter.measure("kinship", () =>
    dualKinship(study, cohort, only<DualKinshipOptions>(options, DUAL_KINSHIP_NAMES)),
  );
  try {
    const eig = await meter.measure("eigen", () =>
      eigen(K, cohort, only<EigenOptions>(options, EIGEN_NAMES)),
    );
    const dispose = async (): Promise<void> => {
      await eig[Symbol.asyncDispose]();
      await K[Symbol.asyncDispose]();
    };
    return { eig, [Symbol.asyncDispose]: dispose };
  } catch (e) {
    await K[Symbol.asyncDispose]();
    throw e;
  }
}
