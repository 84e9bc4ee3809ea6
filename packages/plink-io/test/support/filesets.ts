import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A fileset on disk and the PLINK codes it was made from. */
export interface MadeFileset {
  folder: string;
  prefix: string;
  n: number;
  p: number;
  /** 0 hom A1, 1 missing, 2 het, 3 hom A2; row = variant. */
  codes: Uint8Array;
}

/** Small generator with a period that is long enough for fixtures. */
export function random(seed: number): () => number {
  let state = seed % 2147483647 || 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

/** A folder of its own, removed by `dispose`. */
export function temporaryFolder(): { path: string; [Symbol.dispose](): void } {
  const path = mkdtempSync(join(tmpdir(), "plink-io-"));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

export function makeCodes(n: number, p: number, seed = 1): Uint8Array {
  const next = random(seed);
  return Uint8Array.from({ length: n * p }, () => Math.floor(next() * 4));
}

/** Packs codes (`rows × columns`) four to a byte. */
export function pack(codes: Uint8Array, rows: number, columns: number): Uint8Array {
  const bytes = Math.ceil(columns / 4);
  const packed = new Uint8Array(rows * bytes);
  for (let row = 0; row < rows; row++)
    for (let i = 0; i < columns; i++)
      packed[row * bytes + (i >> 2)]! |= codes[row * columns + i]! << ((i & 3) * 2);
  return packed;
}

/** Dosage of allele 1 of each code, −127 missing. */
export function dosages(codes: Uint8Array): Int8Array {
  return Int8Array.from(codes, (code) => [2, -127, 1, 0][code]!);
}

export function makeFileset(
  folder: string,
  { n = 101, p = 300, seed = 1, name = "study", sampleMajor = false } = {},
): MadeFileset {
  const prefix = join(folder, name);
  const codes = makeCodes(n, p, seed);
  const turned = Uint8Array.from({ length: n * p }, (_, k) => codes[(k % p) * n + Math.floor(k / p)]!);
  const body = sampleMajor ? pack(turned, n, p) : pack(codes, p, n);
  writeFileSync(`${prefix}.bed`, Buffer.concat([Buffer.of(0x6c, 0x1b, sampleMajor ? 0 : 1), body]));
  const chrom = (j: number): number => 1 + Math.floor((3 * j) / p);
  const bim = Array.from(
    { length: p },
    (_, j) => `${chrom(j)}\trs${j}\t${j / 100}\t${1000 + 10 * j}\tA\tG\n`,
  );
  const fam = Array.from({ length: n }, (_, i) => `F${i} I${i} 0 0 ${1 + (i % 2)} ${i / 8}\n`);
  writeFileSync(`${prefix}.bim`, bim.join(""));
  writeFileSync(`${prefix}.fam`, fam.join(""));
  return { folder, prefix, n, p, codes };
}

/** Rewrites one file. */
export function edit(path: string, change: (bytes: Buffer) => Uint8Array | string): void {
  writeFileSync(path, change(readFileSync(path)));
}

/** Rewrites one line (1-based) of a text file; `undefined` drops it. */
export function editLine(path: string, line: number, change: (text: string) => string | undefined): void {
  const lines = readFileSync(path, "utf8").split("\n");
  const text = change(lines[line - 1]!);
  lines.splice(line - 1, 1, ...(text === undefined ? [] : [text]));
  writeFileSync(path, lines.join("\n"));
}
