import { lmmError } from "./errors.ts";
import { hardyExact } from "./native.ts";
import type { NamesOf } from "./option-names.ts";

/** Thresholds of the variant filter; the defaults are GEMMA's. */
export interface FilterOptions {
  /** Largest missing fraction kept (`-miss`). Default 0.05. */
  readonly miss?: number;
  /** Smallest allele frequency kept, of either allele (`-maf`; strict). Default 0.01; −1 turns the test off (`-notsnp`). */
  readonly maf?: number;
  /** Smallest Hardy-Weinberg exact p kept (`-hwe`). Default 0: no test. */
  readonly hwe?: number;
  /**
   * Largest r² with the covariates kept (`-r2`), tested with two or more covariate columns only, as GEMMA does: the
   * share of the uncentred, mean-imputed dosage that the covariates explain. Default 0.9999.
   */
  readonly r2?: number;
  /** Only these variant ids (`-snps`). */
  readonly snps?: ReadonlySet<string>;
}

export const FILTER_NAMES: NamesOf<FilterOptions> = {
  miss: true,
  maf: true,
  hwe: true,
  r2: true,
  snps: true,
};

/** The options with GEMMA's defaults filled in. */
export function filterOptions(o: FilterOptions): Required<Omit<FilterOptions, "snps">> {
  const { miss = 0.05, maf = 0.01, hwe = 0, r2 = 0.9999 } = o;
  return { miss, maf, hwe, r2 };
}

/** How many variants each test removed, in the order the tests run. */
export interface FilterCounts {
  /** Variants read. */
  readonly total: number;
  /** Not in the list of variants asked for. */
  readonly notListed: number;
  /** Missing fraction above `miss` (a variant without any call included). */
  readonly missing: number;
  /** Allele frequency below `maf` or above 1 − `maf`. */
  readonly maf: number;
  /** One homozygous class only. */
  readonly monomorphic: number;
  /** Everyone called is heterozygous: no variance. */
  readonly heterozygous: number;
  /** Hardy-Weinberg p below `hwe`. */
  readonly hwe: number;
  /** Explained by the covariates (`r2`). */
  readonly covariates: number;
  /** Kept. */
  readonly kept: number;
}

/** All counts at 0. */
export function noFilterCounts(): { -readonly [K in keyof FilterCounts]: number } {
  return {
    total: 0,
    notListed: 0,
    missing: 0,
    maf: 0,
    monomorphic: 0,
    heterozygous: 0,
    hwe: 0,
    covariates: 0,
    kept: 0,
  };
}

/** The counts of two runs of variants together; `sign` −1 takes the second away. */
export function addFilterCounts(a: FilterCounts, b: FilterCounts, sign: 1 | -1 = 1): FilterCounts {
  const sum = noFilterCounts();
  for (const name of Object.keys(sum) as (keyof FilterCounts)[]) sum[name] = a[name] + sign * b[name];
  return sum;
}

/** What a block of variants looks like after the filter; rows are positions within the block. */
export interface KeptRows {
  readonly rows: Uint32Array;
  /** Mean dosage of A1 among the analysed people with a call. */
  readonly means: Float64Array;
  /** Frequency of A1 among them. */
  readonly af: Float64Array;
  readonly nMiss: Int32Array;
}

type Reason = Exclude<keyof FilterCounts, "total">;

/**
 * The one place where variants are dropped; kinship and association both use it. Counts are those of the ANALYSED
 * people (GEMMA does so for `-gk` too). Order of tests: list, missingness, allele frequency, genotype classes,
 * Hardy-Weinberg, r² with covariates.
 */
export class VariantFilter {
  readonly #miss: number;
  readonly #maf: number;
  readonly #snps: ReadonlySet<string> | undefined;
  readonly #hwe: number;
  readonly #counts = noFilterCounts();
  /** Threshold of the r² test. */
  readonly r2: number;

  constructor(options: FilterOptions = {}) {
    this.#miss = fraction("miss", options.miss ?? 0.05, 0, 1);
    this.#maf = options.maf === -1 ? -1 : fraction("maf", options.maf ?? 0.01, 0, 0.5);
    this.#hwe = fraction("hwe", options.hwe ?? 0, 0, 1);
    this.r2 = fraction("r2", options.r2 ?? 0.9999, 0, 1);
    this.#snps = options.snps;
  }

  get counts(): FilterCounts {
    return { ...this.#counts };
  }

  /**
   * Tests one block. `counts` holds [A1/A1, A1/A2, A2/A2, missing] of each variant among the analysed people; for
   * dosages these are the nearest classes, and `dosages` has their sums and whether two of them differ.
   */
  apply(
    counts: Uint32Array,
    ids: (row: number) => string,
    dosages?: { readonly sum: Float64Array; readonly varies: Uint8Array },
  ): KeptRows {
    const hardy = this.#hwe > 0 ? hardyExact(counts) : undefined;
    const block = counts.length / 4;
    const rows = new Uint32Array(block);
    const means = new Float64Array(block);
    const af = new Float64Array(block);
    const nMiss = new Int32Array(block);
    let kept = 0;
    for (let row = 0; row < block; row++) {
      const homA1 = counts[4 * row]!;
      const het = counts[4 * row + 1]!;
      const homA2 = counts[4 * row + 2]!;
      const missing = counts[4 * row + 3]!;
      const called = homA1 + het + homA2;
      const sum = dosages ? dosages.sum[row]! : 2 * homA1 + het;
      const listed = !this.#snps || this.#snps.has(ids(row));
      let reason: Reason = listed ? (this.#early(called, sum, missing) ?? "kept") : "notListed";
      if (reason === "kept") {
        if (dosages) reason = dosages.varies[row] ? "kept" : "monomorphic";
        else if (homA1 === called || homA2 === called) reason = "monomorphic";
        else if (het === called) reason = "heterozygous";
      }
      if (reason === "kept" && hardy && hardy[row]! < this.#hwe) reason = "hwe";
      this.#counts[reason]++;
      if (reason !== "kept") continue;
      rows[kept] = row;
      means[kept] = sum / called;
      af[kept] = sum / (2 * called);
      nMiss[kept] = missing;
      kept++;
    }
    this.#counts.total += block;
    return {
      rows: rows.slice(0, kept),
      means: means.slice(0, kept),
      af: af.slice(0, kept),
      nMiss: nMiss.slice(0, kept),
    };
  }

  /** Removes what the covariates explain from a block that {@link apply} passed. */
  dropExplained(kept: KeptRows, r2: Float64Array): KeptRows {
    const stay = Uint32Array.from(kept.rows.keys()).filter((i) => !(r2[i]! > this.r2));
    const gone = kept.rows.length - stay.length;
    if (gone === 0) return kept;
    this.#counts.covariates += gone;
    this.#counts.kept -= gone;
    return {
      rows: stay.map((i) => kept.rows[i]!),
      means: Float64Array.from(stay, (i) => kept.means[i]!),
      af: Float64Array.from(stay, (i) => kept.af[i]!),
      nMiss: Int32Array.from(stay, (i) => kept.nMiss[i]!),
    };
  }

  /** Undefined for a variant with calls enough and a frequency within the bounds. */
  #early(called: number, sum: number, missing: number): "missing" | "maf" | undefined {
    if (called === 0 || missing / (called + missing) > this.#miss) return "missing";
    const af = sum / (2 * called);
    return this.#maf !== -1 && (af < this.#maf || af > 1 - this.#maf) ? "maf" : undefined;
  }

  /** @throws NO_VARIANTS_AFTER_FILTER with the counts when nothing was kept. */
  requireSome(): void {
    requireKept(this.#counts);
  }
}

/** @throws NO_VARIANTS_AFTER_FILTER with the counts when nothing was kept. */
export function requireKept(c: FilterCounts): void {
  if (c.kept > 0) return;
  throw lmmError(
    "NO_VARIANTS_AFTER_FILTER",
    `no variant is left: ${describeFilter(c)}. Loosen -miss or -maf.`,
    { details: { ...c } },
  );
}

/** The counts as one line, e.g. `12226 read, 3 missingness, 1455 allele frequency, 0 one genotype class, 10768 kept`. */
export function describeFilter(c: FilterCounts): string {
  return [
    `${c.total} read`,
    ...(c.notListed > 0 ? [`${c.notListed} not listed`] : []),
    `${c.missing} dropped for missing calls`,
    `${c.maf} for allele frequency`,
    `${c.monomorphic + c.heterozygous} with one genotype class`,
    ...(c.hwe > 0 ? [`${c.hwe} for Hardy-Weinberg`] : []),
    ...(c.covariates > 0 ? [`${c.covariates} explained by covariates`] : []),
    `${c.kept} kept`,
  ].join(", ");
}

function fraction(name: string, value: number, low: number, high: number): number {
  if (!(value >= low && value <= high))
    throw lmmError("OPTION_RANGE", `${name} must be from ${low} to ${high}, ${value} given.`, {
      usage: true,
      details: { option: name, value },
    });
  return value;
}
