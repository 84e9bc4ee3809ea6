import { execFileSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readBiom } from "../src/index.ts";
import { bin, fixture, tempFolder } from "./support/files.ts";
import { fastaFor } from "./support/study.ts";

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const run = (args: string[], cwd?: string): string =>
  execFileSync(process.execPath, args, { encoding: "utf8", ...(cwd ? { cwd } : {}) });

it("the quickstart runs and stands in the README", () => {
  const example = at("../examples/quickstart.ts");
  const out = run([example, fixture("."), join(tempFolder(), "d.npy")]);
  expect(out).toMatch(
    /^14 samples; S00 and S01 are 0\.\d+ apart\nthe first axis explains .* %\ngroups: pseudo-F .*, p 0\.\d+/,
  );
  expect(readFileSync(at("../README.md"), "utf8")).toContain(readFileSync(example, "utf8").trim());
});

// Beside the workspace's packages, so that the blocks find them by name.
const home = at("../../../node_modules/.cache");
mkdirSync(home, { recursive: true });
const folder = mkdtempSync(join(home, "tutorial-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

beforeAll(() => {
  for (const name of ["table.biom", "tree.nwk", "metadata.tsv", "rep-seqs.fasta", "split.tsv"])
    copyFileSync(fixture(name), join(folder, name));
});

it("the fixture's sequences and split are those the tests make", async () => {
  const { sampleIds, featureIds } = await readBiom(fixture("table.biom"));
  expect(readFileSync(fixture("rep-seqs.fasta"), "utf8")).toBe(fastaFor(featureIds));
  const rows = sampleIds.map((id, s) => `${id}\t${s % 4 === 3 ? "test" : "train"}\n`);
  expect(readFileSync(fixture("split.tsv"), "utf8")).toBe(`sample_id\tsplit\n${rows.join("")}`);
});

/** Runs all blocks of a tutorial, commands first, and says what those and the blocks in TypeScript print. */
function runTutorial(name: string): { commands: string; code: string } {
  const text = readFileSync(at(`../../../docs/tutorials/${name}.md`), "utf8");
  const blocks = [...text.matchAll(/^```(\w+)\n([\s\S]*?)^```/gm)].map(([, kind, code]) => ({
    kind,
    code: code!,
  }));
  let commands = "";
  for (const line of blocks.filter((b) => b.kind === "sh").flatMap((b) => b.code.trim().split("\n"))) {
    expect(line).toMatch(/^seq-model /);
    commands += run([bin, ...line.split(" ").slice(1)], folder);
  }
  const code = blocks.filter((b) => b.kind === "ts").map((b) => b.code);
  expect(code.length).toBeGreaterThan(0);
  writeFileSync(join(folder, `${name}.mjs`), code.join("\n"));
  return { commands, code: run([`${name}.mjs`], folder) };
}

/** The block of a tutorial's text that begins with a word. */
function printed(name: string, word: string): string {
  const text = readFileSync(at(`../../../docs/tutorials/${name}.md`), "utf8");
  return text
    .split("```text\n")
    .find((block) => block.startsWith(word))!
    .split("```")[0]!;
}

describe("17.2 tutorials", () => {
  it("the blocks of the UniFrac tutorial run", () => {
    const { code: out } = runTutorial("unifrac");
    expect(out).toMatch(/rarefied to 200, seed 1/);
    expect(out.trimEnd()).toMatch(/true$/);
    expect(readFileSync(join(folder, "pcoa.svg"), "utf8")).toContain("<circle");
  });

  it("the blocks of the pages on models run, one after the other", () => {
    const { commands, code: trained } = runTutorial("pretrain-and-fine-tune");
    expect(commands).toContain(printed("pretrain-and-fine-tune", "Loaded"));
    expect(trained).toMatch(/^the network's R² is -?\d+\.\d{3}; [\w-]+ has -?\d+\.\d{3}\n/);
    for (const name of ["pre/model.safetensors", "run/losses.html", "search/search.json"])
      expect(existsSync(join(folder, name)), name).toBe(true);
    const { commands: said, code: explained } = runTutorial("predict-and-explain");
    expect(said).toMatch(
      /^errors of 3 test samples: .*\nerrors of 11 training samples: .*\nerrors of all 14/m,
    );
    expect(explained).toMatch(
      /^± [\d.]+ covers \d+ % of the samples.*\n.*index.* → embedding, prediction\n$/,
    );
    expect(readFileSync(join(folder, "predictions.tsv"), "utf8")).toMatch(/^sample_id\tage\nS00\t/);
    for (const name of ["importances", "attention", "errors"])
      expect(readFileSync(join(folder, `${name}.svg`), "utf8")).toMatch(/^<svg/);
  });
});
