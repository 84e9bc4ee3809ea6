import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { temporaryFolder } from "./support/filesets.ts";

const ROOT = join(import.meta.dirname, "..");
const EXAMPLE = join(ROOT, "examples/quickstart.ts");
const { peerDependencies: peers } = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8"));
const FIXTURES = join(ROOT, "../../fixtures");

it("examples/quickstart.ts runs", () => {
  using folder = temporaryFolder();
  symlinkSync(FIXTURES, join(folder.path, "fixtures"));
  const ran = spawnSync(process.execPath, [EXAMPLE], { encoding: "utf8", cwd: folder.path });
  expect(ran.stderr).toBe("");
  expect(ran.stdout).toMatch(/^502 people, 4800 variants/);
  expect(readFileSync(join(folder.path, "demo.frq"), "utf8")).toMatch(/^ CHR +SNP/);
  expect(existsSync(join(folder.path, "demo.chr3.bed"))).toBe(true);
});

it("the README opens with it", () => {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  expect(readme).toContain(`npm install ${["@x/plink-io", ...Object.keys(peers)].join(" ")}`);
  expect(/```ts\n([\s\S]*?)```/.exec(readme)?.[1]).toBe(readFileSync(EXAMPLE, "utf8"));
});
