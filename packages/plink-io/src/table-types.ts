import type { Dictionary, Float64, Int8, Int32, Utf8 } from "apache-arrow";

/** A column of names that repeat. */
export type NameColumn = Dictionary<Utf8, Int32>;

/** Columns of `study.samples`; a second phenotype is `phenotype2`, and so on. */
export type SampleTypes = {
  /** Family. */
  fid: Utf8;
  /** Individual. */
  iid: Utf8;
  /** Father, `0` when unknown. */
  father: Utf8;
  /** Mother, `0` when unknown. */
  mother: Utf8;
  /** 1 male, 2 female, null unknown. */
  sex: Int8;
  /** First phenotype; null when missing. */
  phenotype: Float64;
} & Record<`phenotype${number}`, Float64>;

/** Columns of `study.variants`. */
export type VariantTypes = {
  /** Chromosome as in the file. */
  chrom: NameColumn;
  /** Variant. */
  id: Utf8;
  /** Centimorgans. */
  cm: Float64;
  /** Base pairs. */
  pos: Int32;
  /** Allele 1, the counted one. */
  a1: Utf8;
  /** Allele 2. */
  a2: Utf8;
};

/** Columns of variantCounts. */
export type CountTypes = {
  /** Chromosome as in the file. */
  chrom: NameColumn;
  /** Variant. */
  id: Utf8;
  /** Base pairs. */
  pos: Int32;
  /** Allele 1, the counted one. */
  a1: Utf8;
  /** Allele 2. */
  a2: Utf8;
  /** Missing calls. */
  n_missing: Int32;
  /** People with two copies of a1. */
  hom_a1: Int32;
  /** People with one. */
  het: Int32;
  /** People with none. */
  hom_a2: Int32;
  /** Copies of a1. */
  a1_count: Int32;
  /** a1_count over all copies; null when nobody is typed. */
  af: Float64;
  /** Exact Hardy-Weinberg p; null when nobody is typed. */
  hwe_p: Float64;
};

/** Columns of freq. */
export type FreqTypes = {
  /** PLINK's chromosome number, or a contig's name. */
  chrom: NameColumn;
  /** Variant. */
  id: Utf8;
  /** Rarer allele (or allele 1, see keepAlleleOrder). */
  a1: Utf8;
  /** The other allele. */
  a2: Utf8;
  /** Frequency of a1; null when nobody is typed. */
  maf: Float64;
  /** Allele copies observed. */
  nchrobs: Int32;
};

/** Columns of hardy. */
export type HardyTypes = {
  /** PLINK's chromosome number, or a contig's name. */
  chrom: NameColumn;
  /** Variant. */
  id: Utf8;
  /** `ALL`, `AFF`, `UNAFF`, `ALL(QT)` or `ALL(NP)`. */
  test: Utf8;
  /** Rarer allele (or allele 1, see keepAlleleOrder). */
  a1: Utf8;
  /** The other allele. */
  a2: Utf8;
  /** People with two copies of a1. */
  hom_a1: Int32;
  /** People with one. */
  het: Int32;
  /** People with none. */
  hom_a2: Int32;
  /** Observed share of heterozygotes; null where it means nothing. */
  o_het: Float64;
  /** Expected share of heterozygotes; null likewise. */
  e_het: Float64;
  /** Exact p. */
  p: Float64;
};

/** Columns of the variant table of missing. */
export type VariantMissingTypes = {
  /** PLINK's chromosome number, or a contig's name. */
  chrom: NameColumn;
  /** Variant. */
  id: Utf8;
  /** Missing calls. */
  n_miss: Int32;
  /** Calls there could be. */
  n_geno: Int32;
  /** n_miss / n_geno; null when there could be none. */
  f_miss: Float64;
};

/** Columns of the sample table of missing. */
export type SampleMissingTypes = {
  /** Family. */
  fid: Utf8;
  /** Individual. */
  iid: Utf8;
  /** 1 when PLINK takes the phenotype as missing. */
  miss_pheno: Int8;
  /** Missing calls. */
  n_miss: Int32;
  /** Calls there could be. */
  n_geno: Int32;
  /** n_miss / n_geno; null when there could be none. */
  f_miss: Float64;
};
