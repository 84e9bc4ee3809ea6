import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll } from "vitest";

const root: string = fileURLToPath(new URL("../../../../", import.meta.url));
/** Where the shared data lie beside the checkout, or where X_SHARED says. */
export const shared: string = process.env.X_SHARED ?? join(root, "../shared");
/** The reference models, where they are. */
export const references: string = join(shared, "data/gam");
export const hasReferences: boolean = existsSync(references);
if (!hasReferences) console.log(`the GAM references are not in ${references}: their tests are left out`);
export const bin: string = fileURLToPath(new URL("../../bin/gam-warmstart.mjs", import.meta.url));
export const node: string = process.execPath;
/** Simulated visits of 20 subjects. */
export const visits: string = join(root, "fixtures/gam/visits.csv");
export const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url));

/** Data and mgcv's numbers made by golden/make_*.R. */
export const golden = (name: string): string => fileURLToPath(new URL(`../golden/${name}`, import.meta.url));

const made: string[] = [];
afterAll(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "x-gam-"));
  made.push(folder);
  return folder;
}

export interface Ran {
  code: number | null;
  out: string;
  err: string;
}

/** Runs the `gam-warmstart` bin. */
export function gam(
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<Ran> {
  const child = spawn(node, [bin, ...args], {
    cwd: options.cwd,
    env: { ...process.env, ...options.env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let [out, err] = ["", ""];
  child.stdout.on("data", (d) => (out += d));
  child.stderr.on("data", (d) => (err += d));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, out, err })));
}

export const readJson = <T>(path: string): T => JSON.parse(readFileSync(path, "utf8")) as T;

/** Small deterministic numbers for tests; never for science. */
export function randoms(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

/** Rows with a smooth of x, one of z, a covariate without effect and subjects of 20 or so. */
export function simulated(n: number, seed: number, subjects = 10): Record<string, (number | string)[]> {
  const random = randoms(seed);
  const normal = (): number => random() + random() + random() + random() - 2;
  const effect = Array.from({ length: subjects }, () => 0.6 * normal());
  const rows = Array.from({ length: n }, (_, i) => {
    const [x, z, nothing] = [random(), random(), random()];
    const s = i % subjects;
    const eta = Math.sin(6 * x) + 2 * (z - 0.5) ** 2 + effect[s]!;
    return {
      x,
      z,
      nothing,
      id: `s${String(s).padStart(2, "0")}`,
      eta,
      y: eta + 0.5 * normal(),
      b: Number(random() < 1 / (1 + Math.exp(-eta))),
      c: poissonDraw(Math.exp(eta / 2 + 0.5), random),
    };
  });
  const column = <K extends keyof (typeof rows)[number]>(k: K) => rows.map((r) => r[k]);
  return {
    x: column("x"),
    z: column("z"),
    nothing: column("nothing"),
    id: column("id"),
    y: column("y"),
    b: column("b"),
    c: column("c"),
  };
}

function poissonDraw(mean: number, random: () => number): number {
  let k = 0;
  for (let p = random(); p > Math.exp(-mean); p *= random()) k++;
  return k;
}

/** CSV text of plain columns. */
export function csvOf(data: Record<string, readonly (number | string | null)[]>): string {
  const names = Object.keys(data);
  const n = data[names[0]!]!.length;
  return `${names.join(",")}\n${Array.from({ length: n }, (_, i) => `${names.map((k) => data[k]![i] ?? "NA").join(",")}\n`).join("")}`;
}
