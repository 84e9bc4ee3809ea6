import { atomicWriter, checkOptions, type OnProgress, OutputFiles } from "@x/core/base";
import { phaserError } from "./errors.ts";
import type { Loci } from "./loci.ts";
import { type Pieces, vcfWriter } from "./native.ts";
import { type PhaseConfidence, Phased } from "./phased.ts";

/** A FORMAT field of numbers. */
export interface FormatField {
  /** Its name, e.g. `PP`. */
  readonly id: string;
  /** For the header. */
  readonly description: string;
  /** Numbers a sample; 1 by default. */
  readonly number?: number;
  /** Only in rows whose two alleles differ, missing elsewhere; false by default. */
  readonly heterozygous?: boolean;
  /** Locus after locus, sample after sample; NaN is written as missing. */
  readonly values: Float32Array;
}

/** Options of {@link writeVcf} and {@link writeBcf}. */
export interface VcfWriteOptions {
  /** Phased codes, two a sample, locus after locus; without them the calls are written as they were read. */
  readonly haplotypes?: Uint8Array;
  /** One record a position instead of the rows that came in. */
  readonly joinMultiallelic?: boolean;
  /** Write positions that were left out as well, unphased. */
  readonly keepExcluded?: boolean;
  /** Further FORMAT fields. */
  readonly fields?: readonly FormatField[];
  /** More header lines, beginning with `##`. */
  readonly lines?: readonly string[];
  /** Cancels the write; nothing is left under the final name. */
  readonly signal?: AbortSignal;
  /** Receives progress reports, in positions. */
  readonly onProgress?: OnProgress;
}

const NAMES = ["haplotypes", "joinMultiallelic", "keepExcluded", "fields", "lines", "signal", "onProgress"];

/**
 * Writes loci as VCF: `.vcf` plain, `.vcf.gz` by bgzip with its `.tbi` (`.csi` where a chromosome is longer than
 * 512 Mb), `-` plain to standard output. ID, QUAL, FILTER and INFO are those of the rows that were read, AC and AN are
 * counted anew, FORMAT is GT and the fields given. Of a {@link Phased} with confidence the fields PP (phase relative to the
 * sample's heterozygous genotype before) and CP (imputed code of each haplotype) are added. File and index appear
 * together, or not at all.
 *
 * @returns The paths written.
 * @throws OUT_FORMAT, HAPLOTYPE_SHAPE, HAPLOTYPE_CODE, VCF_INFO; the errors of writing files.
 */
export function writeVcf(
  loci: Loci | Phased,
  path: string,
  options: VcfWriteOptions = {},
): Promise<string[]> {
  if (path.endsWith(".bcf")) throw wrongName(path, "writeBcf writes .bcf");
  return write(loci, path, path.endsWith(".gz") ? "vcf.gz" : "vcf", options);
}

/** Writes loci as BCF 2.2 with its `.csi`; else as {@link writeVcf}. */
export function writeBcf(
  loci: Loci | Phased,
  path: string,
  options: VcfWriteOptions = {},
): Promise<string[]> {
  if (/\.vcf(\.gz)?$/.test(path)) throw wrongName(path, "writeVcf writes .vcf and .vcf.gz");
  return write(loci, path, "bcf", options);
}

function wrongName(path: string, what: string): Error {
  return phaserError("OUT_FORMAT", `${path}: ${what}`, { usage: true, details: { path } });
}

async function write(
  source: Loci | Phased,
  path: string,
  output: string,
  options: VcfWriteOptions,
): Promise<string[]> {
  checkOptions(options, NAMES, "writing");
  const [loci, sure] =
    source instanceof Phased ? [await source.loci(), await source.confidence()] : [source, null];
  const fields = [...(sure ? confidenceFields(sure) : []), ...(options.fields ?? [])];
  const { signal, onProgress } = options;
  const writer = vcfWriter(loci.native, options.haplotypes ?? null, {
    output,
    join: options.joinMultiallelic ?? false,
    keepExcluded: options.keepExcluded ?? false,
    lines: [...(options.lines ?? [])],
    extra: fields.map((field) => ({ ...field })),
  });
  return writePieces(writer, path, loci.length, { signal, onProgress });
}

function confidenceFields(sure: PhaseConfidence): FormatField[] {
  const phase =
    "Probability that this heterozygous genotype is phased right relative to the sample's one before";
  const codes = "Probability of the allele imputed on each haplotype, all rows of the position considered";
  return [
    { id: "PP", description: phase, number: 1, heterozygous: true, values: sure.phase },
    { id: "CP", description: codes, number: 2, values: sure.codes },
  ];
}

/** How a path says what is written; OUT_FORMAT for other endings. `-` is plain text on standard output. */
export function outputByName(path: string): "vcf" | "vcf.gz" | "bcf" {
  if (path.endsWith(".bcf")) return "bcf";
  if (path.endsWith(".vcf.gz")) return "vcf.gz";
  if (path === "-" || path.endsWith(".vcf")) return "vcf";
  throw wrongName(path, "the name must end in .bcf, .vcf.gz or .vcf");
}

/** Writes a file and its index: both appear, or neither. */
export async function writePieces(
  writer: Pieces,
  path: string,
  total: number,
  o: { readonly signal?: AbortSignal | undefined; readonly onProgress?: OnProgress | undefined },
): Promise<string[]> {
  const { signal, onProgress } = o;
  const pieces = async (out: { write(chunk: Uint8Array): Promise<void> }): Promise<void> => {
    for (;;) {
      const piece = await writer.next({ signal });
      if (piece.length === 0) return;
      await out.write(piece);
      onProgress?.({ stage: "writing", done: writer.done(), total });
    }
  };
  if (path === "-") {
    await using out = atomicWriter(path, { signal });
    await pieces(out);
    await out.commit();
    return [];
  }
  await using files = new OutputFiles({ signal });
  await pieces(files.open(path));
  const index = writer.index();
  if (index) await files.open(`${path}.${index.extension}`).write(index.bytes);
  return await files.commit();
}
