import { writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { openPlink } from "../src/index.ts";
import { edit, makeFileset, pack, temporaryFolder } from "./support/filesets.ts";

const [N, P] = [10, 12];
/** hom A1, missing, het, hom A2. */
const [A1, MISSING, HET, A2] = [0, 1, 2, 3];

/** A fileset whose variants listed have A1 = A2 and these genotypes, the rest of the people missing. */
function made(folder: string, variants: Record<number, number[]>, sampleMajor: boolean, name = "G"): string {
  const { prefix, codes } = makeFileset(folder, { n: N, p: P, sampleMajor });
  const lines = Array.from({ length: P }, (_, j) => `1 rs${j} 0 ${j} ${j in variants ? name : "A"} G\n`);
  if (name !== "G")
    for (const j of Object.keys(variants)) lines[Number(j)] = `1 rs${j} 0 ${j} ${name} ${name}\n`;
  writeFileSync(`${prefix}.bim`, lines.join(""));
  for (const [j, calls] of Object.entries(variants))
    for (let i = 0; i < N; i++) codes[Number(j) * N + i] = calls[i] ?? MISSING;
  const turned = Uint8Array.from(codes, (_, k) => codes[(k % P) * N + Math.floor(k / P)]!);
  const body = sampleMajor ? pack(turned, N, P) : pack(codes, P, N);
  edit(`${prefix}.bed`, (bytes) => Buffer.concat([bytes.subarray(0, 3), body]));
  return prefix;
}

describe.each([
  ["SNP-major", false],
  ["sample-major", true],
])("A1 = A2, %s", (_, sampleMajor) => {
  it("is a warning where one homozygous genotype is all there is", async () => {
    using folder = temporaryFolder();
    const variants = { 2: [A1, A1, A1], 3: [A2, A2], 7: [], 11: Array<number>(N).fill(A2) };
    const prefix = made(folder.path, variants, sampleMajor);
    await using study = await openPlink(prefix);
    const warning = study.warnings.find(({ code }) => code === "SAME_ALLELES");
    expect(warning?.message).toMatch(/study\.bim:3: .*both "G" \(4 such/);
    expect(warning?.details).toMatchObject({ line: 3, id: "rs2", count: 4 });
    await expect(openPlink(prefix, { strict: true })).rejects.toMatchObject({
      code: sampleMajor ? "BED_SAMPLE_MAJOR" : "SAME_ALLELES",
    });
  });

  it.each([
    ["both homozygous classes", [A1, A1, A2]],
    ["a heterozygote", [A2, HET, A2]],
    ["heterozygotes alone", [HET, HET]],
  ])("is refused with %s", async (_name, calls) => {
    using folder = temporaryFolder();
    const prefix = made(folder.path, { 1: [A1], 4: calls, 5: [A1, A2] }, sampleMajor);
    await expect(openPlink(prefix)).rejects.toMatchObject({
      code: "SAME_ALLELES",
      message: expect.stringMatching(/study\.bim:5: .*"rs4" are both "G" though.*2 such/),
      details: { line: 5, id: "rs4", count: 2 },
    });
  });

  it.each(["0", "."])("passes where the name is %s, which means unknown", async (name) => {
    using folder = temporaryFolder();
    await using study = await openPlink(made(folder.path, { 4: [A1, HET, A2] }, sampleMajor, name));
    expect(study.warnings.some(({ code }) => code === "SAME_ALLELES")).toBe(false);
  });

  it("is told by the whole name of a long allele", async () => {
    using folder = temporaryFolder();
    await expect(openPlink(made(folder.path, { 4: [A1, A2] }, sampleMajor, "ACGT"))).rejects.toMatchObject({
      code: "SAME_ALLELES",
      message: expect.stringContaining('both "ACGT"'),
    });
  });
});
