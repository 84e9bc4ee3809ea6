import type { Table } from "apache-arrow";
import { tableOf } from "./bim-table.ts";
import { countRows } from "./counts.ts";
import { reportedNames, reportedRows } from "./frequency.ts";
import { arrowTables } from "./lazy.ts";
import { phenotypeKind, ploidies, sampleMask } from "./masks.ts";
import { countGenotypes, missingBySample } from "./native.ts";
import { checkRunning, silently } from "./run-options.ts";
import type { SampleMissingTypes, VariantMissingTypes } from "./table-types.ts";
import { StringTexts, type Texts } from "./texts.ts";
import type { PlinkStudy, RunningOptions } from "./types.ts";

/** `.lmiss` as plain columns. */
export interface VariantMissing {
  /** PLINK's chromosome number, or a contig's name. */
  chrom: Texts;
  /** Variant. */
  id: Texts;
  /** Missing calls. */
  n_miss: Int32Array;
  /** Calls there could be: all people, on Y all men. */
  n_geno: Int32Array;
  /** n_miss / n_geno. */
  f_miss: Float64Array;
}

/** `.imiss` as plain columns. */
export interface SampleMissing {
  /** Family. */
  fid: Texts;
  /** Individual. */
  iid: Texts;
  /** 1 when PLINK takes the phenotype as missing. */
  miss_pheno: Int8Array;
  /** Missing calls. */
  n_miss: Int32Array;
  /** Calls there could be: all variants, without Y unless the person is a man. */
  n_geno: Int32Array;
  /** n_miss / n_geno. */
  f_miss: Float64Array;
}

/** The two tables of {@link missing}. */
export interface MissingTables {
  /** `chrom id n_miss n_geno f_miss`. */
  variants: Table<VariantMissingTypes>;
  /** `fid iid miss_pheno n_miss n_geno f_miss`. */
  samples: Table<SampleMissingTypes>;
}

/**
 * Missing calls by variant and by sample as PLINK 1.9 `--missing`: everybody counts, Y for men only, variants at
 * negative positions are skipped.
 *
 * @returns Tables `chrom id n_miss n_geno f_miss` and `fid iid miss_pheno n_miss n_geno f_miss`.
 */
export async function missing(study: PlinkStudy, options: RunningOptions = {}): Promise<MissingTables> {
  checkRunning(options, [], "missing");
  const { variants, samples } = await missingness(study, options);
  return {
    variants: arrowTables().reportTable<VariantMissingTypes>({ ...variants }),
    samples: arrowTables().reportTable<SampleMissingTypes>({ ...samples }),
  };
}

/** {@link missing} without Arrow. */
export async function missingness(
  study: PlinkStudy,
  options: RunningOptions = {},
): Promise<{ variants: VariantMissing; samples: SampleMissing }> {
  const { fam, n } = study;
  const bim = tableOf(study.bim);
  const ploidy = ploidies(bim);
  const rows = reportedRows(bim);
  const onY = rows.filter((j) => ploidy(j) === "y");
  const offY = rows.filter((j) => ploidy(j) !== "y");
  const menMask = sampleMask(n, (i) => fam.sex[i] === 1);
  const men = fam.sex.reduce((count, sex) => count + (sex === 1 ? 1 : 0), 0);
  const common = await bothWays(study, offY, options);
  const [yVariants] = await countRows(study, onY, [menMask], silently(options));
  const y = await bothWays(study, onY, silently(options));

  const variantMissing = new Int32Array(rows.length);
  const variantTotal = new Int32Array(rows.length).fill(n);
  let [atY, atOther] = [0, 0];
  for (let k = 0; k < rows.length; k++) {
    const isY = ploidy(rows[k]!) === "y";
    variantMissing[k] = isY ? yVariants![4 * atY++ + 3]! : common.variants[atOther++]!;
    if (isY) variantTotal[k] = men;
  }
  const isMan = (i: number): boolean => fam.sex[i] === 1;
  const sampleMissing = common.samples.map((count, i) => count + (isMan(i) ? y.samples[i]! : 0));
  const sampleTotal = Int32Array.from({ length: n }, (_, i) => offY.length + (isMan(i) ? onY.length : 0));
  const phenotype = phenotypeKind(fam);
  return {
    variants: {
      ...reportedNames(bim, rows),
      n_miss: variantMissing,
      n_geno: variantTotal,
      f_miss: ratio(variantMissing, variantTotal),
    },
    samples: {
      fid: new StringTexts(fam.fid),
      iid: new StringTexts(fam.iid),
      miss_pheno: Int8Array.from({ length: n }, (_, i) => (phenotype.missing(i) ? 1 : 0)),
      n_miss: sampleMissing,
      n_geno: sampleTotal,
      f_miss: ratio(sampleMissing, sampleTotal),
    },
  };
}

function ratio(part: Int32Array, whole: Int32Array): Float64Array {
  const out = new Float64Array(part.length);
  for (let k = 0; k < part.length; k++) out[k] = part[k]! / whole[k]!;
  return out;
}

/** Missing calls of each row and of each sample over the rows, in one pass. */
async function bothWays(
  study: PlinkStudy,
  rows: Uint32Array,
  options: RunningOptions,
): Promise<{ variants: Int32Array; samples: Int32Array }> {
  const variants = new Int32Array(rows.length);
  const samples = new Int32Array(study.n);
  if (rows.length === 0) return { variants, samples };
  const kernel = silently(options);
  let done = 0;
  for await (const block of study.blocks({
    rows,
    reuse: true,
    ...kernel,
  })) {
    const byVariant = await countGenotypes(block.packed, study.n, block.rows, null, kernel);
    for (let k = 0; k < block.rows; k++) variants[done + k] = byVariant[4 * k + 3]!;
    const bySample = await missingBySample(block.packed, study.n, block.rows, kernel);
    for (let i = 0; i < study.n; i++) samples[i]! += bySample[i]!;
    done += block.rows;
    options.onProgress?.({ stage: "counting", done, total: rows.length });
  }
  return { variants, samples };
}
