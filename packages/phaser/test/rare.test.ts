import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { expect, it } from "vitest";
import { checkOneAllele, phaseRare } from "../src/index.ts";
import { FIXTURES, failure, folder, records, vcf } from "./support.ts";

const at = folder();
const [input, scaffold, truth] = ["rare.input.vcf", "rare.scaffold.vcf", "rare.truth.vcf"].map((n) =>
  join(FIXTURES, n),
) as [string, string, string];

/** `POS ALT` and the samples' fields of every record. */
function rows(path: string): Map<string, string[]> {
  const of = records(readFileSync(path)).map((line) => line.split("\t"));
  return new Map(of.map((t) => [`${t[1]} ${t[4]}`, t.slice(9)]));
}

async function run(name: string, options: Parameters<typeof phaseRare>[2] = {}): Promise<string> {
  using placed = await phaseRare(input, scaffold, { seed: 1, ...options });
  await placed.write(at.path(name));
  return at.path(name);
}

it("places nearly every allele, keeps observed genotypes and the scaffold, and never two ALTs on a haplotype", async () => {
  const out = await run("out.vcf");
  const [got, want, seen, fixed] = [rows(out), rows(truth), rows(input), rows(scaffold)];
  expect([...got.keys()].sort()).toEqual([...want.keys()].sort());
  let [hets, wrong, changed, withPp] = [0, 0, 0, 0];
  for (const [key, fields] of got) {
    if (fixed.has(key)) {
      expect(fields).toEqual(fixed.get(key));
      continue;
    }
    for (const [s, field] of fields.entries()) {
      const [gt, pp] = field.split(":") as [string, string];
      const read = seen.get(key)![s]!;
      if (read !== "./." && [...read.replace("/", "")].sort().join() !== [gt[0], gt[2]].sort().join())
        changed++;
      if (read !== "0/1") continue;
      hets++;
      withPp += Number(Number(pp) >= 0.5 && Number(pp) <= 1);
      wrong += Number(gt !== want.get(key)![s]);
    }
  }
  expect([hets > 700, changed, withPp]).toEqual([true, 0, hets]);
  expect(wrong / hets).toBeLessThan(0.03);
  expect((await checkOneAllele(out)).haplotypeViolations).toBe(0);
});

it("writes the same bytes for any number of threads, and says how it decided", async () => {
  const bytes = [];
  for (const threads of [1, 2, 4]) bytes.push(readFileSync(await run(`t${threads}.bcf`, { threads })));
  expect(bytes[1]!.equals(bytes[0]!) && bytes[2]!.equals(bytes[0]!)).toBe(true);
  using placed = await phaseRare(input, scaffold, { seed: 1 });
  const { summary: s } = placed;
  const c = placed.carriers();
  expect(c.locus).toHaveLength(s.entries);
  const count = (reason: string): number => c.reason.filter((r) => r === reason).length;
  expect([count("donors"), count("length"), count("scaffold"), count("open")]).toEqual([
    s.byDonors,
    s.byLength,
    s.byScaffold,
    0,
  ]);
  expect(s.byLength).toBeGreaterThan(0);
  // A probability of their own for singletons, not one constant.
  const singles = c.probability.filter((_, i) => c.reason[i] === "length");
  expect(new Set(singles).size).toBeGreaterThan(singles.length / 2);
});

it("regions: the scaffold may be wider, and only the input's is written", async () => {
  const out = await run("region.vcf", {
    inputRegion: "20:1200000-1400000",
    scaffoldRegion: "20:1100000-1500000",
  });
  const positions = [...rows(out).keys()].map((k) => Number(k.split(" ")[0]));
  expect(Math.min(...positions)).toBeGreaterThanOrEqual(1_200_000);
  expect(Math.max(...positions)).toBeLessThanOrEqual(1_400_000);
  const e = await failure(
    phaseRare(input, scaffold, { inputRegion: "20:1-1400000", scaffoldRegion: "20:1100000-1500000" }),
  );
  expect([e.code, e.message]).toEqual(["REGION", expect.stringContaining("must contain")]);
});

it("missing genotypes are filled, or kept", async () => {
  using filled = await phaseRare(input, scaffold);
  using kept = await phaseRare(input, scaffold, { keepMissing: true });
  expect([filled.summary.missing, kept.summary.imputed]).toEqual([0, 0]);
  expect(kept.summary.missing).toBe(filled.summary.imputed);
  await kept.write(at.path("kept.vcf"));
  const [got, seen, fixed] = [rows(at.path("kept.vcf")), rows(input), rows(scaffold)];
  for (const [key, fields] of got) {
    if (fixed.has(key)) continue;
    expect(fields.map((f) => f.startsWith("./."))).toEqual(seen.get(key)!.map((f) => f === "./."));
  }
});

const small = (rows: string[]): string => vcf(["A", "B", "C"], rows);

it("an ALT beside one of the scaffold goes to the free haplotype; more than fit are a conflict", async () => {
  const s = at.file("s1.vcf", small(["100 . A C 1|0 0|0 0|1", "200 . A C 0|1 1|1 0|0"]));
  const i = at.file(
    "i1.vcf",
    small(["100 . A C 0/1 0/0 0/1", "100 . A G 0/1 0/0 0/1", "150 . A T 0/1 0/0 0/0"]),
  );
  using placed = await phaseRare(i, s);
  await placed.write(at.path("o1.vcf"));
  expect(
    rows(at.path("o1.vcf"))
      .get("100 G")!
      .map((f) => f.slice(0, 3)),
  ).toEqual(["0|1", "0|0", "1|0"]);
  expect(placed.summary.byScaffold).toBe(2);
  const twice = at.file("i2.vcf", small(["100 . A G 1/1 0/0 0/1", "150 . A T 0/1 0/0 0/0"]));
  using left = await phaseRare(twice, s);
  expect([left.summary.conflictPositions, left.conflicts()[0]!.sample]).toEqual([1, "A"]);
  expect((await failure(phaseRare(twice, s, { supersiteConflict: "error" }))).code).toBe(
    "SUPERSITE_CONFLICT",
  );
});

it("nothing to go by is a coin with 0.5, never NaN", async () => {
  const s = at.file("s3.vcf", small(["100 . A C 0|0 0|0 1|0"]));
  const i = at.file("i3.vcf", small(["150 . A T 0/1 0/0 0/0", "160 . A T 0/1 0/1 0/1"]));
  using placed = await phaseRare(i, s);
  const c = placed.carriers();
  expect([...c.probability].every((p) => p >= 0.5 && p <= 1)).toBe(true);
  expect(placed.summary.byCoin).toBeGreaterThan(0);
  const one = at.file("i4.vcf", vcf(["A"], ["150 . A T 0/1", "160 . A T ./."]));
  using alone = await phaseRare(one, at.file("s4.vcf", vcf(["A"], ["100 . A C 0|1"])));
  expect([alone.summary.byCoin, alone.summary.missing]).toEqual([1, 0]);
});

it("a pedigree decides where a parent does; haploid samples stay haploid", async () => {
  const s = at.file("s5.vcf", small(["100 . A C 0|1 1|1 0|0"]));
  const i = at.file(
    "i5.vcf",
    small(["150 . A T 0/1 0/0 0/1", "160 . A T 0/1 0/1 0/0", "170 . A T 0/1 0/0 0/0"]),
  );
  const pedigree = [{ child: "A", father: "B", mother: "C" }];
  using placed = await phaseRare(i, s, { pedigree });
  await placed.write(at.path("o5.vcf"));
  const out = rows(at.path("o5.vcf"));
  expect([out.get("150 T")![0], out.get("160 T")![0]]).toEqual(["0|1:1", "1|0:1"]);
  expect([placed.summary.byPedigree, placed.summary.mendelErrors]).toEqual([2, 1]);
  const h = at.file("i6.vcf", small(["150 . A T 1 0/0 0/1", "160 . A T . 0/1 0/0"]));
  using males = await phaseRare(h, s, { haploids: ["A"] });
  await males.write(at.path("o6.vcf"));
  expect(rows(at.path("o6.vcf")).get("150 T")![0]).toBe("1:.");
  expect(rows(at.path("o6.vcf")).get("160 T")![0]).toMatch(/^[01]:\.$/);
});

it("bad inputs are named", async () => {
  const s = at.file("s7.vcf", small(["100 . A C 0|1 1|1 0|0"]));
  const i = at.file("i7.vcf", small(["150 . A T 0/1 0/0 0/1"]));
  const codes = [
    [i, at.file("s8.vcf", small(["100 . A C 0/1 1|1 0|0"])), "REFERENCE_UNPHASED"],
    [i, at.file("s9.vcf", vcf(["A", "B"], ["100 . A C 0|1 1|1"])), "SAMPLE_UNKNOWN"],
    [at.file("i8.vcf", small([])), s, "NO_VARIANTS"],
    [at.file("i9.vcf", small(["150 . A T 1 0/0 0/1"])), s, "PLOIDY"],
    [
      at.file("i10.vcf", small(["150 . A T 0/1 0/0 0/1"]).replaceAll("\n20\t", "\n21\t")),
      s,
      "NO_COMMON_VARIANTS",
    ],
  ] as const;
  for (const [file, scaffold, code] of codes)
    expect((await failure(phaseRare(file, scaffold))).code).toBe(code);
  expect((await failure(phaseRare(i, s, { pbwtModulo: 0 }))).code).toBe("OPTION_RANGE");
  using placed = await phaseRare(i, s);
  expect((await failure(Promise.resolve().then(() => placed.write("x.txt")))).code).toBe("OUT_FORMAT");
  placed.release();
  expect((await failure(Promise.resolve().then(() => placed.carriers()))).code).toBe("LOCI_RELEASED");
});

it("any genotypes: no violation, observed copies kept, probabilities from 0.5 to 1", async () => {
  const gt = fc.constantFrom("0/0", "0/1", "1/1", "./.", "./1");
  const phased = fc.constantFrom("0|0", "0|1", "1|0", "1|1");
  const trio = <T>(x: fc.Arbitrary<T>) => fc.array(x, { minLength: 3, maxLength: 3 });
  let n = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(trio(phased), { minLength: 1, maxLength: 6 }),
      fc.array(trio(gt), { minLength: 2, maxLength: 8 }),
      async (common, rare) => {
        n++;
        const s = at.file(`ps${n}.vcf`, small(common.map((g, k) => `${100 + 10 * k} . A C ${g.join(" ")}`)));
        // Two rows a position, some at positions of the scaffold.
        const lines = rare.map((g, k) => `${100 + 5 * (k >> 1)} . A ${k % 2 ? "T" : "G"} ${g.join(" ")}`);
        const file = at.file(`pi${n}.vcf`, small(lines));
        const [placed, error] = await phaseRare(file, s).then(
          (p) => [p, undefined] as const,
          (e: unknown) => [undefined, e] as const,
        );
        // All positions may be in conflict.
        if (!placed) {
          expect(error).toMatchObject({ code: "NO_VARIANTS" });
          return;
        }
        const out = at.path(`po${n}.vcf`);
        await placed.write(out);
        expect((await checkOneAllele(out)).haplotypeViolations).toBe(0);
        for (const p of placed.carriers().probability)
          expect(Number.isNaN(p) || (p >= 0.5 && p <= 1)).toBe(true);
        const [got, seen] = [rows(out), rows(at.path(`pi${n}.vcf`))];
        for (const [key, fields] of seen) {
          if (!got.has(key)) continue;
          for (const [k, field] of fields.entries()) {
            if (field.includes(".")) continue;
            const written = got.get(key)![k]!;
            expect(Number(written[0]) + Number(written[2])).toBe(Number(field[0]) + Number(field[2]));
          }
        }
        placed.release();
      },
    ),
    { numRuns: 60, seed: 4 },
  );
});
