import type { RecordBatch } from "apache-arrow";
import type { GeneticMap } from "./genetic-map.ts";
import { haplotypeBatches } from "./haplotype-batches.ts";
import type { Loci } from "./loci.ts";
import type { MendelError, PhaseConflict, PhaseSummary } from "./phase-summary.ts";

/** How sure the haplotypes are; NaN where there is nothing to be sure of. */
export interface PhaseConfidence {
  /** Locus after locus, one a sample: probability that its heterozygous genotype is phased right relative to its one before. */
  readonly phase: Float32Array;
  /** Locus after locus, two a sample: probability of the code imputed on each haplotype. */
  readonly codes: Float32Array;
}

/** @internal All that a run leaves. */
export interface PhaseResult {
  readonly loci: Loci;
  readonly map: GeneticMap;
  readonly summary: PhaseSummary;
  readonly confidence: PhaseConfidence | null;
  readonly conflicts: readonly PhaseConflict[];
  readonly mendelErrors: readonly MendelError[];
}

/**
 * A phasing that runs once, when its result is first asked for: iterate it for Arrow batches of haplotypes, or give it to
 * `writeVcf` or `writeBcf`.
 */
export class Phased implements AsyncIterable<RecordBatch>, AsyncDisposable {
  readonly #start: () => Promise<PhaseResult>;
  #result: Promise<PhaseResult> | undefined;

  /** @internal */
  constructor(start: () => Promise<PhaseResult>) {
    this.#start = start;
  }

  #run(): Promise<PhaseResult> {
    this.#result ??= this.#start();
    return this.#result;
  }

  /** What was done, in numbers. */
  get summary(): Promise<PhaseSummary> {
    return this.#run().then((r) => r.summary);
  }

  /** The loci of the target with haplotypes for calls, in native memory until {@link Phased.release}. */
  loci(): Promise<Loci> {
    return this.#run().then((r) => r.loci);
  }

  /** How sure they are; null unless it was asked for. */
  confidence(): Promise<PhaseConfidence | null> {
    return this.#run().then((r) => r.confidence);
  }

  /** Samples with more ALT alleles than haplotypes, of every file read; `excluded` says where that left a position out. */
  conflicts(): Promise<readonly PhaseConflict[]> {
    return this.#run().then((r) => r.conflicts);
  }

  /** Children's genotypes that their parents cannot have given. */
  mendelErrors(): Promise<readonly MendelError[]> {
    return this.#run().then((r) => r.mendelErrors);
  }

  /**
   * Haplotypes as Arrow batches, `chunk` positions each (1,024 by default), as `haplotypeBatches` makes them; with the columns
   * `phase_confidence` and `code_confidence` where confidence was asked for.
   */
  async *batches(options: { chunk?: number } = {}): AsyncGenerator<RecordBatch> {
    const { loci, map, confidence } = await this.#run();
    yield* haplotypeBatches(loci, { map, ...(confidence === null ? {} : { confidence }), ...options });
  }

  /** The same with default options. */
  [Symbol.asyncIterator](): AsyncGenerator<RecordBatch> {
    return this.batches();
  }

  /** Frees the memory, once the run has ended; later use of its loci is LOCI_RELEASED. */
  async release(): Promise<void> {
    const result = await this.#result?.catch(() => undefined);
    result?.loci.release();
  }

  /** The same as {@link Phased.release}, for `await using`. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.release();
  }
}
