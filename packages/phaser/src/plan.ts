import { checkOptions, checkRange, type MemoryPlan, type RunOptions } from "@x/core/base";
import { type GeneticMap, mapFor } from "./genetic-map.ts";
import { readPositions } from "./native.ts";
import { openVcf } from "./open-vcf.ts";

/** Options of {@link planChunks}. */
export interface PlanOptions extends Pick<RunOptions, "threads" | "signal"> {
  /** Genetic map, or the file of one; 1 cM/Mb without. MAP_CHROM when it is of another chromosome. */
  readonly map?: GeneticMap | string;
  /** Only this region of the file. */
  readonly region?: string;
  /** Longest chunk in centimorgans, its overlaps left aside; 20 by default. */
  readonly chunkCm?: number;
  /** Most positions of a chunk, its overlaps left aside; 100,000 by default. */
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
  /** Threads. */
  readonly threads?: number;
}

/**
 * Memory of phasing L positions of N samples with R reference samples: calls as read (3 bytes a sample and position);
 * haplotypes as bits in both orientations, 2 · L · 2(N+R)/8; for every group of positions (one per `modulo` cM) `depth` + 1
 * neighbours of each target haplotype, 4 bytes each; the genotype graphs, about a byte a sample and position.
 */
export function phaseMemory(size: PieceSize): MemoryPlan {
  const { positions, samples, referenceSamples = 0, cm } = size;
  const n = samples + referenceSamples;
  const depth = Math.min(8, Math.max(2, Math.round(9 - Math.log10(n))));
  const modulo = Math.min(0.15, Math.max(0.005, (Math.log(n) - Math.log(50) + 1) * 0.01));
  const groups = Math.min(positions, Math.ceil(cm / modulo) + 1);
  const parts = [
    { name: "genotypes as read", bytes: 3 * positions * samples },
    { name: "haplotypes, both orientations", bytes: Math.ceil((2 * positions * 2 * n) / 8) },
    { name: "neighbours", bytes: (depth + 1) * groups * 2 * samples * 4 },
    { name: "genotype graphs", bytes: positions * samples },
  ];
  return { parts, total: parts.reduce((sum, part) => sum + part.bytes, 0) };
}

/**
 * Cuts a chromosome into chunks of at most `chunkCm` centimorgans and `chunkPositions` positions, equal in number of
 * positions as far as that goes, and predicts the memory of each by {@link phaseMemory}. Reads positions only.
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
  const { chrom, positions } = await readPositions(path, options.region ?? null, {
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
