import type { RunOptions, Warning } from "@x/core/base";
import type { RecordBatch, Table } from "apache-arrow";
import type { SampleTypes, VariantTypes } from "./table-types.ts";

/** Something a user should know that does not stop the work. */
export type PlinkWarning = Warning;

/** The three files of a PLINK 1 fileset. */
export interface PlinkPaths {
  /** Packed genotypes. */
  bed: string;
  /** Variants, plain or gzip. */
  bim: string;
  /** Samples, plain or gzip. */
  fam: string;
}

/** The .bim as plain columns, row j = variant j of the .bed. */
export interface BimColumns {
  /** Chromosome as written in the file (equal names share one string). */
  chrom: string[];
  /** Variant identifier; may repeat, `.` when it has none. */
  id: string[];
  /** Position in centimorgans; 0 when unknown. */
  cm: Float64Array;
  /** Base-pair position, 1-based; negative = left out by PLINK. */
  pos: Int32Array;
  /** Allele 1, the counted one. */
  a1: string[];
  /** Allele 2. */
  a2: string[];
}

/** The .fam as plain columns, row i = sample i of the .bed. */
export interface FamColumns {
  /** Family identifier. */
  fid: string[];
  /** Individual identifier. */
  iid: string[];
  /** Father's individual identifier, `0` when unknown. */
  father: string[];
  /** Mother's individual identifier, `0` when unknown. */
  mother: string[];
  /** 1 male, 2 female, 0 unknown. */
  sex: Int8Array;
  /** Phenotype columns (at least one), NaN = missing (`NA` or −9 in the file). */
  phenotypes: Float64Array[];
}

/** Which variants and samples to read. Everything given must hold at once. */
export interface SelectOptions {
  /** Half-open range of variant rows. */
  range?: readonly [from: number, to: number];
  /** Variant identifiers to read; all rows of a repeated identifier are taken. */
  ids?: Iterable<string>;
  /** Chromosomes; `chr7` and `7`, `X` and `23` are the same. */
  chrom?: string | readonly string[];
  /** `7:1-5000000`, `7:1000000-`, `7:12345` or `7`; both ends included. */
  region?: string;
  /** Rows of .bim to read, in rising order. */
  rows?: ArrayLike<number>;
  /** Samples to keep, in this order: indices, or identifiers (`IID` when unique, or `FID IID` with a space or tab). */
  samples?: ArrayLike<number> | readonly string[];
}

/**
 * The options every function takes: `signal`, `onProgress` (variants done and in total), `threads` and `memoryLimit`.
 * Nothing is random here, so there is no `seed`. Of the memory allowed, a block of genotypes gets a quarter, because up
 * to four are held at once; one variant that does not fit into it is refused (MEM_PREFLIGHT).
 */
export type RunningOptions = Omit<RunOptions, "seed">;

/** Options of {@link PlinkStudy.blocks}. */
export interface BlockOptions extends SelectOptions, RunningOptions {
  /** Variants a block; fewer where memoryLimit asks for it. Default: about 8 MiB a block, at most 4096. */
  chunk?: number;
  /** True: the memory of a block is filled again once the next one is asked for, which saves new memory for each. */
  reuse?: boolean;
}

/** How genotypes are handed over; missing is −127 in int8 and NaN in floats. */
export type GenotypeEncoding = "packed" | "int8" | "float32" | "float64";

/** Options of {@link PlinkStudy.genotypes}. */
export interface GenotypeOptions extends Omit<BlockOptions, "reuse"> {
  /** Default `packed`: PLINK's own 2-bit codes. */
  as?: GenotypeEncoding;
}

/** Variants as they lie in a SNP-major .bed. */
export interface PackedBlock {
  /** .bim row of the first variant. */
  start: number;
  /** Variants in this block. */
  rows: number;
  /** .bim row of each variant. */
  index: Uint32Array;
  /** `rows × ceil(samples / 4)` bytes, PLINK 2-bit codes; padding bits are undefined. */
  packed: Uint8Array;
}

/** What a fileset must be to be accepted. */
export interface ExpectedFileset {
  /** Lines of .fam. */
  samples?: number;
  /** Lines of .bim. */
  variants?: number;
  /** Its sampleHash. */
  sampleHash?: string;
}

/** Options of openPlink; a memoryLimit that the text of .bim and .fam exceeds is refused (MEM_PREFLIGHT). */
export interface OpenOptions extends RunningOptions {
  /** Refuses the fileset unless it is the expected one: the only guard against a .fam that lost lines within a byte. */
  expect?: ExpectedFileset;
  /** `ignore` leaves columns 6 and later of .fam unread, so that text in them is accepted. Default `read`. */
  phenotypes?: "read" | "ignore";
  /** Throws, under the same code, what would otherwise be a warning. */
  strict?: boolean;
}

/** An opened and checked PLINK 1 fileset. */
export interface PlinkStudy extends AsyncDisposable {
  /** The files read. */
  readonly paths: PlinkPaths;
  /** Samples (lines of .fam). */
  readonly n: number;
  /** Variants (lines of .bim). */
  readonly p: number;
  /** How the .bed lies on disk; `sample` is transposed while reading. */
  readonly layout: "variant" | "sample";
  /** .fam as plain columns. */
  readonly fam: FamColumns;
  /** .bim as plain columns. */
  readonly bim: BimColumns;
  /** .fam as an Arrow table `fid iid father mother sex phenotype…`, made on first use. */
  readonly samples: Table<SampleTypes>;
  /** .bim as an Arrow table `chrom id cm pos a1 a2`, made on first use. */
  readonly variants: Table<VariantTypes>;
  /** What was odd but acceptable. */
  readonly warnings: readonly PlinkWarning[];
  /** SHA-256 over the samples in order: equal for equal FID and IID lists. */
  readonly sampleHash: string;
  /** Arrow record batches of core's genotype schema. Errors: UNKNOWN_OPTION, OPTION_RANGE, MEM_PREFLIGHT, INPUT_CHANGED. */
  genotypes(options?: GenotypeOptions): AsyncIterable<RecordBatch>;
  /** Packed blocks without Arrow. Errors as `genotypes`. */
  blocks(options?: BlockOptions): AsyncIterable<PackedBlock>;
  /** Throws INPUT_CHANGED when the .bed is no longer the file that was opened. */
  check(): void;
  /** Closes the .bed; also what `await using` calls. */
  close(): Promise<void>;
}
