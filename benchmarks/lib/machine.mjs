import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg, release, totalmem } from "node:os";

/** Instruction sets that our kernels or the peers' choose by. */
const FLAGS = ["avx2", "fma", "avx512f", "avx512bw", "avx512_vpopcntdq", "asimd", "sve"];

/** What a reader must know to judge a timing. */
export function describeMachine(peers) {
  const said = (command) => spawnSync(command, ["--version"], { encoding: "utf8" }).stdout?.trim() || null;
  return {
    date: new Date().toISOString().slice(0, 10),
    cpu: cpus()[0]?.model ?? "unknown",
    cores: availableParallelism(),
    simd: simd(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch} ${release()}`,
    loadBefore: loadavg()[0],
    node: process.version,
    rust: said("rustc"),
    peers: Object.fromEntries(Object.entries(peers).map(([name, { version }]) => [name, version])),
  };
}

function simd() {
  try {
    const line = /^(?:flags|Features)\s*:(.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1] ?? "";
    const have = new Set(line.split(/\s+/));
    return FLAGS.filter((flag) => have.has(flag));
  } catch {
    return [];
  }
}
