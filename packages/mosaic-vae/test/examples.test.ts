import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { folder } from "./support.ts";

const at = folder();
const example = fileURLToPath(new URL("../examples/quickstart.ts", import.meta.url));

it("the quickstart runs and stands in the README", () => {
  const out = execFileSync(process.execPath, [example, at.path("bridge.h5ad")], { encoding: "utf8" });
  expect(out).toMatch(/^rna: 315 of 600 cells, 200 features\natac: 315 of 600 cells, 300 features\n128 /);
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  expect(readme).toContain(readFileSync(example, "utf8").trim());
});
