import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { node, visits } from "./support/files.ts";

const example = fileURLToPath(new URL("../examples/quickstart.ts", import.meta.url));
const readme = fileURLToPath(new URL("../README.md", import.meta.url));

it("the quickstart runs and stands in the README", () => {
  const out = execFileSync(node, [example, visits], { encoding: "utf8" });
  expect(out).toMatch(/Approximate significance of smooth terms:[\s\S]*s\(dose\)[\s\S]*n = 499/);
  expect(out).toMatch(/held-out log loss 0\.\d+/);
  expect(readFileSync(readme, "utf8")).toContain(readFileSync(example, "utf8").trim());
});
