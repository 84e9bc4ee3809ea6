import { baselineBytes, checkRange, memoryLimit, type MemoryPart, type MemoryPlan, requireMemory } from "@x/core/base";

/** How large a study is; people in the .fam and those analysed may differ. */
export interface StudySize {
  readonly samples: number;
  readonly variants: number;
  /** People with phenotype and covariates. Default: all. */
  readonly analyzed?: number;
  /** Variants that make the kinship; only the time depends on it. Default: all. */
  readonly kinshipVariants?: number;
  /** Covariate columns with the intercept. Default 1. */
  readonly covariates?: number;
  /** Default: 2. */
  readonly threads?: number;
  /** Variants a block. Default 4096. */
  readonly chunk?: number;
}

/** One stage of a plan. */
export interface StagePlan {
  readonly stage: "kinship" | "eigen" | "association";
  readonly memory: MemoryPlan;
  /** A rough guess at two 2020s cores; nothing is promised. */
  readonly hours: number;
}

/** What a whole GWAS will need. */
export interface GwasPlan {
  /** `primal`: the n × n eigendecomposition, exact and GEMMA's own route; the only one of this version. */
  readonly route: "primal";
  readonly stages: readonly StagePlan[];
  /** The parts alive at the peak. */
  readonly memory: MemoryPlan;
  readonly hours: number;
  /** The cheaper way for a study of this size, in one sentence; undefined where there is none. */
  readonly cheaper: string | undefined;
}

const MIB = 2 ** 20;
/** Node with our packages loaded, and what its heap grows by while a study runs. */
const NODE_BYTES = 110 * MIB;
/** Strings and numbers of one line of the .bim, and of one of the .fam with its hash tables. */
const VARIANT_BYTES = 130;
const SAMPLE_BYTES = 420;
const DEFAULT_CHUNK = 4096;
const SMALLEST_CHUNK = 64;
/** Sizes below are those of the kernels (native/crates/genotype, dense, lmm). */
const GRAM_BLOCK = 8192;
const GRAM_TILE = 256;
const EIGEN_LINEAR = 8 * 400;
const EIGEN_THREAD = 3 * MIB;

/** Two blocks of packed genotypes (one is read while one is worked on) and their masks. */
function blockBytes(samples: number, chunk: number): number {
  return 3 * chunk * Math.ceil(samples / 4);
}

/** Memory of {@link kinship} beyond what the process holds already. */
export function kinshipParts(s: { samples: number; chunk: number; threads: number }): MemoryPart[] {
  const stride = Math.ceil(s.samples / GRAM_TILE) * (GRAM_TILE / 4);
  return [
    { name: "kinship, 8 n²", bytes: 8 * s.samples ** 2 },
    { name: "bit planes of a block", bytes: GRAM_BLOCK * stride + s.samples * (GRAM_BLOCK / 4) + s.threads * 320 * 1024 },
    { name: "genotype blocks", bytes: blockBytes(s.samples, s.chunk) },
  ];
}

/** Memory of {@link eigen} beyond what the process holds already (the kinship itself among it). */
export function eigenParts(s: { analyzed: number; threads: number; copy: boolean }): MemoryPart[] {
  const { analyzed: n } = s;
  return [
    ...(s.copy ? [{ name: "kinship of the analysed, 8 m²", bytes: 8 * n * n }] : []),
    { name: "eigenvectors, 8 m²", bytes: 8 * n * n },
    { name: "eigensolver workspace", bytes: EIGEN_LINEAR * n + s.threads * (EIGEN_THREAD + 8 * 64 * n) },
  ];
}

/** Memory of {@link associate} beyond what the process holds already (the eigenvectors among it). */
export function associationParts(s: {
  samples: number;
  analyzed: number;
  covariates: number;
  threads: number;
  chunk: number;
}): MemoryPart[] {
  const c = s.covariates;
  const shared = 8 * s.analyzed * (2 + c + ((c + 1) * (c + 2)) / 2 + 24);
  const perThread = 8 * s.analyzed * (48 * 2 + 4 * (c + 2) + 8) + MIB;
  return [
    { name: "rotated columns and buffers", bytes: shared + s.threads * perThread },
    { name: "genotype blocks", bytes: blockBytes(s.samples, s.chunk) },
    ...(c > 1 ? [{ name: "test against covariates", bytes: 80 * MIB }] : []),
  ];
}

/** The largest block of variants, 4096 at most, whose plan fits; asks for less before a run is refused. */
export function fitChunk(
  options: { chunk?: number; memoryLimit?: number },
  parts: (chunk: number) => MemoryPart[],
): number {
  let chunk = checkedChunk(options.chunk);
  const limit = memoryLimit({ memoryLimit: options.memoryLimit }).bytes;
  while (chunk > SMALLEST_CHUNK && withProcess(parts(chunk)).total > limit) chunk = Math.max(SMALLEST_CHUNK, chunk >> 1);
  requireParts(parts(chunk), options);
  return chunk;
}

function checkedChunk(chunk: number | undefined): number {
  if (chunk === undefined) return DEFAULT_CHUNK;
  return checkRange("chunk", chunk, { min: 1, max: 1_000_000, integer: true });
}

/** @throws MEM_PREFLIGHT when the parts and what the process holds already do not fit. */
export function requireParts(parts: readonly MemoryPart[], options: { memoryLimit?: number }): void {
  requireMemory(withProcess(parts), { memoryLimit: options.memoryLimit, hint: CHEAPER });
}

function withProcess(parts: readonly MemoryPart[]): MemoryPlan {
  return plan([{ name: "this process so far", bytes: baselineBytes() }, ...parts]);
}

function plan(parts: readonly MemoryPart[]): MemoryPlan {
  return { parts, total: parts.reduce((sum, p) => sum + p.bytes, 0) };
}

const CHEAPER =
  "Cheaper: make the kinship from fewer variants than people (a pruned set of m variants); its m × m dual is exact " +
  "and needs 16 m² bytes instead of 16 n². This version does not have that route yet; leave people out, or use a machine with more memory.";

/**
 * What a GWAS of this size will need, without doing or allocating anything: memory of each stage, the parts alive at
 * the peak, and a rough time.
 */
export function planGwas(size: StudySize): GwasPlan {
  const s = withDefaults(size);
  const { samples: n, analyzed: m } = s;
  const process_: MemoryPart[] = [
    { name: "Node and packages", bytes: NODE_BYTES },
    { name: "people and variants", bytes: s.samples * SAMPLE_BYTES + s.variants * VARIANT_BYTES },
  ];
  const results = { name: "results, for report and Arrow file", bytes: 150 * s.variants };
  const kinship = plan([...process_, ...kinshipParts(s)]);
  const cut = plan([...process_, { name: "kinship, 8 n²", bytes: 8 * n * n }, { name: "kinship of the analysed, 8 m²", bytes: 8 * m * m }]);
  const solve = plan([...process_, ...eigenParts({ ...s, copy: true })]);
  const eigen = n !== m && cut.total > solve.total ? cut : solve;
  const association = plan([...process_, { name: "eigenvectors, 8 m²", bytes: 8 * m * m }, ...associationParts(s), results]);
  const cores = s.threads * 3600;
  const stages: StagePlan[] = [
    { stage: "kinship", memory: kinship, hours: (n * n * s.kinshipVariants) / 2 / (1.2e11 * cores) },
    { stage: "eigen", memory: eigen, hours: (m ** 3 * 1.6e-10) / cores },
    { stage: "association", memory: association, hours: (s.variants * (2 * m * m * 2.5e-11 + m * 2.5e-8)) / cores },
  ];
  const memory = stages.reduce((a, b) => (b.memory.total > a.memory.total ? b : a)).memory;
  return {
    route: "primal",
    stages,
    memory,
    hours: stages.reduce((sum, stage) => sum + stage.hours, 0),
    cheaper: memory.total > 2e10 ? CHEAPER : undefined,
  };
}

/** The plan with the largest block of variants that fits. @throws MEM_PREFLIGHT when the smallest does not. */
export function fitGwas(size: StudySize, options: { chunk?: number; memoryLimit?: number }): { plan: GwasPlan; chunk: number } {
  let chunk = checkedChunk(options.chunk);
  const limit = memoryLimit({ memoryLimit: options.memoryLimit }).bytes;
  let fitted = planGwas({ ...size, chunk });
  while (chunk > SMALLEST_CHUNK && fitted.memory.total > limit) {
    chunk = Math.max(SMALLEST_CHUNK, chunk >> 1);
    fitted = planGwas({ ...size, chunk });
  }
  requireMemory(fitted.memory, { memoryLimit: options.memoryLimit, hint: CHEAPER });
  return { plan: fitted, chunk };
}

function withDefaults(size: StudySize): Required<StudySize> {
  return {
    analyzed: size.samples,
    kinshipVariants: size.variants,
    covariates: 1,
    threads: 2,
    chunk: DEFAULT_CHUNK,
    ...size,
  };
}

/** The memory part of {@link planGwas}: the parts alive at the peak, and their sum. */
export function estimateMemory(size: StudySize): MemoryPlan {
  return planGwas(size).memory;
}
