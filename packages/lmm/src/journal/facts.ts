import type { Warning } from "@x/core/base";
import type { LocoChromosome } from "../associate-loco.ts";
import type { AssociationTest } from "../association-columns.ts";
import type { Cohort } from "../cohort.ts";
import type { KinshipCondition } from "../diagnostics.ts";
import type { GwasOptions } from "../gwas-options.ts";
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
  /** With `loco`, what this call tested each chromosome with. */
  readonly chromosomes?: readonly LocoChromosome[];
  readonly lambda: LambdaOptions;
}

type StoredModel = Omit<NullModel, "beta" | "betaSe"> & { beta: number[]; betaSe: number[] };

type Stored = Omit<ShardFacts, "cohort" | "nullModel" | "chromosomes"> & {
  chromosomes?: ReadonlyArray<Omit<LocoChromosome, "nullModel"> & { nullModel: StoredModel }>;
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
  const { kinship, chromosomes, ...facts } = rest;
  const { twins, ...spectrum } = kinship;
  const head = { end: true, ...facts, kinship: { ...named(spectrum), twins }, cohort: people };
  const each = chromosomes?.map(({ nullModel: h0, ...of }) => ({
    ...of,
    nullModel: named({ ...h0, beta: [...h0.beta], betaSe: [...h0.betaSe] }),
  }));
  return {
    head: { ...head, ...(each ? { chromosomes: each } : {}), nullModel: named(numbers), arrays },
    body,
  };
}

/** The facts of {@link encodeFacts}. */
export function decodeFacts(frame: Frame): ShardFacts {
  const { cohort, nullModel, chromosomes, ...rest } = frame.head as unknown as Stored;
  const { beta, betaSe, ...arrays } = unpackArrays<
    Pick<Cohort, "analyzed" | "mask" | "y" | "w" | "environment"> & Pick<NullModel, "beta" | "betaSe">
  >(frame);
  const { twins, ...spectrum } = rest.kinship;
  const kinship = { ...numbered(spectrum), twins };
  const each = chromosomes?.map(({ nullModel: { beta: b, betaSe: se, ...h0 }, ...of }) => ({
    ...of,
    nullModel: { ...numbered(h0), beta: Float64Array.from(b, Number), betaSe: Float64Array.from(se, Number) },
  }));
  return {
    ...rest,
    kinship,
    ...(each ? { chromosomes: each } : {}),
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
      Array.isArray(x) ? x.map(change) : x !== null && typeof x === "object" ? map(x, change) : change(x),
    ]),
  ) as T;
}
