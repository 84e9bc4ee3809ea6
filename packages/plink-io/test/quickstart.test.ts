import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "./support/filesets.ts";

const ROOT = join(import.meta.dirname, "..");
const EXAMPLE = join(ROOT, "examples/quickstart.ts");

it("examples/quickstart.ts runs", () => {
  using folder = temporaryFolder();
  mkdirSync(join(folder.path, "data"));
  for (const part of ["bed", "bim", "fam"])
    copyFileSync(join(ROOT, `test/golden/quant.${part}`), join(folder.path, `data/study.${part}`));
  const ran = spawnSync(process.execPath, [EXAMPLE], { encoding: "utf8", cwd: folder.path });
  expect(ran.stderr).toBe("");
  expect(ran.stdout).toMatch(/^64 people, 120 variants/);
  expect(readFileSync(join(folder.path, "study.frq"), "utf8")).toBe(
    readFileSync(join(ROOT, "test/golden/quant.frq"), "utf8"),
  );
  expect(existsSync(join(folder.path, "study.chr3.bed"))).toBe(true);
});

it("the README opens with it", () => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  expect(/```ts\n([\s\S]*?)```/.exec(readme)?.[1]).toBe(readFileSync(EXAMPLE, "utf8"));
});
