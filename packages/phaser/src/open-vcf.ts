import { checkOptions, checkRange, type OnProgress, type Warn, xError } from "@x/core/base";
import { Loci } from "./loci.ts";
import { type HeaderInfo, readHeader, readLoci } from "./native.ts";

/** How genotypes are read into {@link Loci}. */
export interface LociReadOptions {
  /** `chr` or `chr:from-to`, positions from 1, both ends inside. Needed when the file holds several chromosomes. */
  readonly region?: string;
  /** These samples, in this order; all by default. SAMPLE_UNKNOWN. */
  readonly samples?: readonly string[];
  /** `target` (default) trusts no bar; `reference` needs every call phased; `scaffold` trusts the bars there are. */
  readonly role?: "target" | "reference" | "scaffold";
  /** Where a sample has more ALT alleles than haplotypes: leave the position out (default) or fail. */
  readonly supersiteConflict?: "drop" | "error";
  /** Samples that may have one allele; PLOIDY for others. */
  readonly haploids?: readonly string[];
  /** Leave out positions whose alleles other than the most common one are rarer than this. */
  readonly minMaf?: number;
  /** Keep PL or GL for {@link LociReadOptions.role} `target`. */
  readonly likelihoods?: boolean;
  /** Every row is a position of its own, as if no other shared it: for comparison. Positions may then repeat. */
  readonly splitRows?: boolean;
  /** Receives INDEX_STALE when the index is older than the file. */
  readonly warn?: Warn;
  /** Cancels the read. */
  readonly signal?: AbortSignal;
  /** Receives progress reports. */
  readonly onProgress?: OnProgress;
}

/** Names of {@link LociReadOptions}. */
const LOCI_NAMES = [
  "region",
  "samples",
  "role",
  "supersiteConflict",
  "haploids",
  "minMaf",
  "likelihoods",
  "splitRows",
  "warn",
  "signal",
  "onProgress",
];

/** A contig of a header. */
export interface Contig {
  /** Its name. */
  readonly name: string;
  /** Base pairs; null where the header does not say. */
  readonly length: number | null;
}

/** A VCF or BCF whose header was read. */
export interface VcfFile {
  /** As given. */
  readonly path: string;
  /** `vcf` or `bcf`. */
  readonly format: "vcf" | "bcf";
  /** Sample names in file order. */
  readonly samples: readonly string[];
  /** Contigs the header declares. */
  readonly contigs: readonly Contig[];
  /** The `##` lines. */
  readonly lines: readonly string[];
  /** Compressed by bgzip, so that an index beside it makes regions fast. */
  readonly seekable: boolean;
  /** Reads one chromosome or a region by position. */
  loci(options?: LociReadOptions): Promise<Loci>;
}

/**
 * Opens a VCF (plain, gzip or bgzip) or BCF 2.2 and reads its header. A bgzip file that was cut is refused here.
 *
 * @throws BGZF_TRUNCATED, BGZF_NO_EOF, VCF_HEADER, BCF_VERSION, BCF_LENGTH, BCF_DICT, DUP_SAMPLE, ENOENT.
 */
export async function openVcf(path: string, options: { signal?: AbortSignal } = {}): Promise<VcfFile> {
  checkOptions(options, ["signal"], "openVcf");
  const header: HeaderInfo = await readHeader(path, { ...options, stage: "header" });
  return Object.freeze({
    path,
    format: header.format as "vcf" | "bcf",
    samples: Object.freeze(header.samples),
    contigs: header.contigs.map(({ name, length }) => ({ name, length: length ?? null })),
    lines: header.lines,
    seekable: header.seekable,
    loci: (o: LociReadOptions = {}) => lociOf(path, o),
  });
}

/** The door's options; undefined keys are left out. */
export function nativeLociOptions(o: LociReadOptions): Parameters<typeof readLoci>[1] {
  checkOptions(o, LOCI_NAMES, "loci");
  return {
    ...(o.region === undefined ? {} : { region: o.region }),
    ...(o.samples === undefined ? {} : { samples: [...o.samples] }),
    ...(o.haploids === undefined ? {} : { haploid: [...o.haploids] }),
    role: choice("role", o.role ?? "target", ["target", "reference", "scaffold"]),
    conflict: choice("supersiteConflict", o.supersiteConflict ?? "drop", ["drop", "error"]),
    minMaf: checkRange("minMaf", o.minMaf ?? 0, { min: 0, max: 0.5 }),
    likelihoods: o.likelihoods ?? false,
    split: o.splitRows ?? false,
  };
}

function choice(name: string, value: string, allowed: readonly string[]): string {
  if (allowed.includes(value)) return value;
  const message = `${name} must be one of ${allowed.join(", ")}, got ${JSON.stringify(value)}`;
  throw xError("OPTION_RANGE", message, { usage: true, details: { option: name } });
}

async function lociOf(path: string, o: LociReadOptions): Promise<Loci> {
  const { signal, onProgress, warn } = o;
  const native = await readLoci(path, nativeLociOptions(o), { signal, onProgress, stage: "reading" });
  if (native.indexOlder) {
    const message = `${path}: the index is older than the file; if the file was changed, index it again`;
    warn?.({ code: "INDEX_STALE", message, details: { path } });
  }
  return new Loci(native);
}
