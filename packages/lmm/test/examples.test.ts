import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { copyFileset, names, node, tempFolder } from "./support/files.ts";

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
