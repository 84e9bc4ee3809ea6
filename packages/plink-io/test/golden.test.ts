// Our reports against the files PLINK 1.9 wrote (test/golden/make_golden.sh), byte for byte.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  freq,
  hardy,
  missing,
  openPlink,
  subset,
  writeFreq,
  writeHardy,
  writeMissing,
} from "../src/index.ts";
import { plinkIo } from "./support/cli.ts";
import { temporaryFolder } from "./support/filesets.ts";

const GOLDEN = join(import.meta.dirname, "golden");
const MOUSE = join(import.meta.dirname, "../../../../shared/data/lmm/mouse_hs1940/mouse_hs1940");
const folder = temporaryFolder();
afterAll(() => folder[Symbol.dispose]());
const out = (name: string): string => join(folder.path, name);
const text = (path: string): string => readFileSync(path, "latin1");

const VARIANTS = [
  ["", {}],
  [".nonfounders", { nonfounders: true }],
  [".keep", { keepAlleleOrder: true }],
] as const;

for (const set of ["edge", "quant", "none"])
  describe(`fileset ${set}`, () => {
    for (const [suffix, options] of VARIANTS) {
      it(`freq${suffix} and hardy${suffix} are PLINK's files`, async () => {
        await using study = await openPlink(join(GOLDEN, set));
        await writeFreq(out(`${set}.frq`), await freq(study, options));
        await writeHardy(out(`${set}.hwe`), await hardy(study, options));
        expect(text(out(`${set}.frq`))).toBe(text(join(GOLDEN, `${set}${suffix}.frq`)));
        expect(text(out(`${set}.hwe`))).toBe(text(join(GOLDEN, `${set}${suffix}.hwe`)));
      });
    }

    it("missing is PLINK's files", async () => {
      await using study = await openPlink(join(GOLDEN, set));
      await writeMissing(out(set), await missing(study));
      for (const ending of ["lmiss", "imiss"])
        expect(text(out(`${set}.${ending}`))).toBe(text(join(GOLDEN, `${set}.${ending}`)));
    });

    it("the command line writes the same files", () => {
      for (const verb of ["freq", "missing", "hardy"])
        expect(plinkIo([verb, "--bfile", join(GOLDEN, set), "--out", out(`cli-${set}`), "--quiet"])).toEqual({
          status: 0,
          stdout: "",
          stderr: "",
        });
      for (const ending of ["frq", "lmiss", "imiss", "hwe"])
        expect(text(out(`cli-${set}.${ending}`))).toBe(text(join(GOLDEN, `${set}.${ending}`)));
    });
  });

it("subset writes what --extract --keep --make-bed writes", async () => {
  await using study = await openPlink(join(GOLDEN, "quant"));
  await subset(study, out("subset"), {
    extract: join(GOLDEN, "quant.extract"),
    keep: join(GOLDEN, "quant.keep"),
  });
  // PLINK writes chr4 as 4; we keep chromosome names as they are.
  for (const part of ["bed", "bim", "fam"])
    expect(text(out(`subset.${part}`)).replaceAll(/^chr/gm, "")).toBe(
      text(join(GOLDEN, `quant.subset.${part}`)),
    );
});

it("reports on a part are those of --extract --remove", () => {
  const lists = ["--extract", join(GOLDEN, "quant.extract"), "--remove", join(GOLDEN, "quant.keep")];
  for (const verb of ["freq", "missing", "hardy"])
    expect(
      plinkIo([verb, "--bfile", join(GOLDEN, "quant"), "--out", out("part"), "--quiet", ...lists]).status,
    ).toBe(0);
  for (const ending of ["frq", "lmiss", "imiss", "hwe"])
    expect(text(out(`part.${ending}`))).toBe(text(join(GOLDEN, `quant.part.${ending}`)));
});

describe.skipIf(!existsSync(`${MOUSE}.bed`))("mouse_hs1940 (skipped where the data is not there)", () => {
  const sums = new Map(
    text(join(GOLDEN, "mouse.sha256"))
      .trimEnd()
      .split("\n")
      .map((line) => line.split(/ +/).reverse() as [string, string]),
  );
  for (const [verb, flags, endings] of [
    ["freq", [], ["frq"]],
    ["missing", [], ["lmiss", "imiss"]],
    ["hardy", [], ["hwe"]],
    ["freq", ["--nonfounders"], ["frq"]],
    ["hardy", ["--nonfounders"], ["hwe"]],
  ] as const)
    it(`${verb} ${flags}`, () => {
      const name = flags.length > 0 ? "mouse.nonfounders" : "mouse";
      expect(plinkIo([verb, "--bfile", MOUSE, "--out", out(name), "--quiet", ...flags]).status).toBe(0);
      for (const ending of endings) {
        const sum = createHash("sha256")
          .update(readFileSync(out(`${name}.${ending}`)))
          .digest("hex");
        expect(sum).toBe(sums.get(`${name}.${ending}`));
      }
    });
});
