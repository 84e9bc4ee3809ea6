import type { FreqColumns } from "../frequency.ts";
import type { HardyColumns } from "../hardy.ts";
import type { SampleMissing, VariantMissing } from "../missing.ts";
import { formatG4, nameWidth, right } from "./format.ts";

/** Lines of text, gathered into pieces of some hundred kilobytes. */
export function* formatFrq(columns: FreqColumns): Generator<string> {
  const width = nameWidth(columns.id);
  yield* lines(columns.id.length, ` CHR ${right("SNP", width)}   A1   A2          MAF  NCHROBS\n`, (k) => {
    const maf = columns.maf[k]!;
    return (
      `${right(columns.chrom[k]!, 4)} ${right(columns.id[k]!, width)} ${right(columns.a1[k]!, 4)} ` +
      `${right(columns.a2[k]!, 4)} ${right(Number.isNaN(maf) ? "NA" : formatG4(maf), 12)} ${right(String(columns.nchrobs[k]), 8)}\n`
    );
  });
}

/** `.lmiss`. */
export function* formatLmiss(columns: VariantMissing): Generator<string> {
  const width = nameWidth(columns.id);
  yield* lines(columns.id.length, ` CHR ${right("SNP", width)}   N_MISS   N_GENO   F_MISS\n`, (k) => {
    return `${right(columns.chrom[k]!, 4)} ${right(columns.id[k]!, width)} ${missingColumns(columns, k)}\n`;
  });
}

/** `.imiss`. */
export function* formatImiss(columns: SampleMissing): Generator<string> {
  const [fid, iid] = [nameWidth(columns.fid), nameWidth(columns.iid)];
  yield* lines(
    columns.iid.length,
    `${right("FID", fid)} ${right("IID", iid)} MISS_PHENO   N_MISS   N_GENO   F_MISS\n`,
    (k) => {
      const phenotype = columns.miss_pheno[k] === 1 ? "Y" : "N";
      return `${right(columns.fid[k]!, fid)} ${right(columns.iid[k]!, iid)} ${right(phenotype, 10)} ${missingColumns(columns, k)}\n`;
    },
  );
}

/** `.hwe`. */
export function* formatHwe(columns: HardyColumns): Generator<string> {
  const width = nameWidth(columns.id);
  yield* lines(
    columns.id.length,
    ` CHR ${right("SNP", width)}     TEST   A1   A2                 GENO   O(HET)   E(HET)            P \n`,
    (k) => {
      const genotypes = `${columns.hom_a1[k]}/${columns.het[k]}/${columns.hom_a2[k]}`;
      return (
        `${right(columns.chrom[k]!, 4)} ${right(columns.id[k]!, width)} ${right(columns.test[k]!, 8)} ` +
        `${right(columns.a1[k]!, 4)} ${right(columns.a2[k]!, 4)} ${right(genotypes, 20)} ` +
        `${right(formatG4(columns.o_het[k]!), 8)} ${right(formatG4(columns.e_het[k]!), 8)} ${right(formatG4(columns.p[k]!), 12)}\n`
      );
    },
  );
}

function missingColumns(
  columns: { n_miss: Int32Array; n_geno: Int32Array; f_miss: Float64Array },
  k: number,
): string {
  return `${right(String(columns.n_miss[k]), 8)} ${right(String(columns.n_geno[k]), 8)} ${right(formatG4(columns.f_miss[k]!), 8)}`;
}

function* lines(count: number, header: string, line: (k: number) => string): Generator<string> {
  let text = header;
  for (let k = 0; k < count; k++) {
    text += line(k);
    if (text.length < 1 << 18) continue;
    yield text;
    text = "";
  }
  yield text;
}
