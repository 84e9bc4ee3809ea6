// No verb writes over a file it reads: exit 2 before anything runs, and the file stays as it was.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ligate, openVcf, writeBcf } from "../src/index.ts";
import { FIXTURES, failure, folder, phaser } from "./support.ts";

const at = folder();
const copy = (name: string, as = name): string => at.file(as, readFileSync(join(FIXTURES, name)));
const input = copy("small.bcf");
const index = copy("small.bcf.csi");
const list = at.file("haploids.txt", "s1\n");
const chunk = copy("estimate.vcf", "chunk.vcf");

it.each([
  ["phase", "-I", input, "-O", input],
  ["phase", "-I", input, "-O", at.path("out.bcf"), "--log", input],
  ["phase", "-I", input, "-O", at.path("out.bcf"), "--conflicts", index],
  ["phase", "-I", input, "-O", at.path("out.bcf"), "--haploids", list, "--mendel-errors", list],
  ["ligate", chunk, copy("estimate.vcf", "chunk2.vcf"), "-O", chunk],
  ["ligate", "--input", at.file("list.txt", `${chunk}\n`), "-O", chunk],
  ["ligate", chunk, "-O", at.path("out.bcf"), "--report", chunk],
  ["rare", "-I", input, "-S", chunk, "-O", chunk.replace(/([^/]+)$/, "./$1")],
  ["rare", "-I", input, "-S", chunk, "-O", at.path("out.bcf"), "--conflicts", chunk],
  ["switch", "--estimate", copy("estimate.vcf", "x.site.tsv"), "--truth", chunk, "--output", at.path("x")],
])("%s %s %s %s %s", (...args) => {
  const files = [input, index, list, chunk, at.path("x.site.tsv")];
  const before = files.map((path) => readFileSync(path));
  const run = phaser(...args);
  expect([run.code, run.out, run.err.split(" ")[0]]).toEqual([2, "", "OUT_IS_INPUT"]);
  expect(files.map((path) => readFileSync(path))).toEqual(before);
});

it("nor one output over another", () => {
  const run = phaser("phase", "-I", input, "-O", at.path("y.bcf"), "--log", at.path("./y.bcf"));
  expect([run.code, run.err.split(" ")[0]]).toEqual([2, "OUT_TWICE"]);
});

it("nor does the library ligate onto a chunk", async () => {
  const loci = await (await openVcf(input)).loci();
  await writeBcf(loci, at.path("one.bcf"));
  expect((await failure(ligate([at.path("one.bcf")], at.path("one.bcf")))).code).toBe("OUT_IS_INPUT");
});
