import type { FreqColumns } from "../frequency.ts";
import type { HardyColumns } from "../hardy.ts";
import type { SampleMissing, VariantMissing } from "../missing.ts";
import { nameWidth } from "./format.ts";
import { ReportLines } from "./lines.ts";

/** `.frq`, in pieces of about a megabyte. */
export function formatFrq({ chrom, id, a1, a2, maf, nchrobs }: FreqColumns): Generator<Uint8Array> {
  const width = nameWidth(id);
  return pieces(id.length, ` CHR ${"SNP".padStart(width)}   A1   A2          MAF  NCHROBS\n`, (line, k) => {
    line.first(chrom, k, 4).name(id, k, width).name(a1, k, 4).name(a2, k, 4);
    line.g4(maf[k]!, 12, "NA").int(nchrobs[k]!, 8);
  });
}

/** `.lmiss`. */
export function formatLmiss(columns: VariantMissing): Generator<Uint8Array> {
  const { chrom, id } = columns;
  const width = nameWidth(id);
  return pieces(id.length, ` CHR ${"SNP".padStart(width)}   N_MISS   N_GENO   F_MISS\n`, (line, k) => {
    line.first(chrom, k, 4).name(id, k, width);
    missingColumns(line, columns, k);
  });
}

/** `.imiss`. */
export function formatImiss(columns: SampleMissing): Generator<Uint8Array> {
  const { fid, iid } = columns;
  const [fidWidth, iidWidth] = [nameWidth(fid), nameWidth(iid)];
  return pieces(
    iid.length,
    `${"FID".padStart(fidWidth)} ${"IID".padStart(iidWidth)} MISS_PHENO   N_MISS   N_GENO   F_MISS\n`,
    (line, k) => {
      line.first(fid, k, fidWidth).name(iid, k, iidWidth);
      line.right(columns.miss_pheno[k] === 1 ? "Y" : "N", 10);
      missingColumns(line, columns, k);
    },
  );
}

/** `.hwe`. */
export function formatHwe(columns: HardyColumns): Generator<Uint8Array> {
  const { chrom, id, test, a1, a2 } = columns;
  const width = nameWidth(id);
  return pieces(
    id.length,
    ` CHR ${"SNP".padStart(width)}     TEST   A1   A2                 GENO   O(HET)   E(HET)            P \n`,
    (line, k) => {
      line.first(chrom, k, 4).name(id, k, width).name(test, k, 8);
      line.name(a1, k, 4).name(a2, k, 4);
      line.triple(columns.hom_a1[k]!, columns.het[k]!, columns.hom_a2[k]!, 20);
      line.g4(columns.o_het[k]!, 8).g4(columns.e_het[k]!, 8).g4(columns.p[k]!, 12);
    },
  );
}

function missingColumns(
  line: ReportLines,
  columns: { n_miss: Int32Array; n_geno: Int32Array; f_miss: Float64Array },
  k: number,
): void {
  line.int(columns.n_miss[k]!, 8).int(columns.n_geno[k]!, 8).g4(columns.f_miss[k]!, 8);
}

function* pieces(
  count: number,
  header: string,
  write: (line: ReportLines, k: number) => void,
): Generator<Uint8Array> {
  const lines = new ReportLines();
  lines.text(header);
  for (let k = 0; k < count; k++) {
    write(lines, k);
    lines.end();
    if (lines.isFull) yield lines.take();
  }
  yield lines.take();
}
