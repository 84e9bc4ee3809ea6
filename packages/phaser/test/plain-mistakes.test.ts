// What a newcomer may give by mistake, at the command line: each is named, and no table of zeros comes out.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { FIXTURES, folder, phaser } from "./support.ts";

const at = folder();
const estimate = join(FIXTURES, "estimate.vcf");
const truth = join(FIXTURES, "truth.vcf");
const text = readFileSync(truth, "utf8");
const unphased = at.file("unphased.vcf", text.replaceAll("|", "/"));

it("switch: unphased or swapped files are an error that says which", () => {
  const run = (a: string, b: string): unknown[] => {
    const { code, out, err } = phaser("switch", "--estimate", a, "--truth", b);
    return [code, out, err];
  };
  const none = (what: string) => [
    1,
    "",
    expect.stringMatching(`^NO_PHASED_HETS nothing was compared: ${what}`),
  ];
  expect(run(unphased, truth)).toEqual(
    none("the estimate .*unphased.vcf has no phased .* 392 .*unphased\\?"),
  );
  expect(run(estimate, unphased)).toEqual(none("the truth .*unphased.vcf .*swapped\\?"));
});

it("switch: a name that is not in the files is named; of several, the others are compared", () => {
  const run = (names: string) =>
    phaser("switch", "--estimate", estimate, "--truth", truth, "--samples", at.file("names.txt", names));
  expect(run("nob\n").err).toMatch(
    /^NO_COMMON_SAMPLES 1 of 1 .*estimate\.vcf has no nob; .*truth\.vcf has no nob/,
  );
  const some = run("s1 father mother\nnob\n");
  expect([some.code, some.out]).toEqual([0, expect.stringMatching(/^samples\t1\n/)]);
  expect(some.err).toMatch(
    /^warning EXTRA_COLUMNS .*names\.txt:1: 3 words.*\nwarning SAMPLE_UNKNOWN 1 of 2 /,
  );
});

it("check-oneallele: nothing to look at is an error, unphased genotypes are told", () => {
  const none = phaser("check-oneallele", truth, "--region", "21");
  expect([none.code, none.out, none.err]).toEqual([
    1,
    "",
    expect.stringMatching(/^NO_VARIANTS .*truth\.vcf: no record lies in 21, so nothing was checked/),
  ]);
  const open = phaser("check-oneallele", unphased);
  expect([open.code, open.err]).toEqual([
    0,
    expect.stringMatching(/^warning UNPHASED 13 of the 13 genotypes/),
  ]);
});

it("phase: options as they were typed, a panel from elsewhere, a byte order mark, too little memory", () => {
  const phase = (...more: string[]) =>
    phaser("phase", "--input", truth, "--output", at.path("o.bcf"), ...more);
  expect(phase("--filter-maf", "0.6")).toMatchObject({
    code: 2,
    err: 'OPTION_RANGE --filter-maf must be a number from 0 to 0.5, got "0.6"\n',
  });
  expect(phase("--mcmc-iterations", "5x")).toMatchObject({
    code: 2,
    err: expect.stringMatching(/^BAD_SCHEDULE/),
  });
  const far = at.file("far.vcf", text.replaceAll("\n20\t", "\n20\t90"));
  for (const role of ["--reference", "--scaffold"])
    expect(phase(role, far)).toMatchObject({
      code: 1,
      err: expect.stringMatching(
        /^NO_COMMON_VARIANTS .*far\.vcf: the (panel|scaffold) has no variant .* 20:1000-12800/,
      ),
    });
  expect(phase("--memory-limit", "5M")).toMatchObject({
    code: 1,
    err: expect.stringMatching(/^MEM_PREFLIGHT [\s\S]*this process so far/),
  });
  const bom = at.file("bom.vcf", `\ufeff${text}`);
  for (const line of [
    ["phase", "--input", bom, "--output", at.path("o.bcf")],
    ["check-oneallele", bom],
  ])
    expect(phaser(...line).err).toMatch(
      /^VCF_HEADER .*bom\.vcf: a byte order mark stands before the first line/,
    );
});

it("help lists every option once", () => {
  const { out } = phaser("phase", "--help");
  expect(out.match(/^ +--threads/gm)).toHaveLength(1);
});
