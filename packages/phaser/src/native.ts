/**
 * The only importer of `@x/native-phasing`: every native call of this package goes through here, with cancel, progress
 * and error codes wired by `@x/core`.
 */
import { fromNative, runNative } from "@x/core/base";
import binding, {
  type HeaderInfo,
  type LociOptions,
  type LociRows,
  type Loci as NativeLoci,
  type OneAlleleCounts,
  type SwitchColumns,
  type SwitchInput,
  type VcfWriteOptions,
} from "@x/native-phasing";

export type {
  HeaderInfo,
  LociOptions,
  NativeLoci,
  OneAlleleCounts,
  SwitchColumns,
  SwitchInput,
  VcfWriteOptions,
};

/** Options every native call takes. */
export interface NativeOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((p: { stage: string; done: number; total: number }) => void) | undefined;
  readonly stage?: string;
}

type Job = InstanceType<typeof binding.Job>;

function run<T>(start: (job: Job) => Promise<T>, o: NativeOptions): Promise<T> {
  return runNative(binding.Job, start, { signal: o.signal, onProgress: o.onProgress, stage: o.stage });
}

/** A call that answers at once; its error becomes an `XError`. */
export function now<T>(call: () => T): T {
  try {
    return call();
  } catch (e) {
    throw fromNative(e);
  }
}

/** Header of a VCF or BCF. */
export function readHeader(path: string, o: NativeOptions): Promise<HeaderInfo> {
  return run((job) => binding.readHeader(job, path), o);
}

/** Genotypes by position. */
export function readLoci(path: string, options: LociOptions, o: NativeOptions): Promise<NativeLoci> {
  return run((job) => binding.readLoci(job, path, options), o);
}

/** Builds loci from rows given in blocks. */
export function lociRows(chrom: string, samples: string[], options: LociOptions): LociRows {
  return now(() => new binding.LociRows(chrom, samples, options));
}

/** The bytes of the file in pieces; `index` gives its index after the last piece. */
export function vcfWriter(
  loci: NativeLoci,
  codes: Uint8Array | null,
  options: VcfWriteOptions,
): {
  next(o: NativeOptions): Promise<Uint8Array>;
  done(): number;
  index(): { bytes: Uint8Array; extension: string } | null;
} {
  const writer = now(() => new binding.VcfWriter(loci, codes, options));
  return {
    next: (o) => run((job) => writer.next(job), o),
    done: () => now(() => writer.done),
    index: () => now(() => writer.index()),
  };
}

/** Haplotypes with two ALTs at a position. */
export function oneAllele(
  path: string,
  region: string | null,
  list: number,
  o: NativeOptions,
): Promise<OneAlleleCounts> {
  return run((job) => binding.oneAllele(job, path, region, list), o);
}

/** Switch error of an estimate. */
export function switchColumns(
  estimate: string,
  truth: string,
  input: SwitchInput,
  o: NativeOptions,
): Promise<SwitchColumns> {
  return run((job) => binding.switchError(job, estimate, truth, input), o);
}

/** Distinct positions of one chromosome. */
export function readPositions(
  path: string,
  region: string | null,
  o: NativeOptions,
): Promise<{ chrom: string; positions: Uint32Array }> {
  return run((job) => binding.readPositions(job, path, region), o);
}
