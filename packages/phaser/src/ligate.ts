import { checkOptions, checkOutputs, type OnProgress } from "@x/core/base";
import { phaserError } from "./errors.ts";
import { ligation, now, pieces } from "./native.ts";
import { outputByName, writePieces } from "./write-vcf.ts";

/** Options of {@link ligate}. */
export interface LigateOptions {
  /** Samples that may have one allele; PLOIDY for others. */
  readonly haploids?: readonly string[];
  /** More header lines, beginning with `##`. */
  readonly lines?: readonly string[];
  /** Cancels the call; nothing is left under the final name. */
  readonly signal?: AbortSignal;
  /** Receives progress reports. */
  readonly onProgress?: OnProgress;
}

/** Where two files meet. */
export interface LigateJoin {
  /** The file before. */
  readonly before: string;
  /** The file after. */
  readonly after: string;
  /** First position of the overlap. */
  readonly from: number;
  /** Its last position. */
  readonly to: number;
  /** Last position taken from the file before. */
  readonly switchAt: number;
  /** Positions of the overlap that both files have. */
  readonly shared: number;
  /** Positions of the overlap that only one has; they are written if the file they are in is the one taken there. */
  readonly onlyOne: number;
  /** Samples whose haplotypes were swapped against the file before. */
  readonly swapped: number;
  /** Samples without a heterozygous, phased position in both files: nothing tied them. */
  readonly untied: number;
  /** By sample: heterozygous positions that agree. A position with several rows counts once. */
  readonly matches: Uint32Array;
  /** By sample: those that disagree. */
  readonly mismatches: Uint32Array;
  /** By sample: 1 = swapped. */
  readonly swaps: Uint8Array;
}

/** What {@link ligate} did. */
export interface LigateReport {
  /** Files written. */
  readonly paths: readonly string[];
  /** The chromosome. */
  readonly chrom: string;
  /** Sample names, in the order of the first file. */
  readonly samples: readonly string[];
  /** Positions written. */
  readonly positions: number;
  /** One entry a pair of neighbouring files. */
  readonly joins: readonly LigateJoin[];
}

/**
 * Ligates phased VCF or BCF chunks, given in order of position, into one file with its index. In the overlap of two
 * chunks the heterozygous positions of a sample phased in both vote; where most disagree, the haplotypes of the second
 * are swapped (a tie swaps nothing). The first half of the overlap comes from the first chunk, the second from the
 * second. Unphased genotypes pass as they are, AC and AN are counted anew; of FORMAT, GT is kept, and PP
 * and CP of `phase` and `phaseRare` (CP follows its haplotype).
 *
 * @param output `.bcf`, `.vcf.gz` or `.vcf`; `-` is plain VCF on standard output.
 * @throws NO_FILES, SAMPLES_DIFFER, CHUNK_CHROM, CHUNK_ORDER, CHUNK_OVERLAP (they say which files), OUT_FORMAT, OUT_IS_INPUT; the
 * errors of reading and writing.
 */
export async function ligate(
  inputs: readonly string[],
  output: string,
  options: LigateOptions = {},
): Promise<LigateReport> {
  checkOptions(options, ["haploids", "lines", "signal", "onProgress"], "ligate");
  if (inputs.length === 0) throw phaserError("NO_FILES", "no files to ligate", { usage: true });
  const { signal, onProgress } = options;
  const kind = outputByName(output);
  checkOutputs([output], inputs);
  const o = { signal, onProgress, stage: "comparing" };
  const native = await ligation([...inputs], [...(options.haploids ?? [])], o);
  const info = now(() => native.info());
  const writer = pieces(() => native.writer(kind, [...(options.lines ?? [])]));
  const paths = await writePieces(writer, output, info.positions, options);
  const joins = info.joins.map(
    ({ swapped, ...join }, i): LigateJoin => ({
      ...join,
      before: inputs[i]!,
      after: inputs[i + 1]!,
      swapped: swapped.reduce((a, b) => a + b, 0),
      untied: join.matches.reduce((n, m, s) => n + Number(m + join.mismatches[s]! === 0), 0),
      swaps: swapped,
    }),
  );
  return { paths, chrom: info.chrom, samples: info.samples, positions: info.positions, joins };
}
