import { existsSync, statSync } from "node:fs";
import { type InputFile, isXError, openInput, requireMemory, xError } from "@x/core/base";
import { checkBedHeader, checkBedSize } from "./bed.ts";
import { readBim } from "./bim.ts";
import { lazyColumns } from "./bim-table.ts";
import { readFam } from "./fam.ts";
import { checkRunning } from "./run-options.ts";
import { checkSameAlleles } from "./same-alleles.ts";
import { Study } from "./study.ts";
import type { OpenOptions, PlinkPaths, PlinkStudy, PlinkWarning } from "./types.ts";

/**
 * Opens a PLINK 1 fileset and checks it before anything else: magic, layout and exact size of the .bed against the
 * lines of .bim and .fam, then every line of both.
 *
 * @param fileset - A prefix (`data/study`), one of the three files, or the three paths. `.bim.gz` and `.fam.gz` are
 * found when the plain file is absent.
 * Warned about, or refused when `strict`: BOM_STRIPPED, BED_SAMPLE_MAJOR, DUP_VARIANT_ID, NEGATIVE_POSITION,
 * SAME_ALLELES (on variants with one genotype), UNKNOWN_CHROMOSOME, UNSORTED.
 * @throws XError UNKNOWN_OPTION, MEM_PREFLIGHT, BED_EMPTY, BED_COMPRESSED, BED_MAGIC, BED_MODE, BED_SIZE, NO_SAMPLES, NO_VARIANTS, COUNT_MISMATCH,
 * SAMPLE_HASH, SAME_ALLELES (one name for both alleles of a variant whose genotypes differ), NOT_A_FILE, NOT_SEEKABLE, ENOENT, EACCES, ELOOP and the codes of the two text files.
 */
export async function openPlink(
  fileset: string | PlinkPaths,
  options: OpenOptions = {},
): Promise<PlinkStudy> {
  checkRunning(options, ["expect", "phenotypes", "strict"], "openPlink");
  const paths = resolvePaths(fileset);
  const warnings: PlinkWarning[] = [];
  const warn = (warning: PlinkWarning): void => {
    if (options.strict) throw xError(warning.code, warning.message, { details: warning.details });
    warnings.push(warning);
  };
  const bed = await openTrio(paths);
  try {
    const opened = (done: number): void => options.onProgress?.({ stage: "opening", done, total: 3 });
    const layout = await checkBedHeader(bed);
    checkMemory(paths, options.memoryLimit);
    opened(1);
    const fam = await readFam(paths.fam, warn, options);
    opened(2);
    const bim = await readBim(paths.bim, warn, options.signal);
    opened(3);
    const [n, p] = [fam.iid.length, bim.length];
    checkExpected(paths, n, p, options);
    checkBedSize(paths.bed, bed.size, n, p, layout);
    if (layout === "sample")
      warn({
        code: "BED_SAMPLE_MAJOR",
        message: `${paths.bed}: the old sample-major layout; it is transposed while reading. plink1.9 --make-bed writes the usual one.`,
        details: { path: paths.bed },
      });
    const study = new Study({ bed, layout, fam, bim: lazyColumns(bim) }, paths, warnings);
    const expected = options.expect?.sampleHash;
    if (expected !== undefined && expected !== study.sampleHash)
      throw xError(
        "SAMPLE_HASH",
        `${paths.fam}: the samples are not the expected ones (hash ${study.sampleHash}, wanted ${expected}).`,
        {
          details: { path: paths.fam, found: study.sampleHash, expected },
        },
      );
    await checkSameAlleles(study, bim, warn, options);
    return study;
  } catch (error) {
    await bed.close();
    throw error;
  }
}

/** The three paths of a fileset; a compressed .bim or .fam is taken when the plain one is absent. */
export function resolvePaths(fileset: string | PlinkPaths): PlinkPaths {
  if (typeof fileset !== "string") return fileset;
  const prefix = fileset.replace(/\.(bed|bim|fam)$/, "");
  const text = (extension: string): string => {
    const plain = `${prefix}.${extension}`;
    return !existsSync(plain) && existsSync(`${plain}.gz`) ? `${plain}.gz` : plain;
  };
  return { bed: `${prefix}.bed`, bim: text("bim"), fam: text("fam") };
}

/** Opens the .bed; when one of the three is absent, says which of the others are there. */
async function openTrio(paths: PlinkPaths): Promise<InputFile> {
  const all = [paths.bed, paths.bim, paths.fam];
  const absent = all.filter((path) => !existsSync(path));
  try {
    const bed = openInput(paths.bed);
    if (absent.length === 0) return bed;
    await bed.close();
    await openInput(absent[0]!).close();
    return bed;
  } catch (error) {
    if (!isXError(error, "ENOENT")) throw error;
    const there = all.filter((path) => !absent.includes(path));
    const others =
      there.length === 0
        ? "None of the three files is there: is the prefix right?"
        : `There: ${there.join(", ")}.`;
    throw xError("ENOENT", `${absent[0]}: no such file. ${others}`, {
      cause: error,
      details: { path: absent[0], absent, there },
    });
  }
}

/** Names and positions are held as long as the study: at least what their text takes. */
function checkMemory({ bim, fam }: PlinkPaths, memoryLimit: number | undefined): void {
  if (memoryLimit === undefined) return;
  const parts = [bim, fam].map((path) => ({ name: path, bytes: statSync(path).size }));
  requireMemory({ parts, total: parts.reduce((sum, part) => sum + part.bytes, 0) }, { memoryLimit });
}

function checkExpected(paths: PlinkPaths, n: number, p: number, options: OpenOptions): void {
  const { samples, variants } = options.expect ?? {};
  if (samples !== undefined && samples !== n)
    throw xError("COUNT_MISMATCH", `${paths.fam}: ${n} samples found, ${samples} expected.`, {
      details: { path: paths.fam, found: n, expected: samples },
    });
  if (variants !== undefined && variants !== p)
    throw xError("COUNT_MISMATCH", `${paths.bim}: ${p} variants found, ${variants} expected.`, {
      details: { path: paths.bim, found: p, expected: variants },
    });
}
