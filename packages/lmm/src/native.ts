/**
 * The only importer of `@x/native-linalg`: every native call of this package goes through here or through its parts
 * (`native-dual.ts`, `native-multivariate.ts`), with cancel, progress and error codes wired by `@x/core`.
 */
import { fromNative, runNative } from "@x/core/base";
import binding, {
  type DosageCounts,
  type DosageGram,
  type DosageRows,
  type Matrix,
  type MatrixReader,
  type PeopleGram,
} from "@x/native-linalg";

import { type AssociationModel, type LambdaRange, type Tested, traitArrays } from "./association-model.ts";
import type { Cohort } from "./cohort.ts";

export type { AssociationModel, LambdaRange, Tested, WantedTests } from "./association-model.ts";
export type { DosageGram, DosageRows, Matrix, MatrixReader, PeopleGram };
export { binding };

/** Options every native call takes. `threads` is always a resolved count: 0 would mean "all" behind the door. */
export interface NativeOptions {
  readonly signal?: AbortSignal | undefined;
  readonly threads: number;
  readonly onProgress?: ((p: { stage: string; done: number; total: number }) => void) | undefined;
  readonly stage?: string;
}

type Job = InstanceType<typeof binding.Job>;

/** A native task: cancelled by the signal, its progress and errors in our terms. */
export function run<T>(start: (job: Job) => Promise<T>, o: NativeOptions): Promise<T> {
  return runNative(binding.Job, start, { signal: o.signal, onProgress: o.onProgress, stage: o.stage });
}

/** A native call that answers at once. */
export function now<T>(call: () => T): T {
  try {
    return call();
  } catch (e) {
    throw fromNative(e);
  }
}

/** [A1/A1, A1/A2, A2/A2, missing] of each row, among the people whose bit is set in `mask` (null = all). */
export function countGenotypes(
  packed: Uint8Array,
  samples: number,
  rows: number,
  mask: Uint8Array | null,
  o: NativeOptions,
): Promise<Uint32Array> {
  return run((job) => binding.countGenotypes(job, packed, samples, rows, mask, o.threads), o);
}

/** An empty people × people Gram accumulator. */
export function peopleGram(samples: number): PeopleGram {
  return now(() => new binding.PeopleGram(samples));
}

/** Adds the given rows of a packed block, centred at their means. */
export function addToGram(
  gram: PeopleGram,
  packed: Uint8Array,
  rows: Uint32Array,
  means: Float64Array,
  o: NativeOptions,
): Promise<void> {
  return run((job) => gram.add(job, packed, rows, means, o.threads), o);
}

/** Σ x x′ / snps. The accumulator is empty afterwards. */
export function finishGram(gram: PeopleGram, snps: number, o: NativeOptions): Promise<Matrix> {
  return run((job) => gram.finish(job, snps, o.threads), o);
}

/** What {@link dosageGram} divides a centred row by. */
export type DosageScale = "none" | "deviation" | "hardy";

/** An empty people × people accumulator for rows of dosages. */
export function dosageGram(samples: number, scale: DosageScale): DosageGram {
  return now(() => new binding.DosageGram(samples, ["none", "deviation", "hardy"].indexOf(scale)));
}

/** Adds the given rows of a block of dosages of everyone. */
export function addDosages(
  gram: DosageGram,
  values: Float64Array,
  rows: Uint32Array,
  o: NativeOptions,
): Promise<void> {
  return run((job) => gram.add(job, values, rows, o.threads), o);
}

/** Σ x x′ / snps. The accumulator is empty afterwards. */
export function finishDosages(gram: DosageGram, snps: number, o: NativeOptions): Promise<Matrix> {
  return run((job) => gram.finish(job, snps, o.threads), o);
}

/** Push parser of BIMBAM mean genotypes. */
export function dosageReader(samples: number): {
  push(chunk: Uint8Array): DosageRows;
  finish(): DosageRows;
} {
  const reader = now(() => new binding.DosageReader(samples));
  return { push: (chunk) => now(() => reader.push(chunk)), finish: () => now(() => reader.finish()) };
}

/** Classes, sums and variation of each row of dosages among the people `keep`. */
export function dosageCounts(
  values: Float64Array,
  samples: number,
  keep: Uint32Array,
  o: NativeOptions,
): Promise<DosageCounts> {
  return run((job) => binding.dosageCounts(job, values, samples, keep, o.threads), o);
}

/** Pairs of people and their distances, the first of them, and how many there are. */
export type Pairs = Awaited<ReturnType<typeof binding.matrixTwins>>;

/** Pairs of people of `keep` whose rows of a kinship are nearly the same. */
export function twins(
  m: Matrix,
  keep: Uint32Array,
  limit: number,
  most: number,
  o: NativeOptions,
): Promise<Pairs> {
  return run((job) => binding.matrixTwins(job, m, keep, limit, most, o.threads), o);
}

/** ‖U′U − I‖ by random probes. */
export function eigenOrthogonality(values: Float64Array, vectors: Matrix, o: NativeOptions): Promise<number> {
  return run((job) => binding.checkEigen(job, values, vectors, o.threads), o);
}

/** A zero matrix in Rust memory. */
export function zeros(n: number): Matrix {
  return now(() => binding.Matrix.zeros(n));
}

/** A row-major copy of a tile. */
export function tile(m: Matrix, row: number, rows: number, col: number, cols: number): Float64Array {
  return now(() => m.tile(row, rows, col, cols));
}

/** The rows of whole-width tiles, each read into the same buffer: it is overwritten by the next. */
export function* rowTiles(
  m: Matrix,
  bytes: number,
): Generator<{ row: number; rows: number; values: Float64Array }> {
  const { n } = m;
  const step = Math.min(n, Math.max(1, Math.floor(bytes / (8 * n))));
  const buffer = new Float64Array(step * n);
  for (let row = 0; row < n; row += step) {
    const rows = Math.min(step, n - row);
    const values = buffer.subarray(0, rows * n);
    now(() => m.tileInto(row, rows, 0, n, values));
    yield { row, rows, values };
  }
}

/** Rows as GEMMA writes them: `%.10g`, tabs, newline. */
export function formatRows(m: Matrix, row: number, rows: number, o: NativeOptions): Promise<Uint8Array> {
  return run((job) => binding.matrixFormatRows(job, m, row, rows, o.threads), o);
}

/** Push parser of a square text matrix. */
export function matrixReader(n: number): { push(chunk: Uint8Array): void; finish(): Matrix } {
  const reader = now(() => new binding.MatrixReader(n));
  return { push: (chunk) => now(() => reader.push(chunk)), finish: () => now(() => reader.finish()) };
}

/** Rows and columns of the kept people, as a new matrix. */
export function subset(m: Matrix, keep: Uint32Array, o: NativeOptions): Promise<Matrix> {
  return run((job) => binding.matrixSubset(job, m, keep, o.threads), o);
}

/** J K J in place. */
export function center(m: Matrix, o: NativeOptions): Promise<void> {
  return run((job) => binding.matrixCenter(job, m, o.threads), o);
}

/** First NaN, largest asymmetry, all-zero flag and trace. */
export function inspect(m: Matrix, o: NativeOptions): ReturnType<typeof binding.matrixInspect> {
  return run((job) => binding.matrixInspect(job, m, o.threads), o);
}

/** Eigendecomposition; consumes the matrix. */
export function eigh(m: Matrix, o: NativeOptions): ReturnType<typeof binding.eigh> {
  return run((job) => binding.eigh(job, m, o.threads), o);
}

/** U′Y of `c` columns laid one after the other. */
export function project(
  vectors: Matrix,
  columns: Float64Array,
  c: number,
  o: NativeOptions,
): Promise<Float64Array> {
  return run((job) => binding.project(job, vectors, columns, c, o.threads), o);
}

/** Share of the sum of squares of each kept row, uncentred, that the cohort's covariates explain. */
export function covariateR2(
  genotypes: { readonly packed: Uint8Array; readonly dosages?: Float64Array | undefined },
  cohort: Pick<Cohort, "samples" | "analyzed" | "w">,
  kept: { readonly rows: Uint32Array; readonly means: Float64Array },
  o: NativeOptions,
): Promise<Float64Array> {
  const { packed, dosages } = genotypes;
  const { samples, analyzed, w } = cohort;
  const c = w.length / analyzed.length;
  return run(
    (job) =>
      binding.covariateR2(job, packed, dosages, samples, analyzed, kept.rows, kept.means, w, c, o.threads),
    o,
  );
}

/** Hardy-Weinberg exact p of each row of {@link countGenotypes}. */
export function hardyExact(counts: Uint32Array): Float64Array {
  return now(() => binding.hardyExact(counts));
}

/** Dosages as float64, missing NaN. */
export function decodeFloat64(
  packed: Uint8Array,
  samples: number,
  rows: number,
  o: NativeOptions,
): Promise<Float64Array> {
  return run((job) => binding.decodeFloat64(job, packed, samples, rows, o.threads), o);
}

/** The model shared by all variants of phenotypes of the same people. */
export function newAssociation(
  vectors: Matrix,
  values: Float64Array,
  model: AssociationModel,
): {
  test(packed: Uint8Array, rows: Uint32Array, means: Float64Array, o: NativeOptions): Promise<Tested>;
  testDosages(
    values: Float64Array,
    rows: Uint32Array,
    means: Float64Array,
    o: NativeOptions,
  ): Promise<Tested>;
} {
  const { cohort, tests, lambda } = model;
  const study = {
    values,
    keep: cohort.analyzed,
    samplesInFile: cohort.samples,
    w: cohort.w,
    ...traitArrays(model),
    ...(cohort.environment ? { environment: cohort.environment } : {}),
    tests: { ...tests },
  };
  const native = now(() => new binding.Association(vectors, study, lambda));
  return {
    test: (packed, rows, means, o) => run((job) => native.test(job, packed, rows, means, o.threads), o),
    testDosages: (values, rows, means, o) =>
      run((job) => native.testDosages(job, values, rows, means, o.threads), o),
  };
}

/** The null model's numbers. */
export function fitNull(
  values: Float64Array,
  uty: Float64Array,
  utw: Float64Array,
  c: number,
  options: LambdaRange,
): ReturnType<typeof binding.fitNull> {
  return now(() => binding.fitNull(values, uty, utw, c, options));
}

/** The instruction set the kernels run at. */
export function simdLevel(): string {
  return binding.simd().level;
}

/** Peak bytes of {@link peopleGram}, its matrix included. */
export function gramBytes(samples: number): number {
  return binding.peopleGramBytes(samples);
}

/** Bytes of {@link dosageGram}, its matrix included. */
export function dosageGramBytes(samples: number): number {
  return binding.dosageGramBytes(samples);
}

/** Peak bytes of {@link eigh}, its input included. */
export function eigenBytes(n: number, threads: number): number {
  return binding.eighBytes(n, threads);
}

/** Bytes of {@link newAssociation} and its tests, eigenvectors and genotypes apart; all tests, which need most. */
export function associationBytes(
  size: { n: number; c: number; traits: number; environment: boolean },
  threads: number,
): number {
  const tests = { wald: true, lrt: true, score: true };
  return binding.associationBytes({ ...size, tests }, threads, { lmin: 1e-5, lmax: 1e5, regions: 10 });
}

/** (p W − q K) / (p − q) in place of K. */
export function leaveOut(whole: Matrix, p: number, part: Matrix, q: number, o: NativeOptions): Promise<void> {
  return run((job) => binding.matrixLeaveOut(job, whole, p, part, q, o.threads), o);
}
