// The only importer of the kernels: converts arguments, maps failures, wires cancel.
import { fromNative, resolveThreads, runNative, xError } from "@x/core/base";

type Native = typeof import("@x/native-linalg").default;

/** What every kernel call takes. */
export interface KernelOptions {
  /** Stops the kernel. */
  signal?: AbortSignal | undefined;
  /** 0 or undefined = all. */
  threads?: number | undefined;
}

let loading: Promise<Native> | undefined;

/** The kernels, loaded with the first call: what needs none (`--help`) runs without them. */
function kernels(): Promise<Native> {
  loading ??= import("@x/native-linalg").then(
    (module) => module.default,
    (cause: Error) => {
      const { code = "NATIVE_MISSING", message } = cause as Error & { code?: string };
      throw xError(code, message, { cause, usage: code === "OPTION_RANGE" });
    },
  );
  return loading;
}

async function run<T>(
  start: (native: Native, job: InstanceType<Native["Job"]>, threads: number) => Promise<T>,
  options: KernelOptions,
): Promise<T> {
  const native = await kernels();
  const threads = resolveThreads(options.threads);
  return runNative(
    native.Job,
    (job) => start(native, job, threads),
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
  const name = ({ int8: "decodeInt8", float32: "decodeFloat32", float64: "decodeFloat64" } as const)[as];
  return run<Int8Array | Float32Array | Float64Array>(
    (native, job, threads) => native[name](job, packed, samples, rows, threads),
    options,
  );
}

/** Four counts a row: hom A1, het, hom A2, missing. `mask`: one bit a sample, lowest first; null = everybody. */
export function countGenotypes(
  packed: Uint8Array,
  samples: number,
  rows: number,
  mask: Uint8Array | null,
  options: KernelOptions,
): Promise<Uint32Array> {
  return run(
    (native, job, threads) => native.countGenotypes(job, packed, samples, rows, mask, threads),
    options,
  );
}

/** Missing calls of each sample over these rows. */
export function missingBySample(
  packed: Uint8Array,
  samples: number,
  rows: number,
  options: KernelOptions,
): Promise<Uint32Array> {
  return run((native, job, threads) => native.missingBySample(job, packed, samples, rows, threads), options);
}

/** Packed rows of the kept samples, in the order of `keep`. */
export function subsetSamples(
  packed: Uint8Array,
  samples: number,
  rows: number,
  keep: Uint32Array,
  options: KernelOptions,
): Promise<Uint8Array> {
  return run(
    (native, job, threads) => native.subsetSamples(job, packed, samples, rows, keep, threads),
    options,
  );
}

/** Turns `rows × columns` packed genotypes into `columns × rows`. */
export function transpose(
  packed: Uint8Array,
  rows: number,
  columns: number,
  options: KernelOptions,
): Promise<Uint8Array> {
  return run(
    (native, job, threads) => native.transposeTile(job, packed, rows, columns, 0, columns, threads),
    options,
  );
}

/** Exact Hardy-Weinberg p (Wigginton 2005, no mid-p) of each row of {@link countGenotypes}. */
export async function hardyExact(counts: Uint32Array): Promise<Float64Array> {
  const native = await kernels();
  try {
    return native.hardyExact(counts);
  } catch (e) {
    throw fromNative(e);
  }
}
