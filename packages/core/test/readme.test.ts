import { readdirSync, readFileSync } from "node:fs";

import { describe, expect, it } from "vitest";

import * as core from "../src/index.ts";
import { runScript, SRC, tempFolder } from "./temp-folder.ts";

const folder = tempFolder();
const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

describe("README", () => {
  it("quotes the quickstart, which runs", async () => {
    const example = read("../examples/quickstart.ts");
    expect(read("../README.md")).toContain(`\`\`\`ts\n${example}\`\`\`\n`);
    const { code, stdout, stderr } = await runScript(folder, example.replace('"@x/core"', '"$SRC/index.ts"'))
      .exit;
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain('{"id": "ann", "height": 171.5, "noise": ');
    expect(stdout).toMatch(/\nENOENT people\.txt: no such file or folder\n$/);
  });

  it("lists functions that exist, and every error code of the sources", () => {
    const readme = read("../README.md");
    const table = readme.slice(readme.indexOf("| you want to"), readme.indexOf("Missing is"));
    const named = [...table.matchAll(/`(\w+)/g)].map((m) => m[1]!);
    expect(named.length).toBeGreaterThan(40);
    expect(named.filter((name) => !(name in core) && !["launch", "MEM_PREFLIGHT"].includes(name))).toEqual(
      [],
    );

    const sources = readdirSync(SRC).map((file) => readFileSync(SRC + file, "utf8"));
    const codes = sources.flatMap((text) => [
      ...text.matchAll(/(?:xError|fileError|usage|refuse)\(\s*"([A-Z][A-Z_0-9]+)"/g),
    ]);
    expect(codes.map((m) => m[1]!).filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
  });
});
