import { xError } from "@x/core/base";
import type { BimTable } from "./bim-table.ts";
import { shorten } from "./bim-warnings.ts";
import { countRows } from "./counts.ts";
import type { PlinkStudy, PlinkWarning, RunningOptions } from "./types.ts";

/**
 * Looks at variants whose two alleles have one name, and at their rows of the .bed only. Where everybody typed has the
 * same homozygous genotype nothing can be mixed up: a warning. Else nobody can tell which allele a call means.
 *
 * @throws XError SAME_ALLELES: file, line and id of the first such variant, and how many there are.
 */
export async function checkSameAlleles(
  study: PlinkStudy,
  bim: BimTable,
  warn: (warning: PlinkWarning) => void,
  options: RunningOptions = {},
): Promise<void> {
  const rows = sameRows(bim);
  if (rows.length === 0) return;
  const path = study.paths.bim;
  const [counts] = await countRows(study, rows, [null], options);
  const varied = rows.filter((_, k) => {
    const [hom1, het, hom2] = [counts![4 * k]!, counts![4 * k + 1]!, counts![4 * k + 2]!];
    return het > 0 || (hom1 > 0 && hom2 > 0);
  });
  const row = varied[0] ?? rows[0]!;
  const where = `${path}:${row + 1}: allele 1 and allele 2`;
  const name = shorten(bim.allele(bim.a1[row]!));
  const details = { path, line: row + 1, id: bim.id(row) };
  if (varied.length > 0)
    throw xError(
      "SAME_ALLELES",
      `${where} of ${shorten(bim.id(row))} are both ${name} though its genotypes differ: which allele a call means ` +
        `cannot be told (${varied.length} such variant(s)). Correct the .bim, or leave them out (plink1.9 --exclude).`,
      { details: { ...details, count: varied.length } },
    );
  warn({
    code: "SAME_ALLELES",
    message:
      `${where} are both ${name} (${rows.length} such variant(s), each with one genotype). They are read; the allele ` +
      "names of their results say nothing.",
    details: { ...details, count: rows.length },
  });
}

/** Rows with A1 = A2, the missing codes `0` and `.` apart. */
function sameRows({ a1, a2 }: BimTable): Uint32Array {
  const [zero, point] = [48, 46];
  const rows: number[] = [];
  for (let j = 0; j < a1.length; j++) if (a1[j] === a2[j] && a1[j] !== zero && a1[j] !== point) rows.push(j);
  return Uint32Array.from(rows);
}
