// Reference panels, scaffolds, pedigrees and haploid samples.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type Family, openVcf, phase, readPedigree, switchError, writeVcf } from "../src/index.ts";
import { dice, simulate, toVcf } from "./simulate.ts";
import { FIXTURES, failure, folder, records, vcf } from "./support.ts";

const at = folder();
const people = simulate({ people: 60, positions: 160, seed: 31 });
const [targets, donors] = [people.samples.slice(0, 20), people.samples.slice(20)];
const input = at.file("targets.vcf", toVcf(people, { samples: targets, missing: 90 }));
const truth = at.file("truth.vcf", toVcf(people, { samples: targets, phased: true }));
const quick = { seed: 1, threads: 2, mcmcIterations: "2b,1p,1b,1p,4m" } as const;
const rows = (path: string): string[][] => records(readFileSync(path)).map((r) => r.split("\t"));

describe("a reference panel", () => {
  it("helps; what it lacks is left out, counted, and written back where asked for", async () => {
    const panel = at.file(
      "panel.vcf",
      toVcf(people, { samples: donors, phased: true, rows: "joined", keep: (l) => l % 10 !== 3 }),
    );
    await using alone = phase(input, quick);
    await using helped = phase(input, { ...quick, reference: panel });
    const summary = await helped.summary;
    expect(summary.reference).toMatchObject({
      haplotypes: 80,
      onlyTarget: 16,
      onlyReference: 0,
      refMismatch: 0,
    });
    expect(summary.positions).toBe(144);
    await writeVcf(alone, at.path("alone.vcf"));
    await writeVcf(helped, at.path("helped.vcf"), { keepExcluded: true });
    expect(rows(at.path("helped.vcf"))).toHaveLength(rows(input).length);
    const [a, b] = await Promise.all(
      ["alone.vcf", "helped.vcf"].map((name) => switchError(at.path(name), truth, { by: "position" })),
    );
    expect(b!.percent).toBeLessThan(a!.percent);
    const left = (await helped.loci()).excluded();
    expect(left.every((x) => x.reason === "notInReference")).toBe(true);
    const first = rows(at.path("helped.vcf")).filter((r) => r[1] === String(left[0]!.position));
    expect(first).toEqual(
      rows(input)
        .filter((r) => r[1] === String(left[0]!.position))
        .map((r) => [...r.slice(0, 7), expect.any(String), ...r.slice(8)]),
    );
  });

  it("is met by alleles, whatever rows either file has", async () => {
    const names = ["p", "q"];
    // The panel has an ALT more at 200, one less at 300, another REF at 400.
    const panel = vcf(names, [
      "100 . A C 0|1 1|0",
      "200 . A T,C,G 2|0 1|3",
      "300 . AT A 0|1 0|0",
      "400 . G C 0|1 0|0",
    ]);
    const target = vcf(
      ["a", "b"],
      [
        "100 . A C 0/1 0/0",
        "200 . A G 0/1 0/0",
        "200 . A C 0/1 0/1",
        "300 . A G 0/1 0/0",
        "300 . AT A 0/1 0/0",
        "400 . A C 0/1 0/1",
      ],
    );
    const [t, p] = [at.file("t.vcf", target), at.file("p.vcf", panel)];
    await using phased = phase(t, { ...quick, reference: p });
    const { positions, reference } = await phased.summary;
    expect([positions, reference]).toEqual([
      3,
      { haplotypes: 4, onlyTarget: 1, onlyReference: 1, refMismatch: 1, conflictPositions: 0 },
    ]);
    // Each row apart meets the panel too, but for the one it lacks.
    await using apart = phase(t, { ...quick, reference: p, enforceOneAlleleSupersite: false });
    expect((await apart.summary).positions).toBe(4);
  });

  it("a position where one of its haplotypes has two ALTs is dropped and listed", async () => {
    const panel = vcf(["p"], ["100 . A C 0|1", "100 . A G 0|1", "200 . A C 1|0"]);
    const target = vcf(["a"], ["100 . A C 0/1", "100 . A G 0/0", "200 . A C 0/1"]);
    await using phased = phase(at.file("t2.vcf", target), { ...quick, reference: at.file("p2.vcf", panel) });
    expect((await phased.summary).reference).toMatchObject({ conflictPositions: 1, onlyTarget: 1 });
    expect(await phased.conflicts()).toEqual([
      { source: "reference", position: 100, sample: "p", rows: "A>C=0|1 A>G=0|1", excluded: true },
    ]);
  });

  it("unphased, of another chromosome or with other alleles it is refused", async () => {
    const code = async (text: string): Promise<string> =>
      (await failure(phase(input, { ...quick, reference: at.file("bad.vcf", text) }).summary)).code;
    expect(await code(toVcf(people, { samples: donors }))).toBe("REFERENCE_UNPHASED");
    const other = at.file("chr21.vcf", toVcf(people, { samples: donors, phased: true, chrom: "21" }));
    const e = await failure(phase(input, { ...quick, reference: other }).summary);
    expect([e.code, e.message]).toEqual([
      "NO_VARIANTS",
      expect.stringMatching(/called "20", the file knows 21/),
    ]);
    const flipped = toVcf(people, { samples: donors, phased: true }).replaceAll("\tA\t", "\tN\t");
    const e2 = await failure(phase(input, { ...quick, reference: at.file("n.vcf", flipped) }).summary);
    expect([e2.code, e2.message]).toEqual([
      "NO_COMMON_VARIANTS",
      expect.stringMatching(/^no variants to phase: 160 positions were read and 160 of the reference panel/),
    ]);
  });
});

describe("a scaffold", () => {
  const every = (n: number) => (l: number) => l % n === 0;

  it("orients its heterozygous genotypes, and only those", async () => {
    const complete = at.file("complete.vcf", toVcf(people, { samples: targets }));
    const file = at.file(
      "scaffold.vcf",
      toVcf(people, { samples: targets.slice(0, 15), phased: true, keep: every(8) }),
    );
    await using phased = phase(complete, { ...quick, scaffold: file });
    const { scaffold } = await phased.summary;
    expect(scaffold).toMatchObject({ samples: 15, positions: 20, disagree: 0, turned: 0 });
    expect(scaffold!.oriented).toBeGreaterThan(80);
    await writeVcf(phased, at.path("on.vcf"));
    const want = new Map(rows(file).map((r) => [`${r[1]} ${r[4]}`, r]));
    const given = rows(complete);
    const known = rows(at.path("on.vcf")).flatMap((row, i) => {
      const same = want.get(`${row[1]} ${row[4]}`)?.slice(9) ?? [];
      return same.map((call, s) => [given[i]![9 + s], row[9 + s], call] as const);
    });
    const oriented = known.filter(([before]) => before === "0/1");
    expect(oriented.length).toBeGreaterThan(80);
    expect(oriented.filter(([, now, call]) => now !== call)).toEqual([]);
  });

  it("that says otherwise than was called is counted and not believed", async () => {
    const target = vcf(["a", "b"], ["100 . A C 0/1 0/0", "200 . A C 0/1 0/1"]);
    const scaffold = vcf(["b", "a"], ["100 . A C 0|1 1|0", "200 . A C 1|0 0/1"]);
    await using phased = phase(at.file("t3.vcf", target), {
      ...quick,
      scaffold: at.file("s3.vcf", scaffold),
    });
    expect((await phased.summary).scaffold).toMatchObject({
      samples: 2,
      positions: 2,
      oriented: 2,
      disagree: 1,
    });
    expect([...(await phased.loci()).calls(0, 1)]).toEqual([1, 0, 0, 0]);
    expect([...(await phased.loci()).calls(1, 2)].slice(2)).toEqual([1, 0]);
  });

  it("of other people or positions is refused", async () => {
    const run = (text: string) =>
      failure(phase(input, { ...quick, scaffold: at.file("s4.vcf", text) }).summary);
    expect((await run(toVcf(people, { samples: donors, phased: true }))).code).toBe("NO_COMMON_SAMPLES");
    const between = vcf(targets, [`${people.positions[0]! + 1} . A C ${targets.map(() => "0|1").join(" ")}`]);
    expect((await run(between)).code).toBe("NO_COMMON_VARIANTS");
  });
});

describe("a pedigree", () => {
  const family = join(FIXTURES, "family.vcf");
  const familyTruth = join(FIXTURES, "family.truth.vcf");

  it("leaves no error where parents resolve a genotype", async () => {
    const pedigree = await readPedigree(join(FIXTURES, "family.fam"));
    await using phased = phase(family, { ...quick, pedigree });
    const summary = await phased.summary;
    expect(summary.pedigree).toMatchObject({ trios: 6, duos: 0, mendelErrors: 0 });
    expect(summary.pedigree!.oriented).toBeGreaterThan(100);
    await writeVcf(phased, at.path("family.vcf"));
    const resolved = await switchError(at.path("family.vcf"), familyTruth, { pedigree, by: "position" });
    expect(resolved.pairs).toBeGreaterThan(100);
    expect(resolved.switches).toBe(0);
    // Haplotype 0 is the father's.
    const loci = await phased.loci();
    const kid = loci.samples.indexOf("kid0");
    const dad = loci.samples.indexOf("dad0");
    const calls = loci.calls();
    const n = loci.samples.length;
    let strange = 0;
    for (let l = 0; l < loci.length; l++) {
      const call = (s: number): number[] => [...calls.subarray(2 * (l * n + s), 2 * (l * n + s) + 2)];
      strange += Number(!call(dad).includes(call(kid)[0]!));
    }
    expect(strange).toBe(0);
  });

  it("counts and lists genotypes no parents can have given, and turns a scaffold over", async () => {
    const target = vcf(
      ["k", "f", "m"],
      ["100 . A C 0/1 0/0 0/0", "200 . A C 0/1 0/0 1/1", "300 . A C 0/1 1/1 0/1", "400 . A C 0/1 0/1 0/1"],
    );
    const pedigree = [{ child: "k", father: "f", mother: "m" }];
    const warned: string[] = [];
    // Of the child's two common genotypes with the pedigree both say the scaffold is upside down.
    const scaffold = at.file("s5.vcf", vcf(["k"], ["200 . A C 1|0", "300 . A C 0|1", "400 . A C 0|1"]));
    await using phased = phase(at.file("t5.vcf", target), {
      ...quick,
      pedigree,
      scaffold,
      warn: (w) => warned.push(w.code),
    });
    expect((await phased.summary).pedigree).toEqual({
      trios: 1,
      duos: 0,
      oriented: 2,
      filled: 0,
      mendelErrors: 1,
    });
    expect(await phased.mendelErrors()).toEqual([{ position: 100, child: "k" }]);
    expect((await phased.summary).scaffold).toMatchObject({ oriented: 1, turned: 1 });
    expect(warned).toEqual(["MENDEL"]);
    const calls = (await phased.loci()).calls();
    expect([1, 2, 3].map((l) => [...calls.subarray(6 * l, 6 * l + 2)])).toEqual([
      [0, 1],
      [1, 0],
      [1, 0],
    ]);
  });

  it("with one parent orients too; of other people it is refused, of more people it is a warning", async () => {
    const duo = [{ child: "kid0", father: null, mother: "mum0" }];
    await using phased = phase(family, { ...quick, pedigree: duo });
    expect((await phased.summary).pedigree).toMatchObject({ trios: 0, duos: 1 });
    const strangers = [{ child: "nobody", father: "no", mother: "one" }];
    expect((await failure(phase(family, { ...quick, pedigree: strangers }).summary)).code).toBe(
      "NO_COMMON_SAMPLES",
    );
    const warned: string[] = [];
    await using some = phase(family, {
      ...quick,
      pedigree: [...duo, ...strangers],
      warn: (w) => warned.push(w.code),
    });
    await some.summary;
    expect(warned).toEqual(["SAMPLE_UNKNOWN"]);
  });
});

describe("haploid samples", () => {
  // Both chrX bugs of SHAPEIT: `0` and `1` read as heterozygous, and heterozygous haploids kept as they are.
  it("coded 0 and 1 stay what they are, in one allele; 0/1 counts as missing", async () => {
    const males = targets.slice(0, 8);
    const text = toVcf(people, { samples: targets, missing: 50, rows: "mixed", haploids: males });
    const file = at.file("x.vcf", text);
    await using phased = phase(file, { ...quick, haploids: males });
    await writeVcf(phased, at.path("x-out.vcf"));
    const [before, after] = [rows(file), rows(at.path("x-out.vcf"))];
    for (const [i, row] of after.entries()) {
      for (const s of males.keys()) {
        const was = before[i]![9 + s]!;
        if (was === ".") expect(row[9 + s]).toMatch(/^\d$/);
        else expect(row[9 + s]).toBe(was);
      }
    }
    expect((await phased.summary).haploidHets).toBe(0);
    expect((await failure(phase(file, quick).summary)).code).toBe("PLOIDY");
    // The same coded as diploids, with errors.
    const roll = dice(5);
    let hets = 0;
    const diploid = text
      .split("\n")
      .map((line) => {
        if (line.startsWith("#") || line === "") return line;
        const f = line.split("\t");
        for (const s of males.keys()) {
          const call = f[9 + s]!;
          const error = call !== "." && !f[4]!.includes(",") && roll(40) === 0;
          hets += Number(error);
          f[9 + s] = error ? "0/1" : `${call}/${call}`;
        }
        return f.join("\t");
      })
      .join("\n");
    const warned: string[] = [];
    const file2 = at.file("x2.vcf", diploid);
    await using two = phase(file2, { ...quick, haploids: males, warn: (w) => warned.push(w.code) });
    const summary = await two.summary;
    expect(summary.haploidHets).toBeGreaterThan(0);
    expect(summary.haploidHets).toBeLessThanOrEqual(hets);
    expect(warned).toContain("HAPLOID_HETS");
    const loci = await two.loci();
    const calls = loci.calls();
    for (let l = 0; l < loci.length; l++) {
      for (const s of males.keys()) {
        const at = 2 * (l * targets.length + s);
        expect(calls[at]).toBe(calls[at + 1]);
      }
    }
    // Left missing where missing ones are to stay.
    await using kept = phase(file2, { ...quick, haploids: males, keepMissing: true });
    const still = (await kept.loci()).calls();
    const sites = new Set<number>();
    still.forEach((c, i) => {
      if (c === 255) sites.add(i >> 1);
    });
    expect(sites.size).toBe((await kept.summary).stillMissing);
    expect((await openVcf(file2)).samples).toEqual(targets);
  });

  it("listed but not in the file: none is an error, some are a warning", async () => {
    expect((await failure(phase(input, { ...quick, haploids: ["x", "y"] }).summary)).code).toBe(
      "NO_COMMON_SAMPLES",
    );
    const warned: string[] = [];
    await using phased = phase(input, {
      ...quick,
      haploids: ["x", targets[0]!],
      warn: (w) => warned.push(w.code),
    });
    await phased.summary;
    expect(warned).toContain("SAMPLE_UNKNOWN");
  });
});

describe("a pedigree that cannot be", () => {
  const study = at.file(
    "pedigree.vcf",
    vcf(["a", "b", "c"], ["100 . A C 0/1 0/1 1/1", "200 . A G 0/1 0/0 0/1"]),
  );
  const code = async (pedigree: readonly Family[]): Promise<string> =>
    (await failure(phase(study, { ...quick, pedigree }).summary)).code;

  it("ties nobody to anybody, or goes round in a circle", async () => {
    expect(await code([{ child: "a", father: "x", mother: "y" }])).toBe("PEDIGREE");
    expect(await code([{ child: "a", father: null, mother: null }])).toBe("PEDIGREE");
    const circle = [
      { child: "a", father: "b", mother: null },
      { child: "b", father: null, mother: "c" },
      { child: "c", father: "a", mother: null },
    ];
    expect(await code(circle)).toBe("PEDIGREE");
    const file = at.file("circle.fam", "c NA a\na b NA\nb NA c\n");
    const e = await failure(readPedigree(file));
    expect([e.code, e.details.line]).toEqual(["PEDIGREE", 1]);
    expect(e.message).toMatch(/c would be an own ancestor \(c, child of a, child of b, child of c\)/);
    expect(await readPedigree(at.file("loop.fam", "k f m\nf g h\nm g h\n"))).toHaveLength(3);
  });

  it("parents that are not there are counted in a warning", async () => {
    const warned: string[] = [];
    const pedigree = [{ child: "a", father: "b", mother: "y" }];
    await using phased = phase(study, {
      ...quick,
      pedigree,
      warn: (w) => warned.push(`${w.code} ${w.message}`),
    });
    await phased.summary;
    expect(warned).toEqual([
      "SAMPLE_UNKNOWN 1 of 2 parents named by the pedigree are not among the samples (y)",
    ]);
  });
});

describe("a scaffold without one row of a position", () => {
  it("orients what it can express, and counts the rest", async () => {
    const names = ["a", "b", "c", "d"];
    const rows = ["100 . A C 1/0 0/1 0/0 0/1", "100 . A G 0/1 0/0 0/1 0/1", "200 . A C 0/1 0/1 0/1 0/1"];
    const scaffold = vcf(names, ["100 . A C 0|1 1|0 0|0 1|1", "200 . A C 1|0 1|0 1|0 1|0"]);
    await using phased = phase(at.file("two-rows.vcf", vcf(names, rows)), {
      ...quick,
      scaffold: at.file("one-row.vcf", scaffold),
    });
    const calls = (await phased.loci()).calls();
    // a is 1/2 and has C second; b has C first. c's G stands as REF there; d has one C, not two.
    expect([...calls.subarray(0, 4)]).toEqual([2, 1, 1, 0]);
    expect((await phased.summary).scaffold).toMatchObject({ oriented: 6, disagree: 1, notExpressible: 1 });
  });
});
