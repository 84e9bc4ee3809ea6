import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { atomicWriter, checkOutputDir, checkRunPlace, writeFileAtomic } from "../src/files.ts";
import { HOST_TAG, removeTemps, tempPathFor } from "../src/temps.ts";
import { runScript, tempFolder } from "./temp-folder.ts";

const folder = tempFolder();
const at = (name: string): string => join(folder, name);
const temps = (name: string): string[] => readdirSync(folder).filter((f) => f.startsWith(`.${name}.`));

describe("atomicWriter", () => {
  it("shows nothing under the final name before commit, everything after", async () => {
    const path = at("a.txt");
    await using out = atomicWriter(path);
    await out.write("one\n");
    await out.write(new TextEncoder().encode("two ü\n"));
    expect(existsSync(path)).toBe(false);
    expect(existsSync(out.tempPath)).toBe(true);
    await out.commit();
    expect(readFileSync(path, "utf8")).toBe("one\ntwo ü\n");
    expect(out.bytes).toBe(11);
    expect(temps("a.txt")).toEqual([]);
    await expect(out.write("late")).rejects.toMatchObject({ code: "WRITER_CLOSED" });
  });

  it("removes the temporary file when disposed without commit, and keeps the old file", async () => {
    writeFileSync(at("b.txt"), "old");
    {
      await using out = atomicWriter(at("b.txt"));
      await out.write("new");
    }
    expect(readFileSync(at("b.txt"), "utf8")).toBe("old");
    expect(temps("b.txt")).toEqual([]);
  });

  it("keeps the order of texts and bytes of any size, awaited or not", async () => {
    const part = fc.oneof(fc.string({ unit: "binary" }), fc.uint8Array({ maxLength: 300 }));
    await fc.assert(
      fc.asyncProperty(fc.array(part, { maxLength: 30 }), fc.boolean(), async (parts, awaited) => {
        const expected = Buffer.concat(parts.map((p) => Buffer.from(p as string)));
        await using out = atomicWriter(at("order.bin"));
        for (const p of parts) {
          const written = out.write(p);
          if (awaited) await written;
        }
        await out.commit();
        expect(readFileSync(at("order.bin")).equals(expected)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  it("writes large arrays and long texts whole", async () => {
    const bytes = new Uint8Array(3_000_001).map((_, i) => i * 7);
    await using out = atomicWriter(at("big.bin"));
    await out.write(bytes);
    await out.write("x".repeat(1_000_000));
    await out.commit();
    const found = readFileSync(at("big.bin"));
    expect(found.subarray(0, bytes.length).equals(bytes)).toBe(true);
    expect(found.length).toBe(4_000_001);
  });

  it("refuses an existing file when overwriting is off, also one that appears meanwhile", async () => {
    writeFileSync(at("c.txt"), "old");
    expect(() => atomicWriter(at("c.txt"), { overwrite: false })).toThrow(
      expect.objectContaining({ code: "OUT_EXISTS" }),
    );
    await using out = atomicWriter(at("d.txt"), { overwrite: false });
    await out.write("mine");
    writeFileSync(at("d.txt"), "theirs");
    await expect(out.commit()).rejects.toMatchObject({ code: "OUT_EXISTS" });
    expect(readFileSync(at("d.txt"), "utf8")).toBe("theirs");
    await writeFileAtomic(at("e.txt"), "fresh", { overwrite: false });
    expect(readFileSync(at("e.txt"), "utf8")).toBe("fresh");
  });

  it("stops on abort and leaves nothing", async () => {
    const controller = new AbortController();
    const reason = new Error("enough");
    const run = async (): Promise<void> => {
      await using out = atomicWriter(at("f.txt"), { signal: controller.signal });
      await out.write("a".repeat(300_000));
      controller.abort(reason);
      await out.write("b");
      await out.commit();
    };
    await expect(run()).rejects.toBe(reason);
    expect(existsSync(at("f.txt"))).toBe(false);
    expect(temps("f.txt")).toEqual([]);
  });

  it("replaces the target of a link and keeps the link", async () => {
    writeFileSync(at("target.txt"), "old");
    symlinkSync("target.txt", at("link.txt"));
    await writeFileAtomic(at("link.txt"), "new");
    expect(readFileSync(at("target.txt"), "utf8")).toBe("new");
    expect(lstatSync(at("link.txt")).isSymbolicLink()).toBe(true);
  });

  it("gives files the permissions the umask allows, and takes very long names", async () => {
    const path = at(`${"n".repeat(250)}.tsv`);
    await writeFileAtomic(path, "x");
    expect(statSync(path).mode & 0o777).toBe(0o666 & ~process.umask());
  });

  it("removes stale temporary files of dead processes of this host only", async () => {
    const dead = 2 ** 22 + 12345; // above any process id
    const stale = `.g.txt.${dead}.${HOST_TAG}0123456789.tmp`;
    const kept = [
      `.g.txt.${process.pid}.${HOST_TAG}0123456789.tmp`,
      `.g.txt.${dead}.${HOST_TAG === "000000" ? "111111" : "000000"}0123456789.tmp`,
      `.g.txt.${dead}.tmp`,
    ];
    for (const name of [stale, ...kept]) writeFileSync(at(name), "");
    await writeFileAtomic(at("g.txt"), "x");
    expect(temps("g.txt").sort()).toEqual(kept.sort());
  });

  it("removeTemps takes away all that is half written", () => {
    const out = atomicWriter(at("h.txt"));
    expect(existsSync(out.tempPath)).toBe(true);
    removeTemps();
    expect(existsSync(out.tempPath)).toBe(false);
    expect(tempPathFor(at("h.txt"))).not.toBe(out.tempPath);
  });
});

describe("failing disks", () => {
  it("/dev/full is ENOSPC", async () => {
    await expect(writeFileAtomic("/dev/full", "x")).rejects.toMatchObject({ code: "ENOSPC" });
    await writeFileAtomic("/dev/null", "x");
  });

  it("a full file system is ENOSPC: no final name, no temporary file, every later call fails alike", async (test) => {
    const script = `
      import { atomicWriter } from "$SRC/files.ts";
      import { readdirSync } from "node:fs";
      const codes = [];
      {
        await using out = atomicWriter(process.env.DISK + "/r.txt");
        for (const step of [() => out.write(new Uint8Array(200000)), () => out.write("x"), () => out.commit()]) {
          try { await step(); codes.push("ok"); } catch (e) { codes.push(e.code); }
        }
      }
      {
        await using out = atomicWriter(process.env.DISK + "/ok.txt");
        await out.write("fits"); await out.commit();
      }
      console.log(JSON.stringify({ codes, left: readdirSync(process.env.DISK) }));`;
    const disk = at("disk");
    mkdirSync(disk);
    const mount = `mount -t tmpfs -o size=64k none '${disk}' || exit 99; DISK='${disk}' $SCRIPT`;
    const { code, stdout, stderr } = await runScript(folder, script, {
      shell: `exec unshare -m sh -c "${mount.replaceAll('"', '\\"')}"`,
    }).exit;
    if (code === 99 || /unshare/.test(stderr)) return test.skip("no right to mount a small disk here");
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({ codes: ["ENOSPC", "ENOSPC", "ENOSPC"], left: ["ok.txt"] });
  });

  it.each([
    ["write", "ENOSPC"],
    ["fsync", "EIO"],
    ["close", "EIO"],
  ])("an error of %s (%s) fails the commit and leaves nothing", async (call, system) => {
    const script = `
      import fs from "node:fs";
      import { syncBuiltinESMExports } from "node:module";
      import { promisify } from "node:util";
      const real = fs.${call};
      const broken = (fd, ...rest) => {
        const done = rest.at(-1);
        const fail = () => done(Object.assign(new Error("injected"), { code: "${system}" }));
        if (fd < 3) return real(fd, ...rest);
        "${call}" === "close" ? real(fd, fail) : fail();
      };
      fs.${call} = broken;
      syncBuiltinESMExports();
      const { writeFileAtomic } = await import("$SRC/files.ts");
      try { await writeFileAtomic(process.argv[2], "x"); console.log("ok"); } catch (e) { console.log(String(e)); }`;
    const path = at(`injected-${call}.txt`);
    const { stdout, stderr } = await runScript(folder, script, { args: [path] }).exit;
    expect(stderr).toBe("");
    expect(stdout.split(" ")[0]).toBe(system);
    expect(existsSync(path)).toBe(false);
    expect(temps(`injected-${call}.txt`)).toEqual([]);
  });
});

describe("killed processes", () => {
  it("kill -9 at any moment leaves the old or the new file, and the next run removes the rest", async () => {
    const path = at("k.bin");
    const script = `
      import { atomicWriter } from "$SRC/files.ts";
      console.log("started");
      for (let i = 1; ; i++) {
        await using out = atomicWriter(${JSON.stringify(path)});
        for (let j = 0; j < 40; j++) await out.write(new Uint8Array(50000).fill(i));
        await out.commit();
      }`;
    for (let run = 0; run < 4; run++) {
      const child = runScript(folder, script);
      await child.said("started");
      await new Promise((done) => setTimeout(done, Math.random() * 60));
      child.kill("SIGKILL");
      await child.exit;
      if (!existsSync(path)) continue;
      const bytes = readFileSync(path);
      expect(bytes.length).toBe(2_000_000);
      expect(bytes.every((b) => b === bytes[0])).toBe(true);
    }
    await writeFileAtomic(path, "next");
    expect(temps("k.bin")).toEqual([]);
    expect(readFileSync(path, "utf8")).toBe("next");
  });
});

it("checkRunPlace refuses a folder that cannot be made, and names the option", () => {
  writeFileSync(at("taken"), "");
  checkRunPlace(folder, "--out");
  checkRunPlace(at("new/run"), "--out");
  expect(() => checkRunPlace(at("taken"), "--out")).toThrow(
    expect.objectContaining({
      code: "OUT_DIR",
      message: expect.stringMatching(/this is a file; --out names/),
    }),
  );
  expect(() => checkRunPlace(at("taken/run"), "--out")).toThrow(/taken is a file/);
});

describe("checkOutputDir", () => {
  const refused = (path: string, code: string): void =>
    expect(() => checkOutputDir(at(path))).toThrow(expect.objectContaining({ code }));

  it("refuses a folder that is missing or a file, and a path that is a folder", () => {
    writeFileSync(at("file"), "");
    mkdirSync(at("dir"));
    refused("none/x", "OUT_DIR");
    refused("file/x", "OUT_DIR");
    refused("dir", "NOT_A_FILE");
    checkOutputDir(at("dir/x"));
    checkOutputDir("-");
    checkOutputDir("/dev/stdout");
    expect(() => atomicWriter(at("none/x"))).toThrow(expect.objectContaining({ code: "OUT_DIR" }));
  });

  it("refuses a read-only folder", async () => {
    mkdirSync(at("readonly"));
    chmodSync(at("readonly"), 0o555);
    chmodSync(at(""), 0o755);
    // Tests often run as root, whom permissions do not bind; `access` goes by the real user, so a child gives it up.
    const script = `
      import { checkOutputDir } from "$SRC/files.ts";
      if (process.getuid() === 0) process.setuid(65534);
      try { checkOutputDir(${JSON.stringify(at("readonly/x"))}); } catch (e) { console.log(e.code); }`;
    expect((await runScript(at(""), script).exit).stdout).toBe("OUT_DIR\n");
  });
});

describe("standard output", () => {
  const script = `
    import { atomicWriter } from "$SRC/files.ts";
    await using out = atomicWriter("-");
    try {
      for (let i = 0; i < 300; i++) await out.write("line " + i + "\\n" + "x".repeat(10000) + "\\n");
      await out.commit();
    } catch (e) { console.error(String(e)); process.exitCode = 5; }`;

  it("- writes everything to stdout", async () => {
    const { code, stdout } = await runScript(folder, script).exit;
    expect(code).toBe(0);
    expect(stdout.length).toBeGreaterThan(3_000_000);
    expect(stdout.endsWith("\n")).toBe(true);
  });

  it("a reader that goes away is EPIPE, without a stack trace", async () => {
    const { stdout, stderr } = await runScript(folder, script, { shell: "$SCRIPT | head -n 1" }).exit;
    expect(stdout).toBe("line 0\n");
    expect(stderr).toMatch(/^EPIPE -: .*\n$/);
  });

  it("a redirect to /dev/full is ENOSPC", async () => {
    const { stderr } = await runScript(folder, script, { shell: "$SCRIPT > /dev/full" }).exit;
    expect(stderr).toMatch(/^ENOSPC -: /);
  });

  it("/dev/stdout is written straight through", async () => {
    const inner = script.replace('"-"', '"/dev/stdout"');
    const { stdout } = await runScript(folder, inner).exit;
    expect(stdout.length).toBeGreaterThan(3_000_000);
  });
});
