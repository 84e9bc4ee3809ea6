import { checkOptions, checkRange, type MemoryPlan, type RunOptions, resolveThreads } from "@x/core/base";
import { type GeneticMap, mapFor } from "./genetic-map.ts";
import { readPositions } from "./native.ts";
import { openVcf } from "./open-vcf.ts";

/** Options of {@link planChunks}. */
export interface PlanOptions extends Pick<RunOptions, "threads" | "signal"> {
  /** Genetic map, or the file of one; 1 cM/Mb without. MAP_CHROM when it is of another chromosome. */
  readonly map?: GeneticMap | string;
  /** Only this region of the file. */
  readonly region?: string;
  /** Longest own part of a chunk in centimorgans; overlaps come on top; 20 by default. */
  readonly chunkCm?: number;
  /** Most positions of that part; overlaps come on top; 100,000 by default. */
  readonly chunkPositions?: number;
  /** What each chunk shares with its neighbours on either side, in centimorgans; 2 by default. */
  readonly overlapCm?: number;
  /** Samples of a reference panel. */
  readonly referenceSamples?: number;
}

/** A piece of a chromosome to be phased by itself. */
export interface Chunk {
  /** From 0. */
  readonly index: number;
  /** What is to be phased: its own part and the overlaps, `chr:from-to`. */
  readonly region: string;
  /** Its own part; the own parts of all chunks tile the chromosome. */
  readonly own: string;
  /** Positions in {@link Chunk.region}. */
  readonly positions: number;
  /** Length of {@link Chunk.region} in centimorgans. */
  readonly cm: number;
  /** What phasing it will need. */
  readonly memory: MemoryPlan;
}

/** What {@link planChunks} says. */
export interface ChunkPlan {
  /** The chromosome. */
  readonly chrom: string;
  /** Samples to be phased. */
  readonly samples: number;
  /** Positions in all. */
  readonly positions: number;
  /** Length in centimorgans. */
  readonly cm: number;
  /** In order. */
  readonly chunks: readonly Chunk[];
}

/** How much phasing one piece needs. */
export interface PieceSize {
  /** Positions. */
  readonly positions: number;
  /** Samples to be phased. */
  readonly samples: number;
  /** Samples of a reference panel. */
  readonly referenceSamples?: number;
  /** Length in centimorgans. */
  readonly cm: number;
  /** Genotypes that are heterozygous or have a missing allele; a tenth of all by default. */
  readonly open?: number;
  /** Threads; 1 by default. */
  readonly threads?: number;
}

/**
 * Memory of phasing L positions of N samples with R reference samples, at the defaults of {@link phase} and beside what
 * Node.js itself takes: genotypes as read and as written, 6 bytes a sample and position; the panel's codes; haplotypes as
 * bits, those of this iteration and of the next, 2 · L · 2(N+R)/8; for every group of positions (one per `modulo` cM)
 * `depth` neighbours of each target haplotype, 4 bytes each; and for every genotype with something to settle its part of the
 * genotype graph and of the sums over the main iterations, 64 bytes. A thread works on a window of one sample.
 */
export function phaseMemory(size: PieceSize): MemoryPlan {
  const { positions, samples, referenceSamples = 0, cm, threads = 1 } = size;
  const { open = 0.1 * positions * samples } = size;
  const n = samples + referenceSamples;
  const depth = Math.min(14, Math.max(6, Math.round(15 - Math.log10(n))));
  const modulo = Math.min(0.15, Math.max(0.005, (Math.log(n) - Math.log(50) + 1) * 0.01));
  const groups = Math.min(positions, Math.ceil(cm / modulo) + 1);
  const window = Math.min(1, WINDOW_CM / Math.max(cm, 1e-9)) * (open / Math.max(samples, 1));
  const parts = [
    { name: "genotypes", bytes: 6 * positions * samples },
    { name: "panel", bytes: 2 * positions * referenceSamples },
    { name: "haplotypes, now and next", bytes: Math.ceil((2 * positions * 2 * n) / 8) },
    { name: "neighbours", bytes: depth * groups * 2 * samples * 4 },
    { name: "genotype graphs and their sums", bytes: Math.ceil(OPEN_BYTES * open) },
    { name: "threads", bytes: Math.ceil(threads * window * DONORS * LANE_BYTES) },
  ];
  return { parts, total: parts.reduce((sum, part) => sum + part.bytes, 0) };
}

/** Of a het: 12 in the graph, its part of a segment and, once segments were merged, of the sums at a border. */
const OPEN_BYTES = 64;
/** Windows are at least 2 cM, and the longest about four times that. */
const WINDOW_CM = 8;
/** The donors of a window and the classes they fall into, at most; eight floats of each at every locus that is not certain. */
const [DONORS, LANE_BYTES] = [200, 32];

/**
 * Cuts a chromosome into chunks and predicts the memory of each by {@link phaseMemory}. Their own parts, which tile the
 * chromosome, hold at most `chunkCm` centimorgans and `chunkPositions` positions, equal in number of positions as far as
 * that goes; the overlaps on either side come on top and are in what is predicted. Reads positions only.
 */
export async function planChunks(path: string, options: PlanOptions = {}): Promise<ChunkPlan> {
  const names = [
    "map",
    "region",
    "chunkCm",
    "chunkPositions",
    "overlapCm",
    "referenceSamples",
    "threads",
    "signal",
  ];
  checkOptions(options, names, "planChunks");
  const { signal, referenceSamples = 0 } = options;
  const limits = {
    cm: checkRange("chunkCm", options.chunkCm ?? 20, { min: 0.1 }),
    positions: checkRange("chunkPositions", options.chunkPositions ?? 100_000, { min: 10, integer: true }),
    overlap: checkRange("overlapCm", options.overlapCm ?? 2, { min: 0 }),
  };
  const { samples } = await openVcf(path, signal === undefined ? {} : { signal });
  const { chrom, positions, open } = await readPositions(path, options.region ?? null, {
    signal,
    stage: "positions",
  });
  const cm = (await mapFor(options.map, chrom, signal)).at(positions);
  const starts = cut(cm, limits.cm, limits.positions);
  const chunks = starts.map((start, index): Chunk => {
    const end = starts[index + 1] ?? positions.length;
    const from = index === 0 ? start : lowerBound(cm, cm[start]! - limits.overlap);
    const to = index === starts.length - 1 ? end : lowerBound(cm, cm[end - 1]! + limits.overlap);
    const size = {
      positions: to - from,
      samples: samples.length,
      referenceSamples,
      cm: cm[to - 1]! - cm[from]!,
      open: open.subarray(from, to).reduce((a, b) => a + b, 0),
      threads: resolveThreads(options.threads),
    };
    const place = (a: number, b: number): string => `${chrom}:${positions[a]}-${positions[b - 1]}`;
    const own = `${chrom}:${positions[start]}-${end < positions.length ? positions[end]! - 1 : positions[end - 1]}`;
    return {
      index,
      region: place(from, to),
      own,
      positions: size.positions,
      cm: size.cm,
      memory: phaseMemory(size),
    };
  });
  return { chrom, samples: samples.length, positions: positions.length, cm: cm.at(-1)! - cm[0]!, chunks };
}

/** First positions of the chunks: as few as both limits allow, then as even as possible. */
function cut(cm: Float64Array, longest: number, most: number): number[] {
  let count = Math.max(1, Math.ceil(cm.length / most), Math.ceil((cm.at(-1)! - cm[0]!) / longest));
  for (;;) {
    const starts = Array.from({ length: count }, (_, i) => Math.floor((i * cm.length) / count));
    const fits = starts.every((start, i) => {
      const last = (starts[i + 1] ?? cm.length) - 1;
      return cm[last]! - cm[start]! <= longest || last === start;
    });
    if (fits || count >= cm.length) return starts;
    count++;
  }
}

/** Index of the first element that is not below `x`; at least one element remains. */
function lowerBound(values: Float64Array, x: number): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle]! < x) low = middle + 1;
    else high = middle;
  }
  return low;
}
