import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { isXError, type XError } from "@x/core/base";
import { afterAll } from "vitest";

export const FIXTURES: string = join(import.meta.dirname, "fixtures");
/** Reference data that is never committed. */
export const SHARED: string = join(import.meta.dirname, "../../../../shared/data/phaser");

/** Makes files in a folder that goes when the test file has run. */
export function folder(): {
  path(name: string): string;
  file(name: string, data: string | Uint8Array): string;
  remove(name: string): void;
} {
  const root = mkdtempSync(join(tmpdir(), "x-phaser-"));
  afterAll(() => rmSync(root, { recursive: true, force: true }));
  const path = (name: string): string => join(root, name);
  return {
    path,
    file(name, data) {
      writeFileSync(path(name), data);
      return path(name);
    },
    remove: (name) => rmSync(path(name), { force: true }),
  };
}

/** A VCF of chromosome 20: `rows` are `POS ID REF ALT GT…`, separated by spaces. */
export function vcf(samples: readonly string[], rows: readonly string[]): string {
  const head = [
    "##fileformat=VCFv4.2",
    "##contig=<ID=20,length=63025520>",
    '##INFO=<ID=AC,Number=A,Type=Integer,Description="Allele count">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    `#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t${samples.join("\t")}`,
  ];
  const body = rows.map((row) => {
    const [pos, id, ref, alt, ...gt] = row.split(" ");
    return ["20", pos, id, ref, alt, ".", ".", ".", "GT", ...gt].join("\t");
  });
  return `${[...head, ...body].join("\n")}\n`;
}

/** Records of a VCF's text. */
export function records(bytes: Uint8Array): string[] {
  const plain = bytes[0] === 0x1f ? gunzipSync(bytes) : bytes;
  return Buffer.from(plain)
    .toString()
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
}

/** The XError a promise rejects with. */
export async function failure(run: Promise<unknown>): Promise<XError> {
  const e = await run.then(
    () => undefined,
    (error: unknown) => error,
  );
  if (isXError(e)) return e;
  throw new Error(`an XError was expected, got ${String(e)}`);
}

/** The command line as built. */
export function phaser(...args: string[]): { code: number | null; out: string; err: string } {
  return phaserWith({}, ...args);
}

/** The same with more in its environment. */
export function phaserWith(
  env: Record<string, string>,
  ...args: string[]
): { code: number | null; out: string; err: string } {
  const bin = join(import.meta.dirname, "../bin/phaser.mjs");
  const run = spawnSync(process.execPath, [bin, ...args], {
    encoding: "utf8",
    env: { ...process.env, ...env },
  });
  return { code: run.status, out: run.stdout, err: run.stderr };
}
