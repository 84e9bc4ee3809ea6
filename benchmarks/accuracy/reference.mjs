import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** Text of a plain or gzip file. */
export function readText(path) {
  const bytes = readFileSync(path);
  return (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString("latin1");
}

/** GEMMA's .assoc.txt: the header line, and the fields of each row as they are written. */
export function readAssociations(path) {
  const [header, ...lines] = readText(path).trimEnd().split("\n");
  return { header, names: header.split("\t"), rows: lines.map((line) => line.split("\t")) };
}

/** Rows of a kinship: whole ones of GEMMA's .cXX.txt, or a lower triangle, whose row i has i values. */
export function readKinshipRows(path) {
  const rows = readText(path)
    .trimEnd()
    .split("\n")
    .map((line) => Float64Array.from(line.split("\t"), Number));
  return rows;
}

/** The square text that GEMMA wrote, from its lower triangle, so that our reader can be given a file like GEMMA's. */
export function squareText(path) {
  const rows = readText(path)
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));
  return `${rows.map((row, i) => rows.map((other, j) => (j <= i ? row[j] : other[i])).join("\t")).join("\n")}\n`;
}

/** Numbers of GEMMA's log file. */
export function readLog(path) {
  const text = readText(path);
  const number = (pattern) => Number(new RegExp(`## ${pattern}\\s*=\\s*(\\S+)`).exec(text)?.[1]);
  return {
    analyzed: number("number of analyzed individuals"),
    snps: number("number of analyzed SNPs/var"),
    pve: number("pve estimate in the null model"),
    vg: number("vg estimate in the null model"),
    ve: number("ve estimate in the null model"),
    pveSe: number("se\\(pve\\) in the null model"),
  };
}
