import { checkOptions, type OnProgress, type Warn, xError } from "@x/core/base";
import { phaserError } from "./errors.ts";
import type { Family } from "./lists.ts";
import { type SwitchColumns, switchColumns } from "./native.ts";
import { openVcf } from "./open-vcf.ts";

/** Options of {@link switchError}. */
export interface SwitchErrorOptions {
  /** What a site is: every row (default), or every position, so that a split `1|2` counts once. */
  readonly by?: "row" | "position";
  /** Take the truth from parents in the truth file instead of from its bars: phase is known where one is homozygous. */
  readonly pedigree?: readonly Family[];
  /** `chr` or `chr:from-to`. */
  readonly region?: string;
  /** Only these samples. */
  readonly samples?: readonly string[];
  /** Receives SAMPLE_UNKNOWN: some of `samples` are not in both files. */
  readonly warn?: Warn;
  /** Cancels the call. */
  readonly signal?: AbortSignal;
  /** Receives progress reports. */
  readonly onProgress?: OnProgress;
}

/** Pairs of neighbouring heterozygous sites, and how many of them are switched. */
export interface SwitchRate {
  /** Pairs. */
  readonly pairs: number;
  /** Switches. */
  readonly switches: number;
  /** switches / pairs in percent; NaN without pairs. */
  readonly percent: number;
}

/** Of the pairs whose second site has a minor allele count in a range. */
export interface MacRate extends SwitchRate {
  /** Smallest count. */
  readonly from: number;
  /** Largest count. */
  readonly to: number;
}

/** Of the pairs near a position with several ALTs. */
export interface NearRate extends SwitchRate {
  /** Farthest distance, in hets of the sample; 1 when the position is one of the pair. */
  readonly hets: number;
}

/** Of one sample. */
export interface SampleRate extends SwitchRate {
  /** Its name. */
  readonly sample: string;
  /** Pairs of adjacent switches. */
  readonly flips: number;
}

/** Of the pairs that end at one site. */
export interface SiteRate extends SwitchRate {
  /** Base pairs. */
  readonly position: number;
  /** The row as `REF>ALT`; of all rows of the position, separated by spaces, where sites are positions. */
  readonly rows: string;
  /** Minor allele count of the row in the truth; of the rarest row where sites are positions. */
  readonly mac: number;
}

/** What {@link switchError} finds. */
export interface SwitchErrorReport extends SwitchRate {
  /** Samples compared. */
  readonly samples: number;
  /** Rows both files have. */
  readonly rows: number;
  /** Heterozygous, phased sites of the truth. */
  readonly truthHets: number;
  /** Pairs of adjacent switches: one site alone is wrong. */
  readonly flips: number;
  /** Switches that are no part of a flip. */
  readonly switchesOutsideFlips: number;
  /** Sites against the majority orientation of their sample, in percent of all. */
  readonly hammingPercent: number;
  /** Truth hets called otherwise in the estimate. */
  readonly discordant: number;
  /** Sample positions of the estimate with two ALTs on a haplotype (by position only); they are left out. */
  readonly invalid: number;
  /** Children's genotypes their parents cannot have given (with a pedigree). */
  readonly mendelErrors: number;
  /** Samples without a switch, among those with a site to compare. */
  readonly perfectSamples: number;
  /** By minor allele count of the second site, in the truth. */
  readonly byMac: readonly MacRate[];
  /** Pairs within so many hets of a position with several ALTs in the truth. */
  readonly nearSupersites: readonly NearRate[];
  /** Pairs farther away than the last of these. */
  readonly farFromSupersites: SwitchRate;
  /** One entry a sample. */
  readonly bySample: readonly SampleRate[];
  /** One entry a site with a pair that ends there. */
  readonly bySite: readonly SiteRate[];
}

/**
 * Switch error of a phased VCF or BCF against a truth. Of each sample, the sites heterozygous and phased (`|`) in both
 * are walked; a pair of neighbours whose orientation differs is a switch. Rows are matched by position, REF and ALT,
 * samples by name; of records with several ALTs each ALT is a row.
 *
 * @throws NO_COMMON_SAMPLES, NO_COMMON_VARIANTS, REGION_REQUIRED, NO_PHASED_HETS (nothing could be compared; it says which
 * file is unphased); the errors of reading.
 */
export async function switchError(
  estimate: string,
  truth: string,
  options: SwitchErrorOptions = {},
): Promise<SwitchErrorReport> {
  const names = ["by", "pedigree", "region", "samples", "warn", "signal", "onProgress"];
  checkOptions(options, names, "switchError");
  const { by = "row", pedigree = [], signal, onProgress } = options;
  if (by !== "row" && by !== "position") {
    throw xError("OPTION_RANGE", `by must be row or position, got ${JSON.stringify(by)}`, { usage: true });
  }
  const trios = pedigree.map(({ child, father, mother }) => ({
    child,
    ...(father === null ? {} : { father }),
    ...(mother === null ? {} : { mother }),
  }));
  const input = {
    byPosition: by === "position",
    trios,
    ...(options.region === undefined ? {} : { region: options.region }),
    ...(options.samples === undefined ? {} : { samples: [...options.samples] }),
  };
  if (input.samples) await checkSamples(estimate, truth, input.samples, options);
  const columns = await switchColumns(estimate, truth, input, { signal, onProgress, stage: "comparing" });
  if (sum(columns.sites) === 0) throw nothingCompared(estimate, truth, columns);
  return report(columns);
}

/** Names that are not in both files: NO_COMMON_SAMPLES where that is all of them, else the warning SAMPLE_UNKNOWN. */
async function checkSamples(
  estimate: string,
  truth: string,
  asked: readonly string[],
  { signal, warn }: SwitchErrorOptions,
): Promise<void> {
  const said: string[] = [];
  const unknown = new Set<string>();
  for (const path of [estimate, truth]) {
    const there = new Set((await openVcf(path, signal ? { signal } : {})).samples);
    const missing = asked.filter((name) => !there.has(name));
    for (const name of missing) unknown.add(name);
    const shown = missing.slice(0, 5).join(", ") + (missing.length > 5 ? ", …" : "");
    if (missing.length > 0) said.push(`${path} has no ${shown}`);
  }
  if (unknown.size === 0) return;
  const details = { listed: asked.length, found: asked.length - unknown.size };
  const message = `${unknown.size} of ${asked.length} samples asked for are not in both files: ${said.join("; ")}`;
  if (details.found === 0) throw phaserError("NO_COMMON_SAMPLES", message, { details });
  warn?.({ code: "SAMPLE_UNKNOWN", message, details });
}

function nothingCompared(estimate: string, truth: string, c: SwitchColumns): Error {
  const { rows, truthHets, discordant } = c;
  const where = `at the ${rows} rows that both files have`;
  const why =
    truthHets === 0
      ? `the truth ${truth} has no phased (|) heterozygous genotype ${where}; is it unphased, or are the two files swapped?`
      : discordant >= truthHets
        ? `the estimate ${estimate} calls all ${truthHets} phased heterozygous genotypes of the truth otherwise`
        : `the estimate ${estimate} has no phased (|) genotype where the truth has ${truthHets} heterozygous ones; is it unphased?`;
  const details = { rows, truthHets, discordant };
  return phaserError("NO_PHASED_HETS", `nothing was compared: ${why}`, { details });
}

function rate(pairs: number, switches: number): SwitchRate {
  return { pairs, switches, percent: pairs === 0 ? Number.NaN : (100 * switches) / pairs };
}

const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);

function report(c: SwitchColumns): SwitchErrorReport {
  const [switches, flips] = [sum(c.switches), sum(c.flips)];
  const near = Array.from(c.nearTo, (hets, i) => ({ hets, ...rate(c.nearPairs[i]!, c.nearSwitches[i]!) }));
  const rest = c.nearTo.length;
  return {
    ...rate(sum(c.pairs), switches),
    samples: c.samples.length,
    rows: c.rows,
    truthHets: c.truthHets,
    flips,
    switchesOutsideFlips: switches - 2 * flips,
    hammingPercent: (100 * sum(c.hamming)) / Math.max(sum(c.sites), 1),
    discordant: c.discordant,
    invalid: c.invalid,
    mendelErrors: c.mendelErrors,
    perfectSamples: c.sites.filter((sites, i) => sites > 0 && c.switches[i] === 0).length,
    byMac: Array.from(c.macTo, (to, i) => ({
      from: i === 0 ? 1 : c.macTo[i - 1]! + 1,
      to: i === c.macTo.length - 1 ? Number.POSITIVE_INFINITY : to,
      ...rate(c.macPairs[i]!, c.macSwitches[i]!),
    })),
    nearSupersites: near,
    farFromSupersites: rate(c.nearPairs[rest]!, c.nearSwitches[rest]!),
    bySample: c.samples.map((sample, i) => ({
      sample,
      flips: c.flips[i]!,
      ...rate(c.pairs[i]!, c.switches[i]!),
    })),
    bySite: Array.from(c.sitePositions, (position, i) => ({
      position,
      rows: c.siteRows[i]!,
      mac: c.siteMac[i]!,
      ...rate(c.sitePairs[i]!, c.siteSwitches[i]!),
    })).filter((site) => site.pairs > 0),
  };
}
