// The committed filesets against what GEMMA 0.98.5 wrote for them (fixtures/make_oracles.sh has the command lines).
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPlink } from "@x/plink-io";
import { describe, expect, it } from "vitest";
import { compareAssoc, compareKinship, eigen, joinSamples, Kinship, kinship } from "../src/index.ts";
import { copyFileset, golden, gunzipText, lmm, squareText, tempFolder } from "./support/files.ts";

const sets = ["demo", "mod1", "mod2", "mod3", "nasty", "few-snps", "twins"];

/** Labels and numbers of a GEMMA log, its six digits. */
function logFacts(text: string): Map<string, number[]> {
  const facts = new Map<string, number[]>();
  for (const line of text.split("\n")) {
    const match = /^## (.*?) =(.*)$/.exec(line);
    if (match && /^number|null model|se\(/.test(match[1]!))
      facts.set(match[1]!, match[2]!.trim().split(/\s+/).map(Number));
  }
  return facts;
}

describe.each(sets)("%s", (name) => {
  const folder = tempFolder();
  const prefix = copyFileset(name, folder);

  it("GEMMA's command lines give GEMMA's files", async () => {
    const gk = await lmm(["-bfile", prefix, "-gk", "1", "-o", "k1"], { cwd: folder });
    expect(gk, gk.err).toMatchObject({ code: 0 });
    const k = await compareKinship(join(folder, "output/k1.cXX.txt"), golden(name, "k1.cXX.lower.txt.gz"));
    expect(k.columns[0]!.failures, JSON.stringify(k)).toBe(0);
    const covariates = ["-c", `${prefix}.covar.txt`];
    for (const [run, mode, extra] of [
      ["lmm1", "1", []],
      ["lmm1_cov", "1", covariates],
      ...(name === "demo" ? [] : [["lmm4_cov", "4", covariates] as const]),
    ] as const) {
      const ran = await lmm(
        ["-bfile", prefix, "-k", "output/k1.cXX.txt", "-lmm", mode, "-o", run, ...extra],
        {
          cwd: folder,
        },
      );
      expect(ran, ran.err).toMatchObject({ code: 0 });
      const result = await compareAssoc(
        join(folder, `output/${run}.assoc.txt`),
        golden(name, `${run}.assoc.txt.gz`),
      );
      expect({ run, ...result }, JSON.stringify(result.columns.filter((c) => c.failures > 0))).toMatchObject({
        ok: true,
        headerEqual: true,
      });
      const theirs = logFacts(readFileSync(golden(name, `${run}.log.txt`), "utf8"));
      const ours = logFacts(readFileSync(join(folder, `output/${run}.log.txt`), "utf8"));
      expect(theirs.size).toBeGreaterThan(8);
      for (const [label, values] of theirs)
        values.forEach((value, i) => {
          // An effect that is 0 up to rounding has no digits to compare.
          const scale = label.startsWith("beta") ? theirs.get("se(beta)")![i]! : Math.abs(value);
          const found = ours.get(label)?.[i] ?? Number.NaN;
          if (Number.isNaN(value)) expect(found, label).toBeNaN();
          else
            expect(Math.abs(found - value), `${run}: ${label} ${found} ${value}`).toBeLessThanOrEqual(
              1e-5 * scale,
            );
        });
    }
  });

  it("eigenvalues of GEMMA's cut and re-centred K", async () => {
    await using study = await openPlink(prefix);
    const cohort = await joinSamples(study);
    // GEMMA's own digits of K: ten of them move an eigenvalue by more than what is allowed here.
    const path = join(folder, "gemma.cXX.txt");
    writeFileSync(path, squareText(golden(name, "k1.cXX.lower.txt.gz")));
    await using k = await Kinship.load(path, study);
    await using e = await eigen(k, cohort);
    const expected = gunzipText(golden(name, "eig.eigenD.txt.gz")).trim().split("\n").map(Number);
    const largest = expected.at(-1)!;
    expect(e.values.length).toBe(expected.length);
    let zeros = 0;
    for (const [i, d] of expected.entries()) {
      if (d === 0) {
        zeros++;
        expect(e.values[i], `eigenvalue ${i}`).toBe(0);
      } else if (d > 1e-10 * largest)
        expect(Math.abs(e.values[i]! - d), `eigenvalue ${i}: ${e.values[i]} for ${d}`).toBeLessThanOrEqual(
          1e-8 * d,
        );
    }
    expect(zeros).toBeGreaterThan(0);
  });

  it("the computed K decomposes as the one read back", async () => {
    await using study = await openPlink(prefix);
    const cohort = await joinSamples(study);
    await using k = await kinship(study, cohort);
    await k.save(join(folder, "k.arrow"));
    await using loaded = await Kinship.load(join(folder, "k.arrow"), study);
    await using a = await eigen(k, cohort);
    await using b = await eigen(loaded, cohort);
    expect(b.values).toEqual(a.values);
  });
});
