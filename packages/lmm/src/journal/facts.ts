import type { Warning } from "@x/core/base";
import type { AssociationTest } from "../association-columns.ts";
import type { Cohort } from "../cohort.ts";
import type { KinshipCondition } from "../diagnostics.ts";
import type { GwasOptions } from "../gwas.ts";
import type { LambdaOptions, NullModel } from "../null-model.ts";
import type { GwasPlan } from "../plan.ts";
import { packArrays, unpackArrays } from "./arrays.ts";
import type { Frame } from "./frames.ts";

/** What a shard knows besides its results, so that the merged run has a log and a report like any other. */
export interface ShardFacts {
  readonly fileset: string;
  readonly command: string;
  /** What the text file and the report show of the options. */
  readonly shown: Pick<GwasOptions, "lmm" | "negLog10P" | "miss" | "maf" | "hwe" | "r2"> & {
    readonly tests: readonly AssociationTest[];
  };
  readonly plan: GwasPlan;
  readonly warnings: readonly Warning[];
  readonly cohort: Omit<Cohort, "dropped">;
  readonly nullModel: NullModel;
  readonly kinship: KinshipCondition;
  readonly lambda: LambdaOptions;
}

type Stored = Omit<ShardFacts, "cohort" | "nullModel"> & {
  cohort: Omit<Cohort, "dropped" | "analyzed" | "mask" | "y" | "w" | "environment">;
  nullModel: Omit<NullModel, "beta" | "betaSe">;
};

/** The facts as the last frame of a shard. */
export function encodeFacts({ cohort, nullModel, ...rest }: ShardFacts): Frame {
  const { analyzed, mask, y, w, environment, ...others } = cohort;
  const { samples, covariateNames, categories, phenotypeName, sampleHash, hash, drops } = others;
  const { beta, betaSe, ...numbers } = nullModel;
  const environments = environment ? { environment } : {};
  const { arrays, body } = packArrays({ analyzed, mask, y, w, ...environments, beta, betaSe });
  const people = { samples, covariateNames, categories, phenotypeName, sampleHash, hash, drops };
  return { head: { end: true, ...rest, cohort: people, nullModel: numbers, arrays }, body };
}

/** The facts of {@link encodeFacts}. */
export function decodeFacts(frame: Frame): ShardFacts {
  const { cohort, nullModel, ...rest } = frame.head as unknown as Stored;
  const { beta, betaSe, ...arrays } = unpackArrays<
    Pick<Cohort, "analyzed" | "mask" | "y" | "w" | "environment"> & Pick<NullModel, "beta" | "betaSe">
  >(frame);
  return { ...rest, cohort: { ...cohort, ...arrays }, nullModel: { ...nullModel, beta, betaSe } };
}
