import { existsSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { lockOutput } from "../src/lock.ts";
import { code, runScript, tempFolder } from "./temp-folder.ts";

const folder = tempFolder();
const at = (name: string): string => join(folder, name);
const locked = expect.objectContaining(code("LOCKED"));

describe("lockOutput", () => {
  it("lets one writer in at a time", async () => {
    {
      await using lock = lockOutput(at("run"));
      expect(existsSync(lock.path)).toBe(true);
      expect(() => lockOutput(at("run"))).toThrow(locked);
      await using other = lockOutput(at("other"));
      expect(other.path).not.toBe(lock.path);
    }
    await using again = lockOutput(at("run"));
    expect(existsSync(again.path)).toBe(true);
  });

  it("refuses while another process lives, takes over once it was killed", async () => {
    const holder = runScript(
      folder,
      `import { lockOutput } from "$SRC/lock.ts";
       lockOutput(${JSON.stringify(at("shared"))});
       console.log("locked");
       setInterval(() => {}, 1000);`,
    );
    await holder.said("locked");
    expect(() => lockOutput(at("shared"))).toThrow(locked);
    expect(() => lockOutput(at("shared"))).toThrow(/process \d+ is writing/);
    holder.kill("SIGKILL");
    await holder.exit;
    await using lock = lockOutput(at("shared"));
    expect(JSON.parse(readFileSync(lock.path, "utf8")).pid).toBe(process.pid);
  });

  it("lets exactly one of many processes take over a stale lock", async () => {
    const stale = { pid: 2 ** 22 + 1, start: "1", host: "" };
    await using lock = lockOutput(at("probe"));
    stale.host = JSON.parse(readFileSync(lock.path, "utf8")).host;
    writeFileSync(at(".many.lock"), JSON.stringify(stale));
    const script = `
      import { lockOutput } from "$SRC/lock.ts";
      try { lockOutput(${JSON.stringify(at("many"))}); console.log("mine"); } catch (e) { console.log(e.code); }
      setInterval(() => {}, 1000);`;
    const children = [1, 2, 3, 4].map(() => runScript(folder, script));
    await Promise.all(children.map((child) => child.said("\n")));
    for (const child of children) child.kill("SIGKILL");
    const exits = await Promise.all(children.map((child) => child.exit));
    expect(exits.map((e) => e.stdout.trim()).sort()).toEqual(["LOCKED", "LOCKED", "LOCKED", "mine"]);
  });

  it("never takes over the lock of another host or one just being made, but an old empty one", async () => {
    writeFileSync(at(".far.lock"), JSON.stringify({ pid: 1, start: "", host: "zzzzzz" }));
    expect(() => lockOutput(at("far"))).toThrow(locked);
    writeFileSync(at(".young.lock"), "");
    expect(() => lockOutput(at("young"))).toThrow(locked);
    utimesSync(at(".young.lock"), 1e9, 1e9);
    await using lock = lockOutput(at("young"));
    expect(existsSync(lock.path)).toBe(true);
  });

  it("OUT_DIR where the folder is missing", () => {
    expect(() => lockOutput(at("none/run"))).toThrow(expect.objectContaining(code("OUT_DIR")));
  });
});
