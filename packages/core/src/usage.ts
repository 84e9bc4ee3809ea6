import { readFileSync, writeFileSync } from "node:fs";

/** What one stage took. Times in seconds, sizes in bytes. */
export interface StageUsage {
  /** Its name. */
  stage: string;
  /** Time that passed. */
  wallSeconds: number;
  /** User and system time of all threads. */
  cpuSeconds: number;
  /** Resident memory when the stage ended. */
  rssBytes: number;
  /** Highest resident memory: of the stage on Linux, elsewhere of the process so far. */
  peakRssBytes: number;
}

/**
 * Measures time and memory stage by stage.
 *
 * ```ts
 * const meter = new StageMeter();
 * const k = await meter.measure("kinship", () => kinship(study, cohort));
 * meter.stages; // [{ stage: "kinship", wallSeconds, cpuSeconds, rssBytes, peakRssBytes }]
 * ```
 */
export class StageMeter {
  readonly #stages: StageUsage[] = [];

  /** The stages that have ended, in order; failed ones too. */
  get stages(): readonly StageUsage[] {
    return this.#stages;
  }

  /** Runs a stage and records what it took. Stages must not overlap: memory is the process's. */
  async measure<T>(stage: string, run: () => T | Promise<T>): Promise<T> {
    resetPeak();
    const start = performance.now();
    const cpu = process.cpuUsage();
    try {
      return await run();
    } finally {
      const { user, system } = process.cpuUsage(cpu);
      this.#stages.push({
        stage,
        wallSeconds: (performance.now() - start) / 1000,
        cpuSeconds: (user + system) / 1e6,
        rssBytes: process.memoryUsage.rss(),
        peakRssBytes: peakRss(),
      });
    }
  }
}

/** Highest resident memory of this process, in bytes; on Linux since the last stage of a `StageMeter` began. */
export function peakRss(): number {
  try {
    const match = /^VmHWM:\s+(\d+) kB/m.exec(readFileSync("/proc/self/status", "utf8"));
    if (match) return Number(match[1]) * 1024;
  } catch {
    // not Linux
  }
  return process.resourceUsage().maxRSS * 1024;
}

/** Linux sets the high-water mark back to the present value on request; elsewhere it stays the process's. */
function resetPeak(): void {
  try {
    writeFileSync("/proc/self/clear_refs", "5");
  } catch {
    // not Linux, or not allowed
  }
}
