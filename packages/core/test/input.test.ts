import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  renameSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

import fc from "fast-check";
import { describe, expect, it } from "vitest";

import { openInput } from "../src/input.ts";
import { code, runCommand, tempFolder } from "./temp-folder.ts";

const folder = tempFolder();
const at = (name: string): string => join(folder, name);
const refusal = (name: string): unknown => expect.objectContaining(code(name));

describe("openInput refuses by name", () => {
  it("what is missing, a folder, a circle of links", () => {
    mkdirSync(at("dir"));
    symlinkSync("loop", at("loop"));
    expect(() => openInput(at("none"))).toThrow(refusal("ENOENT"));
    expect(() => openInput(at("dir"))).toThrow(refusal("NOT_A_FILE"));
    expect(() => openInput(at("loop"))).toThrow(refusal("ELOOP"));
    expect(() => openInput(at("none"))).toThrow(at("none"));
  });

  it("pipes, sockets and devices, at once", async () => {
    await runCommand(["mkfifo", at("fifo")]).exit;
    expect(() => openInput(at("fifo"))).toThrow(refusal("NOT_SEEKABLE"));
    expect(() => openInput("/dev/zero")).toThrow(refusal("NOT_SEEKABLE"));
    const server = createServer().listen(at("socket"));
    await new Promise((done) => server.once("listening", done));
    expect(() => openInput(at("socket"))).toThrow(refusal("NOT_SEEKABLE"));
    server.close();
  });

  it("what may not be read", () => {
    writeFileSync(at("secret"), "x");
    chmodSync(at("secret"), 0);
    chmodSync(at(""), 0o755);
    const isRoot = process.getuid?.() === 0; // whom permissions do not bind
    if (isRoot) process.seteuid!(65534);
    try {
      expect(() => openInput(at("secret"))).toThrow(refusal("EACCES"));
    } finally {
      if (isRoot) process.seteuid!(0);
    }
  });
});

describe("reads", () => {
  it("gives exactly the bytes asked for, or FILE_RANGE before allocating", async () => {
    const bytes = new Uint8Array(1000).map((_, i) => i);
    writeFileSync(at("data"), bytes);
    await using file = openInput(at("data"));
    expect(file.size).toBe(1000);
    const place = fc.integer({ min: -10, max: 1100 });
    await fc.assert(
      fc.asyncProperty(place, place, async (position, length) => {
        const inside = position >= 0 && length >= 0 && position + length <= 1000;
        const read = file.read(position, length);
        if (inside) expect(await read).toEqual(bytes.subarray(position, position + length));
        else await expect(read).rejects.toMatchObject(code("FILE_RANGE"));
      }),
    );
    for (const length of [2 ** 52, Number.NaN, 1.5, Infinity]) {
      await expect(file.read(0, length)).rejects.toMatchObject(code("FILE_RANGE"));
    }
    const target = new Uint8Array(10);
    await file.readInto(target, 990);
    expect(target).toEqual(bytes.subarray(990));
  });

  it("closes only after the reads under way, and refuses later ones", async () => {
    writeFileSync(at("late"), new Uint8Array(5_000_000));
    const file = openInput(at("late"));
    const reading = file.read(0, 5_000_000);
    await file.close();
    await file.close();
    expect((await reading).length).toBe(5_000_000);
    await expect(file.read(0, 1)).rejects.toMatchObject(code("FILE_CLOSED"));
  });

  it("opens empty files", async () => {
    writeFileSync(at("empty"), "");
    await using file = openInput(at("empty"));
    expect(await file.read(0, 0)).toEqual(new Uint8Array(0));
  });
});

describe("check", () => {
  const changes: Record<string, (path: string) => void> = {
    "appended to": (path) => appendFileSync(path, "x"),
    "cut short": (path) => truncateSync(path, 1),
    "written in place": (path) => {
      writeFileSync(path, "abcdefgi");
      utimesSync(path, 1e9, 1e9);
    },
    replaced: (path) => {
      writeFileSync(`${path}2`, "abcdefgh");
      renameSync(`${path}2`, path);
    },
    removed: (path) => renameSync(path, `${path}3`),
  };

  it.each(Object.keys(changes))("sees that a file was %s", async (what) => {
    const path = at(`changing ${what}`);
    writeFileSync(path, "abcdefgh");
    await using file = openInput(path);
    file.check();
    changes[what]!(path);
    expect(() => file.check()).toThrow(refusal("INPUT_CHANGED"));
  });

  it("a read past the new end of a shrunken file is INPUT_CHANGED, not zeros", async () => {
    writeFileSync(at("shrinking"), "abcdefgh");
    await using file = openInput(at("shrinking"));
    truncateSync(at("shrinking"), 4);
    await expect(file.read(2, 6)).rejects.toMatchObject(code("INPUT_CHANGED"));
  });
});
