import { readLines, type Warn } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import { lmmError, lmmFileError } from "./errors.ts";

/** Reads a list of variant ids, the first field of each line, as GEMMA's `-snps`. */
export async function readSnpList(path: string): Promise<Set<string>> {
  const ids = new Set<string>();
  for await (const { text } of readLines(path)) ids.add(text.trim().split(/\s+/)[0]!);
  if (ids.size === 0)
    throw lmmFileError("SNP_LIST", path, "the list is empty; write one variant id a line.", { line: 1 });
  return ids;
}

/**
 * Compares a list with the fileset: warns about ids that are absent, refuses a list of which none is there, and one
 * with an id that several variants share, since it does not say which is meant.
 * @throws SNP_LIST, DUP_VARIANT_ID.
 */
export function checkSnpList(
  study: Pick<PlinkStudy, "bim" | "paths">,
  ids: ReadonlySet<string>,
  warn?: Warn,
): void {
  const first = new Map<string, number>();
  study.bim.id.forEach((id, row) => {
    if (!ids.has(id)) return;
    const before = first.get(id);
    if (before !== undefined)
      throw lmmFileError(
        "DUP_VARIANT_ID",
        study.paths.bim,
        `the listed variant ${id} is on line ${before + 1} and again here; a list of ids cannot tell them apart. Give them different ids.`,
        { line: row + 1, lines: [before + 1, row + 1], id },
      );
    first.set(id, row);
  });
  const absent = ids.size - first.size;
  if (first.size === 0)
    throw lmmError(
      "SNP_LIST",
      `none of the ${ids.size} listed variants is in ${study.paths.bim}: compare the ids of both files.`,
      {
        details: { listed: ids.size },
      },
    );
  if (absent > 0)
    warn?.({
      code: "SNPS_NOT_FOUND",
      message: `${absent} of ${ids.size} listed variants are not in ${study.paths.bim}.`,
      details: { absent, listed: ids.size },
    });
}
