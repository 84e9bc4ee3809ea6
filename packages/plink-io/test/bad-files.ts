// The rows of bad-inputs.tsv for .bed, .bim and .fam: how to make each and what must happen.
import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { gzipSync } from "node:zlib";
import type { OpenOptions } from "../src/index.ts";
import { edit, editLine, type MadeFileset } from "./support/filesets.ts";

export interface BadFile {
  make: (set: MadeFileset) => void;
  /** Refused with this code … */
  code?: string;
  /** … and a message that says so; or accepted with this warning. */
  says?: RegExp;
  /** Accepted, with this warning code when given. */
  warning?: string | null;
  /** The result is the same as that of the untouched fileset. */
  same?: boolean;
  options?: OpenOptions;
}

const replaceField = (field: number, text: string) => (line: string) => {
  const fields = line.split(/[\t ]/);
  fields[field] = text;
  return fields.join("\t");
};

export const badFiles: Record<string, BadFile> = {
  "bed-magic": {
    make: ({ prefix }) => edit(`${prefix}.bed`, (b) => Buffer.concat([Buffer.of(0, 0), b.subarray(2)])),
    code: "BED_MAGIC",
    says: /study\.bed.*found 00 00, wanted 6c 1b/,
  },
  "bed-mode0": {
    // 101 × 300 read as 300 × 101 has another size: it is never taken for SNP-major.
    make: ({ prefix }) =>
      edit(`${prefix}.bed`, (b) => Buffer.concat([b.subarray(0, 2), Buffer.of(0), b.subarray(3)])),
    code: "BED_SIZE",
    says: /101 × 75/,
  },
  "bed-mode2": {
    make: ({ prefix }) =>
      edit(`${prefix}.bed`, (b) => Buffer.concat([b.subarray(0, 2), Buffer.of(2), b.subarray(3)])),
    code: "BED_MODE",
    says: /third byte 02/,
  },
  "bed-trunc1": {
    make: ({ prefix }) => truncateSync(`${prefix}.bed`, 7802),
    code: "BED_SIZE",
    says: /7,802 bytes found, 7,803 expected for 300 variants × 101 samples \(3 \+ 300 × 26\)\. The file is 1 byte short/,
  },
  "bed-trunc-half": {
    make: ({ prefix }) => truncateSync(`${prefix}.bed`, 3903),
    code: "BED_SIZE",
    says: /would fit 150 variants/,
  },
  "bed-extra7": {
    make: ({ prefix }) => appendFileSync(`${prefix}.bed`, Buffer.alloc(7)),
    code: "BED_SIZE",
    says: /7 bytes too long/,
  },
  "bed-extra-row": {
    make: ({ prefix }) => appendFileSync(`${prefix}.bed`, Buffer.alloc(26)),
    code: "BED_SIZE",
    says: /one SNP more than \.bim/,
  },
  "bed-empty": {
    make: ({ prefix }) => writeFileSync(`${prefix}.bed`, ""),
    code: "BED_EMPTY",
    says: /study\.bed.*0 bytes/,
  },
  "bed-3bytes": {
    make: ({ prefix }) => {
      truncateSync(`${prefix}.bed`, 3);
      writeFileSync(`${prefix}.bim`, "");
    },
    code: "NO_VARIANTS",
    says: /study\.bim/,
  },
  "bed-padbits": {
    make: ({ prefix, n, p }) =>
      edit(`${prefix}.bed`, (b) => {
        for (let j = 0; j < p; j++) b[3 + (j + 1) * Math.ceil(n / 4) - 1]! |= 0b11111100;
        return b;
      }),
    same: true,
  },
  "bed-text": {
    make: ({ prefix }) => writeFileSync(`${prefix}.bed`, "chr1\t100\t200\tname\n"),
    code: "BED_MAGIC",
    says: /text file\?.*UCSC/,
  },
  "bed-gz": {
    make: ({ prefix }) => edit(`${prefix}.bed`, (b) => gzipSync(b)),
    code: "BED_COMPRESSED",
    says: /gunzip/,
  },
  "bed-dir": {
    make: ({ prefix }) => {
      rmSync(`${prefix}.bed`);
      mkdirSync(`${prefix}.bed`);
    },
    code: "NOT_A_FILE",
    says: /study\.bed/,
  },
  "bed-fifo": {
    make: ({ prefix }) => {
      rmSync(`${prefix}.bed`);
      execFileSync("mkfifo", [`${prefix}.bed`]);
    },
    code: "NOT_SEEKABLE",
    says: /study\.bed/,
  },
  "bed-missing": {
    make: ({ prefix }) => rmSync(`${prefix}.bed`),
    code: "ENOENT",
    says: /study\.bed: no such file\. There: .*study\.bim, .*study\.fam/,
  },
  "bed-symlink-loop": {
    make: ({ prefix }) => {
      rmSync(`${prefix}.bed`);
      symlinkSync(`${prefix}.bed`, `${prefix}.bed`);
    },
    code: "ELOOP",
    says: /study\.bed/,
  },
  "bed-n0": {
    make: ({ prefix }) => writeFileSync(`${prefix}.fam`, ""),
    code: "NO_SAMPLES",
    says: /study\.fam/,
  },
  "fam-short1": {
    make: ({ prefix }) => editLine(`${prefix}.fam`, 101, () => undefined),
    code: "BED_SIZE",
    says: /would fit 101 to 104 samples \(\.fam has 100\)/,
  },
  "fam-short-same-ceil": {
    // 101 and 102 people take the same 26 bytes a row: the size cannot tell, only `expect` can.
    make: ({ prefix }) => appendFileSync(`${prefix}.fam`, "F101 I101 0 0 1 1\n"),
    code: "COUNT_MISMATCH",
    says: /102 samples found, 101 expected/,
    options: { expect: { samples: 101 } },
  },
  "bim-short1": {
    make: ({ prefix }) => editLine(`${prefix}.bim`, 300, () => undefined),
    code: "BED_SIZE",
    says: /one SNP more than \.bim/,
  },
  "fam-crlf": {
    make: ({ prefix }) => edit(`${prefix}.fam`, (b) => b.toString().replaceAll("\n", "\r\n")),
    same: true,
  },
  "bim-crlf": {
    make: ({ prefix }) => edit(`${prefix}.bim`, (b) => b.toString().replaceAll("\n", "\r\n")),
    same: true,
  },
  "fam-bom": {
    make: ({ prefix }) => edit(`${prefix}.fam`, (b) => `\uFEFF${b}`),
    same: true,
    warning: "BOM_STRIPPED",
  },
  "fam-utf16": {
    make: ({ prefix }) => edit(`${prefix}.fam`, (b) => Buffer.from(`\uFEFF${b}`, "utf16le")),
    code: "ENCODING",
    says: /study\.fam.*UTF-16/,
  },
  "fam-nul": {
    make: ({ prefix }) => edit(`${prefix}.fam`, (b) => b.toString().replace("F0", "F\0")),
    code: "NUL_BYTE",
    says: /study\.fam:1:/,
  },
  "fam-dup": {
    make: ({ prefix }) => editLine(`${prefix}.fam`, 7, (l) => l.replace("F6 I6", "F2 I2")),
    code: "DUP_SAMPLE",
    says: /line 3 and again on line 7/,
  },
  "fam-5col": {
    make: ({ prefix }) => editLine(`${prefix}.fam`, 7, (l) => l.split(" ").slice(0, 5).join(" ")),
    code: "COLUMNS",
    says: /study\.fam:7:.*5 columns found, 6 expected/,
  },
  "fam-blank": {
    make: ({ prefix }) => editLine(`${prefix}.fam`, 51, (l) => `\n${l}`),
    code: "BLANK_LINE",
    says: /study\.fam:51:/,
  },
  "fam-noeol": {
    make: ({ prefix }) => edit(`${prefix}.fam`, (b) => b.subarray(0, b.length - 1)),
    same: true,
  },
  "fam-hugefield": {
    make: ({ prefix }) => edit(`${prefix}.fam`, (b) => Buffer.concat([Buffer.alloc(100e6, "x"), b])),
    code: "FIELD_TOO_LONG",
    says: /study\.fam:1:/,
  },
  "bim-dup-id": {
    make: ({ prefix }) => editLine(`${prefix}.bim`, 9, replaceField(1, "rs3")),
    warning: "DUP_VARIANT_ID",
    says: /study\.bim:9:.*"rs3" is also on line 4/,
  },
  "bim-5col": {
    make: ({ prefix }) => editLine(`${prefix}.bim`, 1, (l) => l.replace("\t0\t", "\t")),
    code: "COLUMNS",
    says: /study\.bim:1:.*5 columns/,
  },
  "bim-negpos": {
    make: ({ prefix }) => editLine(`${prefix}.bim`, 1, replaceField(3, "-5")),
    warning: "NEGATIVE_POSITION",
    says: /study\.bim:1: 1 variant/,
  },
  "bim-textpos": {
    make: ({ prefix }) => editLine(`${prefix}.bim`, 1, replaceField(3, "x12")),
    code: "BAD_POSITION",
    says: /study\.bim:1:.*"x12"/,
  },
  "bim-pos-2e31": {
    make: ({ prefix }) => editLine(`${prefix}.bim`, 1, replaceField(3, "2147483648")),
    code: "POSITION_RANGE",
    says: /study\.bim:1:/,
  },
  "bim-unsorted": {
    make: ({ prefix }) => editLine(`${prefix}.bim`, 5, replaceField(3, "7")),
    warning: "UNSORTED",
    says: /study\.bim:5:.*line 4/,
  },
  "bim-allele-long": {
    make: ({ prefix }) => editLine(`${prefix}.bim`, 2, replaceField(4, "ACGT".repeat(25_000))),
    warning: null,
  },
  "bim-same-alleles": {
    make: ({ prefix }) => editLine(`${prefix}.bim`, 4, replaceField(4, "G")),
    code: "SAME_ALLELES",
    says: /study\.bim:4:.*"rs3" are both "G" though its genotypes differ.*1 such/,
  },
  "bim-chr-unknown": {
    make: ({ prefix }) => editLine(`${prefix}.bim`, 300, replaceField(0, "weird")),
    warning: "UNKNOWN_CHROMOSOME",
    says: /study\.bim:300:.*weird/,
  },
};

/** Makes a file unreadable; only other users than root notice. */
export function forbid(set: MadeFileset): void {
  chmodSync(set.folder, 0o755);
  chmodSync(`${set.prefix}.bed`, 0);
}
