import type { RunOptions, StageMeter } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import type { Cohort } from "./cohort.ts";
import { dualEigen } from "./dual-eigen.ts";
import {
  DUAL_KINSHIP_NAMES,
  type DualKinship,
  type DualKinshipOptions,
  dualKinship,
} from "./dual-kinship.ts";
import type { Decomposition } from "./eigen.ts";
import type { Kinship } from "./kinship-matrix.ts";
import { kinshipTwins, type TwinFacts } from "./kinship-twins.ts";
import { type EigenRoute, eigenOf, obtainEigen, obtainKinship } from "./obtain-eigen.ts";
import { only, RUN_NAMES } from "./option-names.ts";
import type { Route } from "./plan.ts";

/** A decomposition, what must stay alive with it, and what was found and written on the way. */
interface Decomposed extends AsyncDisposable {
  readonly eig: Decomposition;
  readonly twins: TwinFacts | undefined;
  readonly files: string[];
  /** The kinship of all chromosomes, of which each will be left out in turn. */
  readonly whole?: Kinship | DualKinship;
}

/** The kinship of a cohort, read or made, and its decomposition, by either route. */
export async function decompose(
  study: PlinkStudy,
  cohort: Cohort,
  options: EigenRoute & { readonly route: Route; readonly loco?: boolean },
  meter: StageMeter,
): Promise<Decomposed> {
  if (options.route === "dual") return await dualDecomposition(study, cohort, options, meter);
  if (options.loco) return await locoDecomposition(study, cohort, options, meter);
  const { eigen: eig, twins, files } = await obtainEigen(study, cohort, options, meter);
  return { eig, twins, files, [Symbol.asyncDispose]: () => eig[Symbol.asyncDispose]() };
}

async function locoDecomposition(
  study: PlinkStudy,
  cohort: Cohort,
  options: EigenRoute,
  meter: StageMeter,
): Promise<Decomposed> {
  const whole = (await obtainKinship(study, cohort, options, meter))!;
  try {
    const { eigen: eig, twins, files } = await eigenOf(whole, cohort, options, meter, { keep: true });
    const dispose = async (): Promise<void> => {
      await eig[Symbol.asyncDispose]();
      await whole[Symbol.asyncDispose]();
    };
    return { eig, twins, files, whole, [Symbol.asyncDispose]: dispose };
  } catch (e) {
    await whole[Symbol.asyncDispose]();
    throw e;
  }
}

async function dualDecomposition(
  study: PlinkStudy,
  cohort: Cohort,
  options: EigenRoute & { readonly loco?: boolean },
  meter: StageMeter,
): Promise<Decomposed> {
  const K = await meter.measure("kinship", () =>
    dualKinship(study, cohort, only<DualKinshipOptions>(options, DUAL_KINSHIP_NAMES)),
  );
  try {
    const twins = await meter.measure("twins", () =>
      kinshipTwins(K, cohort, only<RunOptions>(options, RUN_NAMES)),
    );
    const eig = await meter.measure("eigen", () =>
      dualEigen(K, cohort, { ...only<RunOptions>(options, RUN_NAMES), keep: options.loco === true }),
    );
    const dispose = async (): Promise<void> => {
      await eig[Symbol.asyncDispose]();
      await K[Symbol.asyncDispose]();
    };
    const whole = options.loco ? { whole: K } : {};
    return { eig, twins, files: [], ...whole, [Symbol.asyncDispose]: dispose };
  } catch (e) {
    await K[Symbol.asyncDispose]();
    throw e;
  }
}
