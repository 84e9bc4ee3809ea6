import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";

/** The made-up families (golden/families/make_families.py). */
export const families: string = fileURLToPath(new URL("../golden/families", import.meta.url));

/** A copy of the fileset in a folder; returns its prefix. */
export function copyFamilies(folder: string): string {
  for (const ext of ["bed", "bim", "fam", "covar.txt", "env.txt"])
    copyFileSync(join(families, `families.${ext}`), join(folder, `families.${ext}`));
  return join(folder, "families");
}

/** An `.assoc.txt`, plain or gzip. */
export interface Assoc {
  header: readonly string[];
  /** The columns of text, up to af. */
  texts: readonly string[];
  column(name: string): Float64Array;
}

export function readAssoc(path: string): Assoc {
  const bytes = readFileSync(path);
  const lines = (path.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("latin1").trimEnd().split("\n");
  const header = lines[0]!.split("\t");
  const cells = lines.slice(1).map((line) => line.split("\t"));
  return {
    header,
    texts: cells.map((row) => row.slice(0, 7).join(" ")),
    column: (name) => Float64Array.from(cells, (row) => Number(row[header.indexOf(name)])),
  };
}

/** Worst differences, as the tolerances of multivariate results are stated. */
export function worst(
  ours: Assoc,
  theirs: Assoc,
  rows: (row: number) => boolean = () => true,
): Record<string, number> {
  const found: Record<string, number> = {};
  const se = (name: string): Float64Array => {
    const [, t, u = t] = name.split("_");
    const [a, b] = [theirs.column(`Vbeta_${t}_${t}`), theirs.column(`Vbeta_${u}_${u}`)];
    return name.startsWith("beta") ? a.map(Math.sqrt) : a.map((v, i) => Math.sqrt(v * b[i]!));
  };
  for (const name of theirs.header.slice(7)) {
    const [a, b] = [ours.column(name), theirs.column(name)];
    const scale = name.startsWith("p_") ? undefined : se(name);
    let most = 0;
    for (let i = 0; i < b.length; i++) {
      if (!rows(i)) continue;
      const difference = scale
        ? Math.abs(a[i]! - b[i]!) / scale[i]!
        : Math.abs(Math.log10(a[i]!) - Math.log10(b[i]!)) / Math.max(1, -Math.log10(b[i]!));
      if (!(difference <= most)) most = difference;
    }
    found[name] = most;
  }
  return found;
}
