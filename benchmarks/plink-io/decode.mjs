// Decoding through the API beside bed-reader, and whole reports beside plink1.9 and plink2: JSON lines.
// node benchmarks/plink-io/decode.mjs [samples=5000] [variants=20000] [prefix of an existing fileset]
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPlink } from "@x/plink-io";

const [samples, variants] = [Number(process.argv[2] ?? 5000), Number(process.argv[3] ?? 20_000)];
const REPEATS = 5;
const BIN = join(import.meta.dirname, "../../packages/plink-io/bin/plink-io.mjs");
const folder = mkdtempSync(join(tmpdir(), "plink-bench-"));
const print = (row) => console.log(JSON.stringify(row));

try {
  const prefix = process.argv[4] ?? makeFileset();
  const { n, p } = await decodeOurs(prefix);
  decodeBedReader(prefix, n, p);
  reports(prefix);
  await refusal(prefix);
} finally {
  rmSync(folder, { recursive: true });
}

/** Random calls: xorshift bytes are as good as any for speed. */
function makeFileset() {
  const prefix = join(folder, "study");
  const bed = Buffer.alloc(3 + variants * Math.ceil(samples / 4));
  let state = 1;
  for (let at = 3; at < bed.length; at++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bed[at] = state & 255;
  }
  bed.set([0x6c, 0x1b, 1]);
  writeFileSync(`${prefix}.bed`, bed);
  writeFileSync(
    `${prefix}.bim`,
    Array.from({ length: variants }, (_, j) => `1\tv${j}\t0\t${j + 1}\tA\tC\n`).join(""),
  );
  writeFileSync(
    `${prefix}.fam`,
    Array.from({ length: samples }, (_, i) => `${i + 1} i${i} 0 0 ${1 + (i % 2)} ${1 + (i % 2)}\n`).join(""),
  );
  return prefix;
}

async function decodeOurs(prefix) {
  await using study = await openPlink(prefix);
  const { n, p } = study;
  for (const threads of [1, undefined]) {
    for (const as of ["packed", "int8", "float32", "float64"]) {
      const runs = [];
      for (let k = 0; k < REPEATS; k++) {
        const [wall, cpu] = [performance.now(), process.cpuUsage()];
        for await (const batch of study.genotypes({ as, ...(threads && { threads }) }))
          if (batch.numRows === 0) throw new Error("empty");
        const used = process.cpuUsage(cpu);
        runs.push({ wall: (performance.now() - wall) / 1000, cpu: (used.user + used.system) / 1e6 });
      }
      print(speed({ tool: "@x/plink-io", as, threads: threads ?? "all", n, p }, best(runs), as));
    }
  }
  return { n, p };
}

function decodeBedReader(prefix, n, p) {
  const code = `
import json, sys, time
try:
    from bed_reader import open_bed
except ImportError:
    sys.exit(3)
bed = open_bed("${prefix}.bed")
for threads in (1, None):
    for dtype in ("int8", "float32", "float64"):
        runs = []
        for _ in range(${REPEATS}):
            wall, cpu = time.perf_counter(), time.process_time()
            bed.read(dtype=dtype, order="F", num_threads=threads)
            runs.append({"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu})
        print(json.dumps({"as": dtype, "threads": threads or "all", **min(runs, key=lambda r: r["wall"])}))
`;
  const ran = spawnSync("python3", ["-c", code], { encoding: "utf8" });
  if (ran.status !== 0)
    return print({ tool: "bed-reader", skipped: "not installed for python3 (pip install bed-reader)" });
  for (const line of ran.stdout.trim().split("\n")) {
    const { as, threads, ...run } = JSON.parse(line);
    print(speed({ tool: "bed-reader", as, threads, n, p }, run, as));
  }
}

function speed(labels, { wall, cpu }, as) {
  const bytes = { packed: 0.25, int8: 1, float32: 4, float64: 8 }[as];
  const calls = labels.n * labels.p;
  const round = (value) => Number(value.toPrecision(4));
  return {
    ...labels,
    wall_s: round(wall),
    cpu_s: round(cpu),
    calls_per_s: round(calls / wall),
    gb_out_per_s: round((calls * bytes) / wall / 1e9),
  };
}

function best(runs) {
  return runs.reduce((least, run) => (run.wall < least.wall ? run : least));
}

/** How long until a .bed that lost its last byte is refused: all of .bim and .fam is read before. A second is promised. */
async function refusal(prefix) {
  const bed = join(folder, "cut.bed");
  copyFileSync(`${prefix}.bed`, bed);
  truncateSync(bed, statSync(bed).size - 1);
  const runs = [];
  for (let k = 0; k < REPEATS; k++) {
    const [wall, cpu] = [performance.now(), process.cpuUsage()];
    const code = await openPlink({ bed, bim: `${prefix}.bim`, fam: `${prefix}.fam` }).catch((e) => e.code);
    if (code !== "BED_SIZE") throw new Error(`BED_SIZE expected, found ${code}`);
    const used = process.cpuUsage(cpu);
    runs.push({ wall: (performance.now() - wall) / 1000, cpu: (used.user + used.system) / 1e6 });
  }
  const { wall, cpu } = best(runs);
  print({ tool: "@x/plink-io refuses a cut .bed", wall_s: wall, cpu_s: cpu });
}

/** Whole commands: start, check, read, count, write. */
function reports(prefix) {
  const out = join(folder, "out");
  const commands = [
    ["@x/plink-io freq", process.execPath, [BIN, "freq", "--bfile", prefix, "--out", out, "--quiet"]],
    ["@x/plink-io hardy", process.execPath, [BIN, "hardy", "--bfile", prefix, "--out", out, "--quiet"]],
    ["@x/plink-io missing", process.execPath, [BIN, "missing", "--bfile", prefix, "--out", out, "--quiet"]],
    ["plink1.9 --freq", "plink1.9", ["--bfile", prefix, "--freq", "--out", out]],
    ["plink1.9 --freq --hardy", "plink1.9", ["--bfile", prefix, "--freq", "--hardy", "--out", out]],
    ["plink1.9 --missing", "plink1.9", ["--bfile", prefix, "--missing", "--out", out]],
    ["plink2 --freq", "plink2", ["--bfile", prefix, "--freq", "--out", out]],
  ];
  for (const [tool, program, args] of commands) {
    const runs = [];
    for (let k = 0; k < 3; k++) {
      const wall = performance.now();
      const ran = spawnSync(
        "bash",
        [
          "-c",
          'times_of() { "$@" > /dev/null 2>&1; local code=$?; times; return $code; }; times_of "$@"',
          "bash",
          program,
          ...args,
        ],
        { encoding: "utf8" },
      );
      if (ran.status !== 0) break;
      runs.push({ wall: (performance.now() - wall) / 1000, cpu: childCpu(ran.stdout) });
    }
    if (runs.length === 0) print({ tool, skipped: `${program} did not run` });
    else
      print({
        tool,
        wall_s: Number(best(runs).wall.toPrecision(4)),
        cpu_s: Number(best(runs).cpu.toPrecision(4)),
      });
  }
}

/** Seconds of user and system time of the children, from bash's `times` (second line). */
function childCpu(text) {
  const last = text.trim().split("\n").at(-1);
  return [...last.matchAll(/(\d+)m([\d.]+)s/g)].reduce(
    (sum, [, minutes, seconds]) => sum + 60 * Number(minutes) + Number(seconds),
    0,
  );
}
