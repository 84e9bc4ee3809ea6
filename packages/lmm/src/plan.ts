import {
  baselineBytes,
  checkRange,
  type MemoryPart,
  type MemoryPlan,
  memoryLimit,
  requireMemory,
} from "@x/core/base";
import { DOSAGE_BYTES } from "./bimbam.ts";
import { COVARIATE_TILE_BYTES } from "./covariate-r2.ts";
import { associationBytes, dosageGramBytes, eigenBytes, gramBytes } from "./native.ts";
import { checkNames, type NamesOf } from "./option-names.ts";

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
  /** Phenotypes tested in one pass. Default 1. */
  readonly traits?: number;
  /** Whether interactions with an environment are tested (`-gxe`). Default false. */
  readonly environment?: boolean;
  /** Default: 2. */
  readonly threads?: number;
  /** Variants a block. Default 4096. */
  readonly chunk?: number;
}

const SIZE_NAMES: NamesOf<StudySize> = {
  samples: true,
  variants: true,
  analyzed: true,
  kinshipVariants: true,
  covariates: true,
  traits: true,
  environment: true,
  threads: true,
  chunk: true,
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

/** What a whole GWAS will need. */
export interface GwasPlan {
  /** `primal`: the n × n eigendecomposition, exact and GEMMA's own route; the only one of this version. */
  readonly route: "primal";
  /** Each stage by itself. */
  readonly stages: readonly StagePlan[];
  /** The parts alive at the peak. */
  readonly memory: MemoryPlan;
  /** Rough hours of all stages. */
  readonly hours: number;
  /** What helps where a study of this size does not fit; undefined below 20 GB. */
  readonly cheaper: string | undefined;
}

const MIB = 2 ** 20;
/** Node with our packages loaded, and what its heap grows by while a study runs. */
const NODE_BYTES = 135 * MIB;
/** Strings and numbers of one line of the .bim, and of one of the .fam with its hash tables. */
const VARIANT_BYTES = 130;
const SAMPLE_BYTES = 420;
/** A tile that is made while the one before is written, and what gathers them. */
const WRITE_BYTES = 32 * MIB;
const DEFAULT_CHUNK = 4096;
const SMALLEST_CHUNK = 64;
/** Two blocks of packed genotypes (one is read while one is worked on) and their masks. */
function blockBytes(samples: number, chunk: number): number {
  return 3 * chunk * Math.ceil(samples / 4);
}

/** Memory of {@link kinship} beyond what the process holds already. */
export function kinshipParts(s: {
  samples: number;
  chunk: number;
  threads: number;
  covariates?: number;
  /** Sums of real numbers, not of bit planes: dosages, or genotypes divided by their deviation. */
  real?: boolean;
}): MemoryPart[] {
  const matrix = 8 * s.samples ** 2;
  return [
    { name: "kinship, 8 n²", bytes: matrix },
    s.real
      ? {
          name: "dosages of a block",
          bytes: dosageGramBytes(s.samples) - matrix + 3 * Math.max(DOSAGE_BYTES, 8 * s.samples),
        }
      : { name: "bit planes of a block", bytes: gramBytes(s.samples) - matrix + s.threads * 320 * 1024 },
    { name: "genotype blocks", bytes: blockBytes(s.samples, s.chunk) },
    { name: "buffers of the file written", bytes: Math.min(2 * matrix, WRITE_BYTES) },
    ...covariateTest(s),
  ];
}

/** Memory of {@link eigen} beyond what the process holds already (the kinship itself among it). */
export function eigenParts(s: { analyzed: number; threads: number; copy: boolean }): MemoryPart[] {
  const matrix = 8 * s.analyzed ** 2;
  return [
    ...(s.copy ? [{ name: "kinship of the analysed, 8 m²", bytes: matrix }] : []),
    { name: "eigenvectors, 8 m²", bytes: matrix },
    { name: "eigensolver workspace", bytes: eigenBytes(s.analyzed, s.threads) - 2 * matrix },
  ];
}

/** Memory of {@link associate} beyond what the process holds already (the eigenvectors among it). */
export function associationParts(s: {
  samples: number;
  analyzed: number;
  covariates: number;
  threads: number;
  chunk: number;
  /** Phenotypes tested together. Default 1. */
  traits?: number;
  /** Whether an interaction is tested. */
  environment?: boolean;
}): MemoryPart[] {
  const { analyzed: n, covariates: c, traits = 1, environment = false, threads } = s;
  return [
    { name: "rotated columns and buffers", bytes: associationBytes({ n, c, traits, environment }, threads) },
    { name: "genotype blocks", bytes: blockBytes(s.samples, s.chunk) },
    ...covariateTest(s),
  ];
}

function covariateTest(s: { covariates?: number }): MemoryPart[] {
  return (s.covariates ?? 1) > 1
    ? [{ name: "test against covariates", bytes: 3 * COVARIATE_TILE_BYTES }]
    : [];
}

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
  size?: { samples: number; kinshipVariants: number },
): string {
  const limit = memoryLimit(limitOf(options));
  if (limit.bytes < NODE_BYTES)
    return `The limit is below what Node itself takes with our packages (${Math.round(NODE_BYTES / 1e6)} MB): no study fits, raise it.`;
  const ways = [
    "analyse fewer people (the peak grows with their square)",
    "where most people of the .fam are not analysed, make a fileset of the analysed ones",
    "read a kinship made elsewhere (-k), which spares the blocks of its sums but not the matrix",
    limit.source === "memoryLimit"
      ? "allow more with --memory-limit, if the machine has it"
      : "use a machine with more memory",
  ];
  const dual =
    size && size.kinshipVariants < size.samples
      ? " Not in this version: the p × p dual, exact with 16 p² bytes, for a kinship of fewer variants (p) than people (n)."
      : "";
  return `What helps: ${ways.join("; ")}.${dual}`;
}

/**
 * What a GWAS of this size will need, without doing or allocating anything: memory of each stage, the parts alive at
 * the peak, and a rough time; `only` leaves stages out.
 * @throws OPTION_RANGE for sizes that are no whole numbers or do not fit together, UNKNOWN_OPTION.
 */
export function planGwas(size: StudySize, only?: ReadonlyArray<StagePlan["stage"]>): GwasPlan {
  const s = withDefaults(size);
  const { samples: n, analyzed: m } = s;
  const process_: MemoryPart[] = [
    { name: "Node and packages", bytes: NODE_BYTES },
    { name: "people and variants", bytes: s.samples * SAMPLE_BYTES + s.variants * VARIANT_BYTES },
  ];
  const results = { name: "results, for report and Arrow file", bytes: 150 * s.variants };
  const kinship = plan([...process_, ...kinshipParts(s)]);
  const cut = plan([
    ...process_,
    { name: "kinship, 8 n²", bytes: 8 * n * n },
    { name: "kinship of the analysed, 8 m²", bytes: 8 * m * m },
  ]);
  const solve = plan([...process_, ...eigenParts({ ...s, copy: true })]);
  const eigen = n !== m && cut.total > solve.total ? cut : solve;
  const association = plan([
    ...process_,
    { name: "eigenvectors, 8 m²", bytes: 8 * m * m },
    ...associationParts(s),
    results,
  ]);
  const cores = s.threads * 3600;
  const all: StagePlan[] = [
    { stage: "kinship", memory: kinship, hours: (n * n * s.kinshipVariants) / 2 / (1.2e11 * cores) },
    { stage: "eigen", memory: eigen, hours: (m ** 3 * 1.6e-10) / cores },
    {
      stage: "association",
      memory: association,
      hours: (s.variants * (2 * m * m * 2.5e-11 + m * 2.5e-8)) / cores,
    },
  ];
  const stages = all.filter(({ stage }) => only?.includes(stage) ?? true);
  const memory = stages.reduce((a, b) => (b.memory.total > a.memory.total ? b : a)).memory;
  return {
    route: "primal",
    stages,
    memory,
    hours: stages.reduce((sum, stage) => sum + stage.hours, 0),
    cheaper: memory.total > 2e10 ? waysOut({}, s) : undefined,
  };
}

/** The plan with the largest block of variants that fits. @throws MEM_PREFLIGHT when the smallest does not. */
export function fitGwas(
  size: StudySize,
  options: { chunk?: number; memoryLimit?: number; stages?: ReadonlyArray<StagePlan["stage"]> },
): { plan: GwasPlan; chunk: number } {
  let chunk = checkedChunk(options.chunk);
  const limit = memoryLimit({ memoryLimit: options.memoryLimit }).bytes;
  let fitted = planGwas({ ...size, chunk }, options.stages);
  while (chunk > SMALLEST_CHUNK && fitted.memory.total > limit) {
    chunk = Math.max(SMALLEST_CHUNK, chunk >> 1);
    fitted = planGwas({ ...size, chunk }, options.stages);
  }
  requirePlan(fitted, size, options);
  return { plan: fitted, chunk };
}

/** @throws MEM_PREFLIGHT when the plan of a study of this size does not fit. */
export function requirePlan(
  { memory }: GwasPlan,
  size: StudySize,
  options: { memoryLimit?: number | undefined },
): void {
  requireMemory(memory, { ...limitOf(options), hint: waysOut(options, withDefaults(size)) });
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
    traits: whole("traits", size.traits ?? 1, 1, 1e6),
    environment: size.environment ?? false,
    threads: whole("threads", size.threads ?? 2, 1, 1024),
    chunk: checkedChunk(size.chunk),
  };
}

/** The memory part of {@link planGwas}: the parts alive at the peak, and their sum. */
export function estimateMemory(size: StudySize): MemoryPlan {
  return planGwas(size).memory;
}
