/**
 * The only importer of `@x/native-phasing`: every native call of this package goes through here, with cancel, progress
 * and error codes wired by `@x/core`.
 */
import { fromNative, isXError, readChunks, runNative, type XError, xError } from "@x/core/base";
import binding, {
  type HeaderInfo,
  type Ligation,
  type LociOptions,
  type LociRows,
  type Loci as NativeLoci,
  type OneAlleleCounts,
  type PhaseInfo,
  type PhaseInput,
  type PhaseLog,
  type PhaseOutcome,
  type RareCounts,
  type RareOptions,
  type RareStudy,
  type SwitchColumns,
  type SwitchInput,
  type VcfWriteOptions,
  type VcfWriter,
} from "@x/native-phasing";

export type {
  HeaderInfo,
  Ligation,
  LociOptions,
  NativeLoci,
  OneAlleleCounts,
  PhaseInfo,
  PhaseInput,
  PhaseLog,
  RareCounts,
  RareOptions,
  RareStudy,
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

async function run<T>(start: (job: Job) => Promise<T>, o: NativeOptions): Promise<T> {
  try {
    return await runNative(binding.Job, start, {
      signal: o.signal,
      onProgress: o.onProgress,
      stage: o.stage,
    });
  } catch (e) {
    if (isXError(e, "BAD_SCHEDULE"))
      throw xError(e.code, e.message, { details: e.details, usage: true, cause: e });
    if (isXError(e, "VCF_HEADER") && e.details.line === 1) throw await withMark(e);
    throw e;
  }
}

/** Says so where a byte order mark is why the first line cannot be read. */
async function withMark(e: XError): Promise<XError> {
  const path = e.message.slice(0, e.message.indexOf(": line 1 "));
  try {
    for await (const bytes of readChunks(path)) {
      if (bytes[0] !== 0xef || bytes[1] !== 0xbb || bytes[2] !== 0xbf) break;
      const message = `${path}: a byte order mark stands before the first line, which VCF does not allow; save the file as UTF-8 without it`;
      return xError(e.code, message, { details: e.details, cause: e });
    }
  } catch {
    // a pipe that was read already: the error stands as it is
  }
  return e;
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

/** The bytes of a file in pieces; `index` gives its index after the last piece. */
export interface Pieces {
  next(o: NativeOptions): Promise<Uint8Array>;
  done(): number;
  index(): { bytes: Uint8Array; extension: string } | null;
}

/** A file of loci. */
export function vcfWriter(loci: NativeLoci, codes: Uint8Array | null, options: VcfWriteOptions): Pieces {
  return pieces(() => new binding.VcfWriter(loci, codes, options));
}

/** A file of whatever a native call makes rows of. */
export function pieces(make: () => VcfWriter): Pieces {
  const writer = now(make);
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

/** Distinct positions of one chromosome, with the genotypes of each that are heterozygous or not all there. */
export function readPositions(
  path: string,
  region: string | null,
  o: NativeOptions,
): Promise<{ chrom: string; positions: Uint32Array; open: Uint32Array }> {
  return run((job) => binding.readPositions(job, path, region), o);
}

/** Where a run of phasing notes its iterations. */
export function phaseLog(): PhaseLog {
  return now(() => new binding.PhaseLog());
}

/** Phases loci. */
export function phaseLoci(
  log: PhaseLog,
  loci: { target: NativeLoci; reference: NativeLoci | undefined; scaffold: NativeLoci | undefined },
  cm: Float64Array,
  input: PhaseInput,
  o: NativeOptions,
): Promise<PhaseOutcome> {
  const { target, reference, scaffold } = loci;
  return run((job) => binding.phaseLoci(job, log, target, reference, scaffold, cm, input), o);
}

/** A scaffold and the variants to be placed on it. */
export function readRare(
  input: string,
  scaffold: string,
  scaffoldRegion: string | null,
  options: LociOptions,
  o: NativeOptions,
): Promise<RareStudy> {
  return run((job) => binding.readRare(job, input, scaffold, scaffoldRegion, options), o);
}

/** Places them. */
export function placeRare(
  study: RareStudy,
  cm: { scaffold: Float64Array; rare: Float64Array },
  options: RareOptions,
  o: NativeOptions,
): Promise<RareCounts> {
  return run((job) => study.phase(job, cm.scaffold, cm.rare, options), o);
}

/** Compares the overlaps of files. */
export function ligation(paths: string[], haploids: string[], o: NativeOptions): Promise<Ligation> {
  return run((job) => binding.ligate(job, paths, haploids), o);
}
