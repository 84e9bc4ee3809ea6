// The only importer of the kernels: converts arguments, maps failures, wires cancel.
import { resolveThreads, runNative } from "@x/core/base";
import native from "@x/native-linalg";

/** What every kernel call takes. */
export interface KernelOptions {
  /** Stops the kernel. */
  signal?: AbortSignal | undefined;
  /** 0 or undefined = all. */
  threads?: number | undefined;
}

function run<T>(
  start: (job: InstanceType<typeof native.Job>, threads: number) => Promise<unknown>,
  options: KernelOptions,
): Promise<T> {
  const threads = resolveThreads(options.threads);
  return runNative(
    native.Job,
    (job) => start(job, threads) as Promise<T>,
    options.signal ? { signal: options.signal } : {},
  );
}

/** Genotypes as dosages of allele 1, `rows × samples`; missing −127 or NaN. */
export function decode(
  as: "int8" | "float32" | "float64",
  packed: Uint8Array,
  samples: number,
  rows: number,
  options: KernelOptions,
): Promise<Int8Array | Float32Array | Float64Array> {
  if (as === "int8")
    return run((job, threads) => native.decodeInt8(job, packed, samples, rows, threads), options);
  if (as === "float32")
    return run((job, threads) => native.decodeFloat32(job, packed, samples, rows, threads), options);
  return run((job, threads) => native.decodeFloat64(job, packed, samples, rows, threads), options);
}

/** Four counts a row: hom A1, het, hom A2, missing. `mask`: one bit a sample, lowest first; null = everybody. */
export function countGenotypes(
  packed: Uint8Array,
  samples: number,
  rows: number,
  mask: Uint8Array | null,
  options: KernelOptions,
): Promise<Uint32Array> {
  return run((job, threads) => native.countGenotypes(job, packed, samples, rows, mask, threads), options);
}

/** Packed rows of the kept samples, in the order of `keep`. */
export function subsetSamples(
  packed: Uint8Array,
  samples: number,
  rows: number,
  keep: Uint32Array,
  options: KernelOptions,
): Promise<Uint8Array> {
  return run((job, threads) => native.subsetSamples(job, packed, samples, rows, keep, threads), options);
}

/** Turns `rows × columns` packed genotypes into `columns × rows`. */
export function transpose(
  packed: Uint8Array,
  rows: number,
  columns: number,
  options: KernelOptions,
): Promise<Uint8Array> {
  return run(
    (job, threads) => native.transposeTile(job, packed, rows, columns, 0, columns, threads),
    options,
  );
}

/** Exact Hardy-Weinberg p (Wigginton 2005, no mid-p) of each row of {@link countGenotypes}. */
export function hardyExact(counts: Uint32Array): Float64Array {
  return native.hardyExact(counts);
}
