// Decompositions kept in files: whole or absent, of one cohort, checked when read. Test names hold ids of bad-inputs.tsv.
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openPlink } from "@x/plink-io";
import { describe, expect, it } from "vitest";
import {
  associate,
  type Cohort,
  type Eigen,
  eigen,
  gwas,
  joinSamples,
  type Kinship,
  kinship,
  loadEigen,
  planGwas,
} from "../src/index.ts";
import { copyFileset, lmm, names, tempFolder } from "./support/files.ts";

const folder = tempFolder();
const prefix = copyFileset("twins", folder);

async function decomposed<T>(
  use: (parts: {
    cohort: Cohort;
    k: Kinship;
    e: Eigen;
    study: Awaited<ReturnType<typeof openPlink>>;
  }) => Promise<T>,
): Promise<T> {
  await using study = await openPlink(prefix);
  const cohort = await joinSamples(study);
  await using k = await kinship(study, cohort);
  await using e = await eigen(k, cohort);
  return await use({ study, cohort, k, e });
}

const rowsOf = (path: string): string[][] =>
  readFileSync(path, "utf8")
    .trimEnd()
    .split("\n")
    .map((line) => line.split("\t"));
const write = (path: string, rows: readonly (readonly (string | number)[])[]): void =>
  writeFileSync(path, rows.map((row) => `${row.join("\t")}\n`).join(""));

describe("Eigen.save and loadEigen", () => {
  it("Arrow: the same numbers, results and facts; the same bytes when written again", () =>
    decomposed(async ({ study, cohort, k, e }) => {
      const path = join(folder, "k.eig");
      expect(await e.save(path)).toEqual([path]);
      await using back = await loadEigen(path, cohort, { kinship: k });
      expect(back.values).toEqual(e.values);
      expect(back.tile(0, 5, 3, 4)).toEqual(e.tile(0, 5, 3, 4));
      expect(back.facts.cohortHash).toBe(cohort.hash);
      expect(back.facts.orthogonality).toBeLessThan(1e-12);
      expect(back.facts.residual).toBeLessThan(1e-12);
      const all = async (from: Eigen) => {
        for await (const block of associate(study, cohort, from).columns()) return block;
        return undefined;
      };
      expect(await all(back)).toEqual(await all(e));
      await back.save(join(folder, "again.eig"));
      await using unchecked = await loadEigen(path, cohort);
      await unchecked.save(join(folder, "third.eig"));
      expect(readFileSync(join(folder, "third.eig"))).toEqual(readFileSync(path));
    }));

  it("another cohort is refused by name", () =>
    decomposed(async ({ study, e, cohort }) => {
      const path = join(folder, "mine.eig");
      await e.save(path);
      const values = study.fam.phenotypes[0]!;
      const lines = (drop: number): string =>
        Array.from(values, (v, i) => `${i === drop || Number.isNaN(v) ? "NA" : v}\n`).join("");
      const [first, second] = cohort.analyzed;
      writeFileSync(join(folder, "p.txt"), lines(first!));
      const fewer = await joinSamples(study, { phenotypes: join(folder, "p.txt") });
      await expect(loadEigen(path, fewer)).rejects.toMatchObject({ code: "COHORT_MISMATCH" });
      // As many people, but others.
      await using k = await kinship(study, fewer);
      await using other = await eigen(k, fewer);
      await other.save(path);
      writeFileSync(join(folder, "p.txt"), lines(second!));
      const others = await joinSamples(study, { phenotypes: join(folder, "p.txt") });
      const refused = loadEigen(path, others);
      await expect(refused).rejects.toMatchObject({ code: "COHORT_MISMATCH" });
      await expect(refused).rejects.toThrow(/others/);
      const ran = await lmm(["-bfile", prefix, "--eig", path, "-lmm", "1", "-o", "x", "-outdir", folder]);
      expect(ran.code).toBe(1);
      expect(ran.err).toMatch(/^COHORT_MISMATCH /);
      expect(names(folder)).not.toContain("x.assoc.txt");
    }));

  it("covariates do not matter as long as the people are the same", () =>
    decomposed(async ({ study, e }) => {
      const path = join(folder, "k2.eig");
      await e.save(path);
      writeFileSync(
        join(folder, "c.txt"),
        Array.from({ length: study.n }, (_, i) => `${(i * 37) % 11}\n`).join(""),
      );
      const cohort = await joinSamples(study, { covariates: join(folder, "c.txt") });
      await using back = await loadEigen(path, cohort);
      expect(back.samples).toBe(cohort.analyzed.length);
    }));

  it("a cut file, another file, and text without its partner", () =>
    decomposed(async ({ cohort, k, e }) => {
      const path = join(folder, "cut.eig");
      await e.save(path);
      const whole = readFileSync(path);
      writeFileSync(path, whole.subarray(0, whole.length - 9));
      await expect(loadEigen(path, cohort)).rejects.toMatchObject({ code: "ARROW_FOOTER" });
      await k.save(path);
      await expect(loadEigen(path, cohort)).rejects.toMatchObject({ code: "EIG_FORMAT" });
      writeFileSync(path, "1\n2\n");
      await expect(loadEigen(path, cohort)).rejects.toMatchObject({ code: "EIG_FORMAT" });
      await expect(loadEigen(join(folder, "none"), cohort)).rejects.toMatchObject({ code: "ENOENT" });
    }));

  it("an aborted save leaves the old file", () =>
    decomposed(async ({ e }) => {
      const old = join(folder, "old.eig");
      writeFileSync(old, "before");
      const signal = AbortSignal.abort(new Error("stop"));
      await expect(e.save(old, { signal })).rejects.toThrow("stop");
      await expect(e.save(join(folder, "t"), { signal, format: "text" })).rejects.toThrow("stop");
      expect(readFileSync(old, "utf8")).toBe("before");
      expect(names(folder).filter((name) => /^t\.|tmp/.test(name))).toEqual([]);
      await e[Symbol.asyncDispose]();
      await expect(e.save(old)).rejects.toMatchObject({ code: "MATRIX_RELEASED" });
    }));
});

describe("GEMMA's text files", () => {
  const d = join(folder, "e.eigenD.txt");
  const u = join(folder, "e.eigenU.txt");
  const source = { values: d, vectors: u };
  const save = (): Promise<void> =>
    decomposed(async ({ e }) => {
      expect(await e.save(join(folder, "e"), { format: "text" })).toEqual([d, u]);
    });

  it("eig-notorth: U scaled by 1.01", async () => {
    await save();
    write(
      u,
      rowsOf(u).map((row) => row.map((v) => 1.01 * Number(v))),
    );
    await decomposed(async ({ cohort }) => {
      await expect(loadEigen(source, cohort)).rejects.toMatchObject({ code: "EIG_ORTHO" });
    });
    const ran = await lmm(["-bfile", prefix, "-d", d, "-u", u, "-lmm", "1", "-o", "y", "-outdir", folder]);
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/^EIG_ORTHO .*eigenU\.txt/);
  });

  it("eig-mismatch: eigenvalues of another K, in text and in the artifact", async () => {
    await save();
    await decomposed(async ({ study, cohort, k, e }) => {
      await using good = await loadEigen(source, cohort, { kinship: k });
      expect(good.facts.residual).toBeLessThan(1e-8);
      await using other = await kinship(study, cohort, { mode: "standardized" });
      await expect(loadEigen(source, cohort, { kinship: other })).rejects.toMatchObject({ code: "EIG_HASH" });
      // The vectors are right, the values are those of the other kinship.
      await using wrong = await eigen(other, cohort);
      write(
        d,
        Array.from(wrong.values, (v) => [v]),
      );
      await expect(loadEigen(source, cohort, { kinship: k })).rejects.toMatchObject({ code: "EIG_HASH" });
      const path = join(folder, "mix.eig");
      await e.save(path);
      await expect(loadEigen(path, cohort, { kinship: other })).rejects.toMatchObject({ code: "EIG_HASH" });
      const bytes = readFileSync(path);
      bytes[Math.floor(bytes.length / 2)]! ^= 1;
      writeFileSync(path, bytes);
      await expect(loadEigen(path, cohort)).rejects.toMatchObject({ code: "EIG_HASH" });
    });
  });

  it("wrong counts, text, NaN, a cut file and zeros only", async () => {
    await save();
    const [D, U] = [rowsOf(d), rowsOf(u)];
    const n = D.length;
    const cases: ReadonlyArray<readonly [() => void, string]> = [
      [() => write(d, D.slice(1)), "EIG_N"],
      [() => write(d, [...D.slice(0, 5), ["abc"], ...D.slice(6)]), "EIG_PARSE"],
      [() => write(d, [...D.slice(0, 5), ["NaN"], ...D.slice(6)]), "EIG_NAN"],
      [
        () =>
          write(
            d,
            D.map(() => [0]),
          ),
        "KIN_ZERO",
      ],
      [
        () =>
          write(
            u,
            U.slice(0, n - 1).map((row) => row.slice(1)),
          ),
        "EIG_N",
      ],
      [() => write(u, [...U.slice(0, 3), U[3]!.slice(1), ...U.slice(4)]), "EIG_N"],
      [() => write(u, [["x", ...U[0]!.slice(1)], ...U.slice(1)]), "EIG_PARSE"],
      [() => write(u, [["nan", ...U[0]!.slice(1)], ...U.slice(1)]), "EIG_NAN"],
      [() => writeFileSync(u, readFileSync(u).subarray(0, -10)), "EIG_TRUNCATED"],
    ];
    await decomposed(async ({ cohort }) => {
      for (const [damage, code] of cases) {
        write(d, D);
        write(u, U);
        damage();
        await expect(loadEigen(source, cohort), code).rejects.toMatchObject({ code });
      }
    });
  });
});

it("eig-n-over-lp64: beyond LAPACK's 32-bit sizes memory is the only limit, and it is asked for first", async () => {
  // No LAPACK here: sizes are 64 bit, so 1 + 6n + 2n² beyond 2³¹ is a number like any other.
  for (const samples of [32_767, 46_341]) {
    const { memory } = planGwas({ samples, variants: 1000, route: "primal" });
    expect(memory.total).toBeGreaterThan(16 * samples ** 2);
    const ran = await lmm([
      ...["plan", "--samples", String(samples), "--variants", "1000", "--route", "primal"],
      ...["--check", "--memory-limit", "8G"],
    ]);
    expect(ran.code).toBe(1);
    expect(ran.err).toMatch(/^MEM_PREFLIGHT /);
  }
});

it("gwas: --save-eigen, then --eig, give the same results without a kinship; unlike options are refused", async () => {
  const out = join(folder, "first");
  const saved = join(folder, "saved.eig");
  const first = await gwas(prefix, { out, saveEigen: saved, report: false });
  expect(first.files).toContain(saved);
  const second = await gwas(prefix, { out: join(folder, "second"), eigen: saved, report: false });
  expect(second.stages.map((s) => s.stage)).not.toContain("kinship");
  expect(readFileSync(join(folder, "second.assoc.txt"))).toEqual(readFileSync(`${out}.assoc.txt`));
  expect(second.diagnostics.kinship.twins).toBeUndefined();
  const ran = await lmm([
    "gwas",
    "--bfile",
    prefix,
    "--eig",
    saved,
    "--out",
    join(folder, "cli"),
    "--without-report",
  ]);
  expect(ran, ran.err).toMatchObject({ code: 0 });
  expect(readFileSync(join(folder, "cli.assoc.txt"))).toEqual(readFileSync(`${out}.assoc.txt`));
  // The GEMMA form writes and reads the same file.
  const k = join(folder, "k.arrow");
  await gwas(prefix, { saveKinship: k });
  await lmm(["-bfile", prefix, "-k", k, "-eigen", "--format", "arrow", "-o", "g", "-outdir", folder]);
  expect(existsSync(join(folder, "g.eig"))).toBe(true);
  renameSync(join(folder, "g.eig"), join(folder, "h.eig"));
  const h = await lmm([
    "-bfile",
    prefix,
    "--eig",
    join(folder, "h.eig"),
    "-k",
    k,
    "-lmm",
    "-o",
    "h",
    "-outdir",
    folder,
  ]);
  expect(h, h.err).toMatchObject({ code: 0 });
  expect(readFileSync(join(folder, "h.assoc.txt"))).toEqual(readFileSync(`${out}.assoc.txt`));
});

it("eigenvalues that do not ascend are refused: their vectors would be another's", async () => {
  const at = tempFolder();
  await decomposed(async ({ cohort, e }) => {
    await e.save(join(at, "e"), { format: "text" });
    const path = join(at, "e.eigenD.txt");
    const lines = readFileSync(path, "utf8").trim().split("\n");
    writeFileSync(path, `${lines.reverse().join("\n")}\n`);
    const source = { values: path, vectors: join(at, "e.eigenU.txt") };
    await expect(loadEigen(source, cohort)).rejects.toMatchObject({ code: "EIG_PARSE" });
  });
});
