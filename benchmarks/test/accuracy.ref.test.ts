import { join } from "node:path";
import { describe, expect, it } from "vitest";
// @ts-expect-error plain JavaScript: run by Node as it is
import { checkStudy } from "../accuracy/study.mjs";

const fixtures = join(import.meta.dirname, "../../fixtures");

/** The long runs of benchmarks/accuracy in small: committed filesets and what GEMMA said about them. */
describe.each([
  ["demo", "demo"],
  ["tiny/mod1", "mod1"],
  ["tiny/mod2", "mod2"],
  ["tiny/mod3", "mod3"],
  ["tiny/nasty", "nasty"],
  ["tiny/few-snps", "few-snps"],
  ["tiny/twins", "twins"],
])("%s against GEMMA", (folder, name) => {
  it("holds every floor", { timeout: 120_000 }, async () => {
    const at = (file: string) => join(fixtures, folder, file);
    const { results } = await checkStudy({
      bfile: at(name),
      reference: {
        kinship: at("gemma/k1.cXX.lower.txt.gz"),
        eigenD: at("gemma/eig.eigenD.txt.gz"),
        runs: [
          { label: "lmm 1", assoc: at("gemma/lmm1.assoc.txt.gz"), log: at("gemma/lmm1.log.txt") },
          {
            label: "lmm 1, covariates",
            assoc: at("gemma/lmm1_cov.assoc.txt.gz"),
            log: at("gemma/lmm1_cov.log.txt"),
            covariates: at(`${name}.covar.txt`),
          },
        ],
      },
    });
    expect(results.filter((line: { ok: boolean }) => !line.ok)).toEqual([]);
    expect(results.length).toBeGreaterThan(20);
  });
});
