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
  const { kinship, ...others_ } = rest;
  const { twins, ...spectrum } = kinship;
  const head = { end: true, ...others_, kinship: { ...named(spectrum), twins }, cohort: people };
  return { head: { ...head, nullModel: named(numbers), arrays }, body };
}

/** The facts of {@link encodeFacts}. */
export function decodeFacts(frame: Frame): ShardFacts {
  const { cohort, nullModel, ...rest } = frame.head as unknown as Stored;
  const { beta, betaSe, ...arrays } = unpackArrays<
    Pick<Cohort, "analyzed" | "mask" | "y" | "w" | "environment"> & Pick<NullModel, "beta" | "betaSe">
  >(frame);
  const { twins, ...spectrum } = rest.kinship;
  const kinship = { ...numbered(spectrum), twins };
  return {
    ...rest,
    kinship,
    cohort: { ...cohort, ...arrays },
    nullModel: { ...numbered(nullModel), beta, betaSe },
  };
}

/** Numbers as JSON can hold them: those that are not finite by name. */
function named<T extends object>(numbers: T): T {
  return map(numbers, (x) => (typeof x === "number" && !Number.isFinite(x) ? String(x) : x));
}

/** The numbers of {@link named}. */
function numbered<T extends object>(numbers: T): T {
  return map(numbers, (x) => (typeof x === "string" ? Number(x) : x));
}

function map<T extends object>(numbers: T, change: (x: unknown) => unknown): T {
  return Object.fromEntries(
    Object.entries(numbers).map(([name, x]) => [
      name,
      x !== null && typeof x === "object" ? map(x, change) : change(x),
    ]),
  ) as T;
}
