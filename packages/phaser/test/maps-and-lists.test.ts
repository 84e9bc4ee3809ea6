import { existsSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import { readGeneticMap, readPedigree, readSampleList, uniformMap } from "../src/index.ts";
import { failure, folder, SHARED } from "./support.ts";

const at = folder();
const layouts = {
  shapeit: "pos\tchr\tcM\n1000\t20\t0.5\n3000\t20\t1.5\n3000\t20\t1.7\n9000\t20\t1.7\n",
  plink: "20 . 0.5 1000\n20 . 1.5 3000\n20 rs1 1.7 3000\n20 . 1.7 9000\n",
  eagle:
    "chr position COMBINED_rate(cM/Mb) Genetic_Map(cM)\n20 1000 500 0.5\n20 3000 0 1.7\n20 9000 0 1.7\n21 5 0 0\n",
};

describe("genetic maps", () => {
  it.each(Object.entries(layouts))("%s: found by its columns, the same centimorgans", async (name, text) => {
    for (const data of [text, gzipSync(text)]) {
      const map = await readGeneticMap(at.file(`${name}.map`, data), { chrom: "chr20" });
      expect([map.chrom, ...map.positions]).toEqual(["20", 1000, 3000, 9000]);
      const cm = map.at([0, 1000, 2000, 3000, 6000, 9000, 1_009_000]);
      expect([...cm].map((x) => Number(x.toFixed(9)))).toEqual([0.499, 0.5, 1.1, 1.7, 1.7, 1.7, 2.7]);
    }
  });

  it("refuses another chromosome, several at once, and what is no map", async () => {
    const shapeit = at.file("a.map", layouts.shapeit);
    const other = await failure(readGeneticMap(shapeit, { chrom: "21" }));
    expect([other.code, other.message]).toEqual([
      "MAP_CHROM",
      `${shapeit}: the map is for chromosome 20, not 21`,
    ]);
    expect((await failure(readGeneticMap(at.file("b.map", layouts.eagle)))).code).toBe("MAP_CHROM");
    for (const text of [
      "a b c d e\n",
      "1 2\n",
      "pos chr cM\n100 20\n",
      "pos chr cM\n100 20 x\n",
      "pos chr cM\n",
    ]) {
      expect((await failure(readGeneticMap(at.file("c.map", text)))).code).toBe("MAP_FORMAT");
    }
  });

  it("without a map, 1 cM/Mb", () => expect([...uniformMap().at([1e6, 2.5e6])]).toEqual([1, 2.5]));

  it.skipIf(!existsSync(SHARED))("the SHAPEIT and the PLINK form of chr20 agree", async () => {
    const a = await readGeneticMap(join(SHARED, "sim/chr20.gmap.gz"));
    const b = await readGeneticMap(join(SHARED, "sim/chr20.plink.map"));
    const where = [1_000_716, 2_000_000, 3_999_632];
    const [x, y] = [a.at(where), b.at(where)];
    for (const i of where.keys()) expect(y[i]! - y[0]!).toBeCloseTo(x[i]! - x[0]!, 5);
  });
});

describe("lists", () => {
  it("pedigrees", async () => {
    expect(await readPedigree(at.file("a.fam", "k1 f m\nk2\tNA m\n\nk3 f 0\n"))).toEqual([
      { child: "k1", father: "f", mother: "m" },
      { child: "k2", father: null, mother: "m" },
      { child: "k3", father: "f", mother: null },
    ]);
    for (const bad of ["k f m\nk f m\n", "k k m\n", "k f f\n"])
      expect((await failure(readPedigree(at.file("b.fam", bad)))).code).toBe("PEDIGREE");
    expect((await failure(readPedigree(at.file("c.fam", "k f\n")))).code).toBe("COLUMNS");
  });

  it("sample lists", async () => {
    expect(await readSampleList(at.file("s.txt", "ann more\nbob\n"))).toEqual(["ann", "bob"]);
    expect((await failure(readSampleList(at.file("t.txt", "ann\nann\n")))).details).toMatchObject({
      line: 2,
    });
  });
});
