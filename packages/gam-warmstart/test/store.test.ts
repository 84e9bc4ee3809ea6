import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Warning } from "@x/core/base";
import { expect, it } from "vitest";
import { openStore } from "../src/index.ts";
import { artifact, term } from "./support/artifacts.ts";
import { tempFolder } from "./support/files.ts";

const fit = (objective: number, created: number | null = null) =>
  artifact({ created, global: { objective, converged: true, rows: 100, theta: [] } });
const key = fit(1).key;

it("latest is what was put last, by objective the lowest; two runs give the same files", async () => {
  const folders = [tempFolder(), tempFolder()];
  for (const folder of folders) {
    const store = openStore(folder);
    expect(store.latest(key)).toBeUndefined();
    for (const objective of [3, 1, 2]) await store.put(fit(objective));
    expect(store.latest(key)!.artifact.global.objective).toBe(2);
    expect(store.byObjective(key)!.artifact.global.objective).toBe(1);
    expect(store.list(key).length).toBe(3);
    await store.put(fit(1));
    expect(store.latest(key)!.artifact.global.objective).toBe(1);
    expect(store.list(key).length).toBe(3);
  }
  const [a, b] = folders.map((f) =>
    readdirSync(join(f, key)).map((n) => [n, readFileSync(join(f, key, n), "utf8")]),
  );
  expect(a).toEqual(b);
});

it("damaged entries and links are skipped and reported, not deleted", async () => {
  const folder = tempFolder();
  const warnings: Warning[] = [];
  const store = openStore(folder, { onWarning: (w) => warnings.push(w) });
  const good = await store.put(fit(1));
  writeFileSync(join(folder, key, "00000002.json"), readFileSync(good, "utf8").slice(0, 50));
  writeFileSync(
    join(folder, key, "00000003.json"),
    readFileSync(good, "utf8").replace('"objective":1', '"objective":0'),
  );
  symlinkSync(good, join(folder, key, "00000004.json"));
  writeFileSync(join(folder, key, "notes.txt"), "mine");
  expect(store.latest(key)!.path).toBe(good);
  expect(warnings.map((w) => w.details.reason)).toEqual([
    "ARTIFACT_PATH",
    "ARTIFACT_HASH",
    "ARTIFACT_TRUNCATED",
  ]);
  expect(readdirSync(join(folder, key)).length).toBe(5);
});

it("old entries are not used; entries without a time do not age", async () => {
  const store = openStore(tempFolder(), { maxAgeDays: 1, now: () => 200_000 });
  await store.put(fit(2));
  await store.put(fit(1, 0));
  expect(store.latest(key)!.artifact.global.objective).toBe(2);
});

it("the budget keeps the newest", async () => {
  const folder = tempFolder();
  const size = readFileSync(await openStore(tempFolder()).put(fit(1))).length;
  const store = openStore(folder, { maxBytes: Math.floor(2.5 * size) });
  for (const o of [1, 2, 3, 4]) await store.put(fit(o));
  expect(store.list(key).map((e) => e.artifact.global.objective)).toEqual([3, 4]);
});

it("exact entries have a namespace of their own", async () => {
  const folder = tempFolder();
  const store = openStore(folder);
  await store.putExact("a".repeat(64), fit(1));
  expect(store.latest("a".repeat(64))).toBeUndefined();
  expect(store.exact("a".repeat(64))!.artifact.global.objective).toBe(1);
  expect(existsSync(join(folder, "exact"))).toBe(true);
});

it("a key that is no digest never becomes a path", async () => {
  const store = openStore(tempFolder());
  for (const bad of ["../../etc/x", "/etc", "A".repeat(64), ""])
    expect(() => store.latest(bad)).toThrow(expect.objectContaining({ code: "ARTIFACT_PATH" }));
  await expect(store.put({ ...artifact({ terms: [term()] }), key: "../x" })).rejects.toMatchObject({
    code: "ARTIFACT_PATH",
  });
});

it("nothing is written before the first put", () => {
  const folder = join(tempFolder(), "store");
  openStore(folder);
  expect(existsSync(folder)).toBe(false);
  mkdirSync(folder);
  expect(openStore(folder).list(key)).toEqual([]);
});
