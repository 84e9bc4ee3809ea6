import { fileError, type InputFile } from "@x/core/base";

/** Bytes before the first genotype. */
export const BED_HEADER: Uint8Array = Uint8Array.of(0x6c, 0x1b, 0x01);

/** Bytes of one row of `count` genotypes. */
export function rowBytes(count: number): number {
  return Math.ceil(count / 4);
}

const COMPRESSED: readonly [string, readonly number[], string][] = [
  ["gzip", [0x1f, 0x8b], "gunzip"],
  ["zstd", [0x28, 0xb5, 0x2f, 0xfd], "zstd -d"],
  ["bzip2", [0x42, 0x5a, 0x68], "bunzip2"],
  ["xz", [0xfd, 0x37, 0x7a, 0x58], "unxz"],
];

/**
 * Checks the first bytes of a .bed.
 *
 * @returns `variant` for the usual SNP-major file, `sample` for the old sample-major one.
 * @throws XError BED_EMPTY, BED_COMPRESSED, BED_MAGIC, BED_MODE.
 */
export async function checkBedHeader(bed: InputFile): Promise<"variant" | "sample"> {
  const { path, size } = bed;
  if (size === 0)
    throw fileError(
      "BED_EMPTY",
      path,
      "the file is empty (0 bytes): it was cut in transfer. Copy it again from where the fileset was made.",
      { byte: 0 },
    );
  const head = await bed.read(0, Math.min(512, size));
  for (const [name, magic, tool] of COMPRESSED)
    if (magic.every((byte, k) => head[k] === byte))
      throw fileError(
        "BED_COMPRESSED",
        path,
        `the file is ${name}-compressed. Unpack it first (${tool}): a .bed is read at random.`,
        {
          byte: 0,
        },
      );
  if (head[0] !== BED_HEADER[0] || head[1] !== BED_HEADER[1]) {
    const found = [...head.subarray(0, 2)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
    throw fileError(
      "BED_MAGIC",
      path,
      `not a PLINK 1 .bed (found ${found}, wanted 6c 1b)${textHint(head)}. Make a fileset with plink2 --make-bed.`,
      { byte: 0, found },
    );
  }
  if (head[2] === 1) return "variant";
  if (head[2] === 0) return "sample";
  if (head[2] === undefined)
    throw fileError("BED_SIZE", path, "2 bytes found: the file was cut in transfer.", { byte: 2, found: 2 });
  const mode = head[2].toString(16).padStart(2, "0");
  throw fileError(
    "BED_MODE",
    path,
    `third byte ${mode}, wanted 01 (SNP-major) or 00 (sample-major). Write the fileset again with plink2 --make-bed.`,
    {
      byte: 2,
      found: mode,
    },
  );
}

function textHint(head: Uint8Array): string {
  if (!head.every((byte) => byte === 9 || byte === 10 || byte === 13 || (byte >= 32 && byte < 127)))
    return "";
  const text = Buffer.from(head).toString("latin1");
  if (text.startsWith("##fileformat=VCF"))
    return ": a text file? It is a VCF; make a fileset with plink2 --vcf FILE --make-bed";
  if (/^(track|browser|#|\S+\t\d+\t\d+)/.test(text))
    return ": a text file? It looks like a UCSC BED interval file, another format of the same name";
  return ": a text file?";
}

/**
 * Compares the size of a .bed with what .bim and .fam ask for.
 *
 * @throws XError BED_SIZE: found, expected and which of n or p would make it fit.
 */
export function checkBedSize(
  path: string,
  size: number,
  n: number,
  p: number,
  layout: "variant" | "sample",
): void {
  const [major, minor] = layout === "variant" ? [p, n] : [n, p];
  const bytes = rowBytes(minor);
  const expected = 3 + major * bytes;
  if (size === expected) return;
  const gap = Math.abs(size - expected);
  const message =
    `${number(size)} bytes found, ${number(expected)} expected for ${number(p)} variants × ${number(n)} samples ` +
    `(3 + ${number(major)} × ${number(bytes)}). The file is ${number(gap)} byte${gap === 1 ? "" : "s"} ` +
    `${size < expected ? "short" : "too long"}: ${likelyCause(size, n, p, layout)}`;
  throw fileError("BED_SIZE", path, message, {
    byte: Math.min(size, expected),
    found: size,
    expected,
    samples: n,
    variants: p,
  });
}

function likelyCause(size: number, n: number, p: number, layout: "variant" | "sample"): string {
  const [major, minor] = layout === "variant" ? [p, n] : [n, p];
  const [majorName, minorName] = layout === "variant" ? ["variants", "samples"] : ["samples", "variants"];
  const fits: string[] = [];
  const payload = size - 3;
  const rows = payload / rowBytes(minor);
  if (Number.isInteger(rows) && rows > 0) {
    const listing = majorName === "variants" ? ".bim" : ".fam";
    const noun = majorName === "variants" ? "SNP" : "sample";
    const gap = Math.abs(rows - major);
    const amount = gap === 1 ? `one ${noun}` : `${number(gap)} ${noun}s`;
    fits.push(
      `it would fit ${number(rows)} ${majorName} (${amount} ${rows > major ? "more" : "fewer"} than ${listing})`,
    );
  }
  const bytes = payload / major;
  if (Number.isInteger(bytes) && bytes > 0) {
    const listing = minorName === "samples" ? ".fam" : ".bim";
    fits.push(
      `it would fit ${number(bytes * 4 - 3)} to ${number(bytes * 4)} ${minorName} (${listing} has ${number(minor)})`,
    );
  }
  if (fits.length === 0) return "it was cut in transfer, or .bim/.fam belong to another fileset.";
  return `${fits.join(", or ")}, so .bim/.fam belong to another fileset or lost lines, or the .bed was cut.`;
}

function number(value: number): string {
  return value.toLocaleString("en");
}
