import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { describe, expect, it } from "vitest";

import { allocateArray, baselineBytes, memoryLimit, parseBytes, requireMemory } from "../src/memory.ts";
import { tempFolder } from "./temp-folder.ts";

const folder = tempFolder();
const GB = 1e9;
let machines = 0;

/** A made-up machine with 24 GB free and these further files. */
function machine(files: Record<string, string> = {}): { root: string; env: Record<string, string> } {
  const root = join(folder, `machine${machines++}`);
  const all = { "proc/meminfo": "MemTotal: 32000000 kB\nMemAvailable:   24000000 kB\n", ...files };
  for (const [name, text] of Object.entries(all)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return { root, env: {} };
}

describe("memoryLimit", () => {
  it("is what is available when nothing else limits", () => {
    expect(memoryLimit(machine())).toEqual({ bytes: 24000000 * 1024, source: "available memory" });
    expect(memoryLimit().bytes).toBeGreaterThan(0);
  });

  it("takes the smallest cgroup v2 limit on the way up", () => {
    const m = machine({
      "proc/self/cgroup": "0::/slurm/job_7/step_0\n",
      "sys/fs/cgroup/slurm/job_7/step_0/memory.max": "max\n",
      "sys/fs/cgroup/slurm/job_7/memory.max": "2000000000\n",
      "sys/fs/cgroup/slurm/memory.max": "9000000000\n",
    });
    expect(memoryLimit(m)).toEqual({ bytes: 2 * GB, source: "cgroup v2 limit of /slurm/job_7" });
  });

  it("sees the limit of a container, whose path is its host's", () => {
    const m = machine({ "proc/self/cgroup": "0::/docker/abc\n", "sys/fs/cgroup/memory.max": "3000000000\n" });
    expect(memoryLimit(m).bytes).toBe(3 * GB);
    const hybrid = machine({
      "proc/self/cgroup": "4:memory:/docker/abc\n0::/\n",
      "sys/fs/cgroup/memory/memory.limit_in_bytes": "1000000000\n",
    });
    expect(memoryLimit(hybrid)).toEqual({ bytes: GB, source: "cgroup v1 limit of /" });
  });

  it("ignores cgroup v1's way to say unlimited", () => {
    const m = machine({
      "proc/self/cgroup": "9:cpu,memory:/a\n",
      "sys/fs/cgroup/memory/a/memory.limit_in_bytes": "9223372036854771712\n",
    });
    expect(memoryLimit(m).source).toBe("available memory");
  });

  it("reads ulimit -v and SLURM_MEM_PER_NODE", () => {
    const limits =
      "Limit  Soft Limit  Hard Limit  Units\nMax address space         4000000000           unlimited            bytes\n";
    // Addresses reserved but not used do not count: 1,000,000 − 100,000 kB of this process, 256 MiB for its threads.
    const status = "VmSize:\t 1000000 kB\nVmRSS:\t  100000 kB\n";
    expect(memoryLimit(machine({ "proc/self/limits": limits, "proc/self/status": status }))).toEqual({
      bytes: 4 * GB - 900_000 * 1024 - 256 * 2 ** 20,
      source: "ulimit -v",
    });
    const unlimited = "Max address space         unlimited            unlimited            bytes\n";
    expect(memoryLimit(machine({ "proc/self/limits": unlimited })).source).toBe("available memory");
    const slurm = (text: string): number =>
      memoryLimit({ ...machine(), env: { SLURM_MEM_PER_NODE: text } }).bytes;
    expect(slurm("2048")).toBe(2 ** 31);
    expect(slurm("2G")).toBe(2 ** 31);
    expect(slurm("0")).toBe(24000000 * 1024); // Slurm's "all of the node"
  });

  it("memoryLimit lowers it, Infinity overrides it", () => {
    expect(memoryLimit({ ...machine(), memoryLimit: GB })).toEqual({ bytes: GB, source: "memoryLimit" });
    expect(memoryLimit({ ...machine(), memoryLimit: 1e15 }).source).toBe("available memory");
    expect(memoryLimit({ ...machine(), memoryLimit: Infinity }).bytes).toBe(Infinity);
  });
});

describe("requireMemory", () => {
  const parts = [
    { name: "tiles", bytes: 0.5 * GB },
    { name: "kinship matrix", bytes: 320 * GB },
  ];

  it("refuses with the table, the limit and the cheaper route", () => {
    const plan = { parts, total: 320.5 * GB };
    const refuse = (): void => requireMemory(plan, { ...machine(), hint: "With p < n use --dual: 64 GB." });
    expect(refuse).toThrow(expect.objectContaining({ code: "MEM_PREFLIGHT" }));
    expect(refuse).toThrow(
      "needs 321 GB at its peak, 24.6 GB may be used (available memory).\n" +
        "  kinship matrix        320 GB\n" +
        "  tiles               0.500 GB\n" +
        "  peak                  321 GB\n" +
        "With p < n use --dual: 64 GB.",
    );
    requireMemory(plan, { ...machine(), memoryLimit: Infinity });
    requireMemory({ parts, total: GB }, machine());
  });
});

describe("sizes", () => {
  it.each([
    ["8G", 8e9],
    ["1.5GB", 1.5e9],
    ["2GiB", 2 ** 31],
    ["500M", 5e8],
    ["10 k", 1e4],
    ["123", 123],
    ["1T", 1e12],
    ["", undefined],
    ["G", undefined],
    ["-1G", undefined],
    ["1e9", undefined],
  ])("parseBytes(%j) is %s", (text, bytes) => {
    expect(parseBytes(text)).toBe(bytes);
  });

  it("allocateArray names what is too long for one array", () => {
    expect(allocateArray(Float64Array, 3, "x")).toEqual(new Float64Array(3));
    expect(() => allocateArray(Float64Array, 2 ** 53, "K")).toThrow(
      expect.objectContaining({ code: "TYPED_ARRAY_LIMIT" }),
    );
    expect(() => allocateArray(Float64Array, -1, "K")).toThrow(
      expect.objectContaining({ code: "TYPED_ARRAY_LIMIT" }),
    );
    expect(() => allocateArray(Float64Array, 2 ** 46, "K")).toThrow(
      expect.objectContaining({ code: expect.stringMatching(/^(ALLOC|TYPED_ARRAY_LIMIT)$/) }),
    );
  });

  it("baselineBytes is what the process takes", () => {
    expect(baselineBytes()).toBeGreaterThan(2e7);
    expect(baselineBytes()).toBeLessThan(4e9);
  });
});
