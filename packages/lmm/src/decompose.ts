import type { StageMeter } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import type { Cohort } from "./cohort.ts";
import { DUAL_KINSHIP_NAMES, type DualKinshipOptions, dualKinship } from "./dual-kinship.ts";
import { type Decomposition, EIGEN_NAMES, type EigenOptions, eigen } from "./eigen.ts";
import type { TwinFacts } from "./kinship-twins.ts";
import { type EigenRoute, obtainEigen } from "./obtain-eigen.ts";
import { only } from "./option-names.ts";
import type { Route } from "./plan.ts";

/** A decomposition, what must stay alive with it, and what was found and written on the way. */
interface Decomposed extends AsyncDisposable {
  readonly eig: Decomposition;
  readonly twins: TwinFacts | undefined;
  readonly files: string[];
}

/** The kinship of a cohort, read or made, and its decomposition, by either route. */
export async function decompose(
  study: PlinkStudy,
  cohort: Cohort,
  options: EigenRoute & { readonly route: Route },
  meter: StageMeter,
): Promise<Decomposed> {
  if (options.route === "dual") return await dualDecomposition(study, cohort, options, meter);
  const { eigen: eig, twins, files } = await obtainEigen(study, cohort, options, meter);
  return { eig, twins, files, [Symbol.asyncDispose]: () => eig[Symbol.asyncDispose]() };
}

async function dualDecomposition(
  study: PlinkStudy,
  cohort: Cohort,
  options: EigenRoute,
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
    return { eig, twins: undefined, files: [], [Symbol.asyncDispose]: dispose };
  } catch (e) {
    await K[Symbol.asyncDispose]();
    throw e;
  }
}
