import {
  baselineBytes,
  checkRange,
  type MemoryPart,
  type MemoryPlan,
  memoryLimit,
  requireMemory,
} from "@x/core/base";
import { lmmError } from "./errors.ts";
import { checkNames, type NamesOf } from "./option-names.ts";
import type { Stage } from "./plan-blocks.ts";
import { dualStages } from "./plan-dual.ts";
import { primalStages } from "./plan-primal.ts";

export { dualAssociationParts, dualEigenParts, dualKinshipParts } from "./plan-dual.ts";
export { associationParts, eigenParts, kinshipParts } from "./plan-primal.ts";

/** How large a study is; people in the .fam and those analysed may differ. */
export interface StudySize {
  /** People in the .fam. */
  readonly samples: number;
  /** Variants in the .bim. */
  readonly variants: number;
  /** People with phenotype and covariates. Default: all. */
  readonly analyzed?: number;
  /** Variants that make the kinship; only the time depends on it. Default: all. */
  readonly kinshipVariants?: number;
  /** Covariate columns with the intercept. Default 1. */
  readonly covariates?: number;
  /** Traits of one multivariate model. Default 1. */
  readonly jointTraits?: number;
  /** Chromosomes left out in turn (`loco`); 0 for one kinship of all. Default 0. */
  readonly loco?: number;
  /** Phenotypes tested in one pass. Default 1. */
  readonly traits?: number;
  /** Whether the kinship sums real numbers: `-gk 2`, or dosages. Default false. */
  readonly real?: boolean;
  /** Whether interactions with an environment are tested (`-gxe`). Default false. */
  readonly environment?: boolean;
  /** Default: 2. */
  readonly threads?: number;
  /** Variants a block. Default 4096. */
  readonly chunk?: number;
  /**
   * Default `auto`: dual where it is predicted to save a core-second or more; where a limit is given and only one route is
   * below it, that one.
   */
  readonly route?: RouteChoice;
}

/** A way to the same numbers: `primal` solves people × people, `dual` kinship variants × kinship variants. */
export type Route = "primal" | "dual";

/** A route, or `auto`: the one that is predicted to be quicker among those that fit. */
export type RouteChoice = Route | "auto";

const SIZE_NAMES: NamesOf<StudySize> = {
  samples: true,
  variants: true,
  analyzed: true,
  kinshipVariants: true,
  covariates: true,
  jointTraits: true,
  loco: true,
  traits: true,
  real: true,
  environment: true,
  threads: true,
  chunk: true,
  route: true,
};

/** One stage of a plan. */
export interface StagePlan {
  /** Which one. */
  readonly stage: "kinship" | "eigen" | "association";
  /** Parts alive in this stage and their sum. */
  readonly memory: MemoryPlan;
  /** A rough guess at two 2020s cores; nothing is promised. */
  readonly hours: number;
}

/** What a whole GWAS will need by one route. */
export interface RoutePlan {
  /** `primal`: GEMMA's n × n eigendecomposition; `dual`: the p × p one of the kinship's variants. Both are exact. */
  readonly route: Route;
  /** Each stage by itself. */
  readonly stages: readonly StagePlan[];
  /** The parts alive at the peak. */
  readonly memory: MemoryPlan;
  /** Rough hours of all stages. */
  readonly hours: number;
}

/** What a whole GWAS will need by the route taken, and what the other would. */
export interface GwasPlan extends RoutePlan {
  /** The route not taken. */
  readonly other: RoutePlan;
  /** What helps where a study of this size does not fit; undefined below 20 GB. */
  readonly cheaper: string | undefined;
}

export const ROUTES: readonly RouteChoice[] = ["auto", "primal", "dual"];
/** Core-seconds that the dual route must be predicted to save: small studies stay with GEMMA's own way. */
const WORTH_IT = 1;
const MIB = 2 ** 20;
/** Node with our packages loaded, and what its heap grows by while a study runs. */
const NODE_BYTES = 135 * MIB;
/** Strings and numbers of one line of the .bim, and of one of the .fam with its hash tables. */
const VARIANT_BYTES = 130;
const SAMPLE_BYTES = 420;
const DEFAULT_CHUNK = 4096;
const SMALLEST_CHUNK = 64;

/** The largest block of variants, 4096 at most, whose plan fits; asks for less before a run is refused. */
export function fitChunk(
  options: { chunk?: number; memoryLimit?: number },
  parts: (chunk: number) => MemoryPart[],
): number {
  let chunk = checkedChunk(options.chunk);
  const limit = memoryLimit({ memoryLimit: options.memoryLimit }).bytes;
  while (chunk > SMALLEST_CHUNK && withProcess(parts(chunk)).total > limit)
    chunk = Math.max(SMALLEST_CHUNK, chunk >> 1);
  requireParts(parts(chunk), options);
  return chunk;
}

function checkedChunk(chunk: number | undefined): number {
  if (chunk === undefined) return DEFAULT_CHUNK;
  return checkRange("chunk", chunk, { min: 1, max: 1_000_000, integer: true });
}

/** @throws MEM_PREFLIGHT when the parts and what the process holds already do not fit. */
export function requireParts(parts: readonly MemoryPart[], options: { memoryLimit?: number }): void {
  requireMemory(withProcess(parts), { ...limitOf(options), hint: waysOut(options) });
}

function withProcess(parts: readonly MemoryPart[]): MemoryPlan {
  return plan([{ name: "this process so far", bytes: baselineBytes() }, ...parts]);
}

function plan(parts: readonly MemoryPart[]): MemoryPlan {
  return { parts, total: parts.reduce((sum, p) => sum + p.bytes, 0) };
}

const limitOf = (o: { memoryLimit?: number | undefined }) => ({ memoryLimit: o.memoryLimit });

/** What helps a study that does not fit: only what this version can do, and what it cannot, marked as such. */
function waysOut(
  options: { memoryLimit?: number | undefined },
  size?: { samples: number; kinshipVariants: number; route: Route },
): string {
  const limit = memoryLimit(limitOf(options));
  if (limit.bytes < NODE_BYTES)
    return `The limit is below what Node itself takes with our packages (${Math.round(NODE_BYTES / 1e6)} MB): no study fits, raise it.`;
  const ways = [
    ...(size?.route === "dual"
      ? []
      : [
          "analyse fewer people (the peak grows with their square)",
          "where most people of the .fam are not analysed, make a fileset of the analysed ones",
          "read a kinship made elsewhere (-k), which spares the blocks of its sums but not the matrix",
        ]),
    limit.source === "memoryLimit"
      ? "allow more with --memory-limit, if the machine has it"
      : "use a machine with more memory",
  ];
  const dual =
    size?.route === "primal" && size.kinshipVariants < size.samples
      ? " The dual route (--route dual) is exact with 16 p² bytes for a kinship of p variants."
      : "";
  const fewer =
    size?.route === "dual" ? " A kinship of fewer variants (-ksnps) takes the square of their number." : "";
  return `What helps: ${ways.join("; ")}.${dual}${fewer}`;
}

/**
 * What a GWAS of this size will need, without doing or allocating anything: memory of each stage, the parts alive at
 * the peak, and a rough time, by the route that is predicted to be quicker (or the one asked for), and by the other;
 * `only` leaves stages out, `limit` (bytes) passes over a route that does not fit where the other does.
 * @throws OPTION_RANGE for sizes that are no whole numbers or do not fit together, UNKNOWN_OPTION.
 */
export function planGwas(
  size: StudySize,
  only?: ReadonlyArray<StagePlan["stage"]>,
  limit: number = Number.POSITIVE_INFINITY,
): GwasPlan {
  const s = withDefaults(size);
  const [primal, dual] = [
    planRoute("primal", primalStages(s), s, only),
    planRoute("dual", dualStages(s), s, only),
  ];
  const fits = (p: RoutePlan): boolean => p.memory.total <= limit;
  // Core-seconds: the choice, and with it the last bits, must not depend on the threads.
  const saved = (primal.hours - dual.hours) * 3600 * s.threads;
  const quicker = saved > WORTH_IT ? dual : primal;
  const slower = quicker === dual ? primal : dual;
  const best = fits(quicker) || !fits(slower) ? quicker : slower;
  const chosen = s.route === "auto" ? best : s.route === "dual" ? dual : primal;
  const { route } = chosen;
  return {
    ...chosen,
    other: chosen === dual ? primal : dual,
    cheaper: chosen.memory.total > 2e10 ? waysOut({}, { ...s, route }) : undefined,
  };
}

function planRoute(
  route: Route,
  all: readonly Stage[],
  s: Required<StudySize>,
  only: ReadonlyArray<StagePlan["stage"]> | undefined,
): RoutePlan {
  const process_: MemoryPart[] = [
    { name: "Node and packages", bytes: NODE_BYTES },
    { name: "people and variants", bytes: s.samples * SAMPLE_BYTES + s.variants * VARIANT_BYTES },
  ];
  const results = { name: "results, for report and Arrow file", bytes: 150 * s.variants };
  const stages = all
    .filter(({ stage }) => only?.includes(stage) ?? true)
    .map(({ stage, parts, coreSeconds }) => ({
      stage,
      memory: plan([...process_, ...parts, ...(stage === "association" ? [results] : [])]),
      hours: coreSeconds / (s.threads * 3600),
    }));
  const memory = stages.reduce((a, b) => (b.memory.total > a.memory.total ? b : a)).memory;
  return { route, stages, memory, hours: stages.reduce((sum, stage) => sum + stage.hours, 0) };
}

/** The plan with the largest block of variants that fits. @throws MEM_PREFLIGHT when the smallest does not. */
export function fitGwas(
  size: StudySize,
  options: { chunk?: number; memoryLimit?: number; stages?: ReadonlyArray<StagePlan["stage"]> },
): { plan: GwasPlan; chunk: number } {
  let chunk = checkedChunk(options.chunk);
  const limit = memoryLimit({ memoryLimit: options.memoryLimit }).bytes;
  const smallest = { ...size, chunk: Math.min(chunk, SMALLEST_CHUNK) };
  const { route } = planGwas(smallest, options.stages, limit);
  let fitted = planGwas({ ...size, route, chunk }, options.stages);
  while (chunk > SMALLEST_CHUNK && fitted.memory.total > limit) {
    chunk = Math.max(SMALLEST_CHUNK, chunk >> 1);
    fitted = planGwas({ ...size, route, chunk }, options.stages);
  }
  requirePlan(fitted, size, options);
  return { plan: fitted, chunk };
}

/** @throws MEM_PREFLIGHT when the plan of a study of this size does not fit. */
export function requirePlan(
  { memory, route }: GwasPlan,
  size: StudySize,
  options: { memoryLimit?: number | undefined },
): void {
  requireMemory(memory, { ...limitOf(options), hint: waysOut(options, { ...withDefaults(size), route }) });
}

function withDefaults(size: StudySize): Required<StudySize> {
  checkNames(size, SIZE_NAMES, "planGwas");
  const whole = (name: keyof StudySize, value: number | undefined, min: number, max: number): number =>
    checkRange(name, value, { min, max, integer: true });
  const samples = whole("samples", size.samples, 1, 1e8);
  const variants = whole("variants", size.variants, 1, 1e10);
  return {
    samples,
    variants,
    analyzed: whole("analyzed", size.analyzed ?? samples, 1, samples),
    kinshipVariants: whole("kinshipVariants", size.kinshipVariants ?? variants, 1, variants),
    covariates: whole("covariates", size.covariates ?? 1, 1, 1e5),
    jointTraits: whole("jointTraits", size.jointTraits ?? 1, 1, 10),
    loco: whole("loco", size.loco ?? 0, 0, 1e6),
    traits: whole("traits", size.traits ?? 1, 1, 1e6),
    real: size.real ?? false,
    environment: size.environment ?? false,
    threads: whole("threads", size.threads ?? 2, 1, 1024),
    chunk: checkedChunk(size.chunk),
    route: checkRoute(size.route),
  };
}

/** @throws OPTION_RANGE for another word. */
export function checkRoute(route: RouteChoice | undefined): RouteChoice {
  if (route === undefined || ROUTES.includes(route)) return route ?? "auto";
  throw lmmError(
    "OPTION_RANGE",
    `route must be one of ${ROUTES.join(", ")}; ${JSON.stringify(route)} given.`,
    {
      usage: true,
      details: { option: "route", value: route },
    },
  );
}

/** The memory part of {@link planGwas}: the parts alive at the peak, and their sum. */
export function estimateMemory(size: StudySize): MemoryPlan {
  return planGwas(size).memory;
}
