// No verb writes over a file it reads: exit 2, and the file stays as it was.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "x-plink-io-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const set = join(folder, "set");
writeFileSync(`${set}.bed`, Uint8Array.of(0x6c, 0x1b, 1, 0b1011));
writeFileSync(`${set}.bim`, "1\tv1\t0\t100\tA\tG\n");
writeFileSync(`${set}.fam`, "a a 0 0 1 -9\nb b 0 0 2 -9\n");

it.each([
  ["subset", "--bfile", set, "--out", set],
  ["subset", set, "--out", join(folder, ".", "set")],
  ["merge", set, "--out", set],
  ["convert", set, set],
])("%s %s %s", (...args) => {
  const files = [".bed", ".bim", ".fam"].map((ending) => set + ending);
  const before = files.map((path) => readFileSync(path));
  const bin = join(import.meta.dirname, "../bin/plink-io.mjs");
  const run = spawnSync(process.execPath, [bin, ...args], { encoding: "utf8" });
  expect([run.status, run.stderr.split(" ")[0]]).toEqual([2, "OUT_IS_INPUT"]);
  expect(files.map((path) => readFileSync(path))).toEqual(before);
});
