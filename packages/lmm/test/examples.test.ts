import { execFileSync } from "node:child_process";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { copyFileset, lmm, names, node, tempFolder } from "./support/files.ts";

const example = fileURLToPath(new URL("../examples/quickstart.ts", import.meta.url));
const readme = fileURLToPath(new URL("../README.md", import.meta.url));

it("the quickstart runs, finds the planted hits and stands in the README", () => {
  const folder = tempFolder();
  const out = execFileSync(node, [example, copyFileset("demo", folder), join(folder, "demo")], {
    encoding: "utf8",
  });
  expect(out).toMatch(/^pve 0\.\d+ ± 0\.\d+, 4\d+ variants tested\n/);
  expect(out.trimEnd().split("\n").length).toBeGreaterThanOrEqual(5);
  expect(names(folder)).toEqual(
    expect.arrayContaining(["demo.assoc.arrow", "demo.assoc.txt", "demo.log.txt", "demo.report.html"]),
  );
  expect(readFileSync(readme, "utf8")).toContain(readFileSync(example, "utf8").trim());
});

it("the README's example of GEMMA's form runs as it stands", async () => {
  const folder = tempFolder();
  const prefix = copyFileset("mod2", folder);
  for (const ext of ["bed", "bim", "fam"]) renameSync(`${prefix}.${ext}`, join(folder, `study.${ext}`));
  renameSync(`${prefix}.covar.txt`, join(folder, "covar.txt"));
  const fam = readFileSync(join(folder, "study.fam"), "utf8").trimEnd().split("\n");
  writeFileSync(
    join(folder, "traits.txt"),
    fam.map((line) => `NA ${line.trim().split(/\s+/)[5]}\n`).join(""),
  );
  const lines = [...readFileSync(readme, "utf8").matchAll(/^lmm (-bfile study -p .*)$/gm)].map((m) => m[1]!);
  expect(lines.length).toBe(2);
  for (const line of lines) {
    const ran = await lmm(line.split(" "), { cwd: folder });
    expect(ran, ran.err).toMatchObject({ code: 0 });
  }
  expect(names(join(folder, "output"))).toEqual(["height.assoc.txt", "height.cXX.txt", "height.log.txt"]);
});
