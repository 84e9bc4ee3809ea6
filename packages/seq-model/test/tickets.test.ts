// Tickets of AAM that are about the whole package, and the list of all of them.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { fineTune, openBiom, readBiom } from "../src/index.ts";
import { fixture, tableOf } from "./support/files.ts";
import { fixtureStudy, TINY } from "./support/study.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");

describe("docs/design/aam-tickets.md", () => {
  const rows = read("docs/design/aam-tickets.md")
    .split("\n")
    .filter((line) => /^\| (?:\d|TRN|REG|CLN|PYT)/.test(line))
    .map((line) => line.split("|").map((cell) => cell.trim()));

  it("names a test that is there, or says why there is nothing to close", () => {
    for (const [, ticket, , closed] of rows) {
      if (/^moot: .{20}/.test(closed!)) continue;
      const tests = [...closed!.matchAll(/`([\w-]+\.test\.ts)`: "([^"]+)"/g)];
      expect(tests.length, `${ticket}: ${closed}`).toBeGreaterThan(0);
      for (const [, file, title] of tests)
        expect(read(`packages/seq-model/test/${file}`), `${ticket}: ${title}`).toContain(
          title!.replaceAll('"', '\\"'),
        );
    }
  });

  it("has every ticket of phases 10 to 21 and of TRN", () => {
    const tickets = rows.map(([, ticket]) => ticket);
    const phases =
      "10.6 12.1 12.2 12.3 13.1 13.2 13.3 14.1 14.2 15.1 15.2 16.1 16.2 17.1 17.2 17.3 17.4 18.1 18.2 18.3 18.4 18.5 18.6 19.1 20.1 21.1 21.2 21.3 21.4";
    for (const ticket of [...phases.split(" "), "REG-9", "PYT-19.4"]) expect(tickets).toContain(ticket);
    expect(tickets.filter((t) => t!.startsWith("TRN")).length).toBeGreaterThanOrEqual(11);
  });
});

describe("docs/design/seq-audit.md", () => {
  it("names tests and benchmarks that are there", () => {
    const text = read("docs/design/seq-audit.md");
    const rows = text.split("\n").filter((line) => /^\| (?!asked|-)/.test(line));
    expect(rows.length).toBeGreaterThan(40);
    for (const row of rows) {
      const shown = row.split("|").at(-2)!;
      const benchmarks = [...shown.matchAll(/`(benchmarks\/[\w./-]+)/g)].map(([, path]) => path!);
      for (const path of benchmarks) expect(existsSync(join(root, path)), path).toBe(true);
      // Several titles may follow one file.
      let file = "";
      let tests = 0;
      for (const [, name, title] of shown.matchAll(/`([\w.-]+\.test\.ts)`|"([^"]+)"/g)) {
        if (name) file = name;
        else {
          expect(read(`packages/seq-model/test/${file}`), `${file}: ${title}`).toContain(title!);
          tests++;
        }
      }
      expect(tests + benchmarks.length, row).toBeGreaterThan(0);
    }
  });
});

describe("14.1 streaming", () => {
  it("a table comes in blocks of samples that are those of the whole", async () => {
    const whole = await readBiom(fixture("table.biom"));
    using file = await openBiom(fixture("table.biom"));
    const seen: string[] = [];
    for await (const block of file.stream({ chunk: 5 })) {
      expect(block.sampleIds.length).toBeLessThanOrEqual(5);
      const same = whole.select({ samples: block.sampleIds });
      expect([block.indices, block.values]).toEqual([same.indices, same.values]);
      seen.push(...block.sampleIds);
    }
    expect(seen).toEqual(whole.sampleIds);
  });
});

describe("16.1 benchmarks", () => {
  it("UniFrac and training steps beside their peers, with the plan of a size that was not run", () => {
    const { data } = JSON.parse(read("benchmarks/results/seq.json"));
    expect(Object.keys(data.unifrac)).toEqual(expect.arrayContaining(["1000", "4000", "planned"]));
    expect(data.unifrac.planned.unweighted.samples).toBe(30_000);
    expect(Object.keys(data.step)).toEqual(["nothing occurs twice", "mouse-f1000"]);
  });
});

describe("17.1 documentation", () => {
  it("typedoc reads this package, and its warnings are errors", () => {
    const config = JSON.parse(read("typedoc.json"));
    expect(JSON.stringify(config)).toMatch(/packages\/(?:seq-model|\*)/);
    expect(config.treatWarningsAsErrors).toBe(true);
    for (const page of ["unifrac", "pretrain-and-fine-tune", "predict-and-explain"])
      expect(existsSync(join(root, `docs/tutorials/${page}.md`))).toBe(true);
  });
});

describe("REG-10 counts", () => {
  it("reach the network by default: the same ASVs in other amounts are another sample", async () => {
    const { table, target, split, sequences } = await fixtureStudy();
    const training = { epochs: 1, batchSize: 4, device: "cpu" };
    const { model } = await fineTune(table, { target, split, sequences, training, model: TINY, threads: 1 });
    await using _ = model;
    const [even, uneven] = [
      [9, 9, 9],
      [25, 1, 1],
    ].map((row) => tableOf([row], table.featureIds.slice(0, 3)));
    const [a, b] = [
      await model.predictTable(even!, { sequences }),
      await model.predictTable(uneven!, { sequences }),
    ];
    expect(Math.abs(a.values[0]! - b.values[0]!)).toBeGreaterThan(1e-4);
  });
});
