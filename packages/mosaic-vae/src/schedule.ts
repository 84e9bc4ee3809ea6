/** Weights that change while a model is trained. */
import { checkOptions, checkRange } from "@x/core/base";
import { mosaicError } from "./errors.ts";

/** A weight over the epochs: a number, or a way from one number to another. */
export type WeightSchedule = number | ScheduleSpec;

/** A way from `from` to `to`. */
export interface ScheduleSpec {
  /** `linear` by default; `cosine` is half a wave, `step` jumps at its end, `restarts` repeats the cosine `cycles` times, `piecewise` follows `points`. */
  kind?: "linear" | "cosine" | "step" | "restarts" | "piecewise";
  /** At the start; 0. */
  from?: number;
  /** In the end; 1. */
  to?: number;
  /** Epoch at which it begins; 0. */
  start?: number;
  /** Epochs it takes; 10. */
  epochs?: number;
  /** Repeats of `restarts`; 1. */
  cycles?: number;
  /** Pairs of epoch and value, epochs increasing, for `piecewise`. */
  points?: readonly (readonly [number, number])[];
}

const KINDS = ["linear", "cosine", "step", "restarts", "piecewise"];

/** Refuses what is no schedule: `UNKNOWN_OPTION`, `OPTION_RANGE`, `CONFIG`. */
export function checkSchedule(name: string, schedule: WeightSchedule): void {
  if (typeof schedule === "number") {
    checkRange(name, schedule, { min: 0 });
    return;
  }
  if (typeof schedule !== "object" || schedule === null || Array.isArray(schedule))
    throw mosaicError("CONFIG", `${name} must be a number or a schedule`, { usage: true });
  checkOptions(schedule, ["kind", "from", "to", "start", "epochs", "cycles", "points"], name);
  if (schedule.kind !== undefined && !KINDS.includes(schedule.kind))
    throw mosaicError("CONFIG", `${name}.kind is one of ${KINDS.join(", ")}`, { usage: true });
  for (const key of ["from", "to", "start", "epochs"] as const)
    if (schedule[key] !== undefined) checkRange(`${name}.${key}`, schedule[key], { min: 0 });
  if (schedule.cycles !== undefined) checkRange(`${name}.cycles`, schedule.cycles, { min: 1, integer: true });
  if (schedule.kind === "piecewise" || schedule.points !== undefined) checkPoints(name, schedule.points);
}

/** Pairs of epoch and value, epochs increasing. */
function checkPoints(name: string, points: unknown): void {
  const wanted = wantedPoints(name, points);
  if (wanted === undefined) return;
  throw mosaicError("CONFIG", `${name}.points must be ${wanted}`, {
    usage: true,
    details: { option: name },
  });
}

/** What is asked for, where it is not given. */
function wantedPoints(name: string, points: unknown): string | undefined {
  if (!Array.isArray(points) || points.length === 0) return "pairs of epoch and value, for piecewise";
  let before = -1;
  for (const point of points as unknown[]) {
    if (!Array.isArray(point) || point.length !== 2) return "pairs of epoch and value";
    for (const value of point) checkRange(`${name}.points`, value, { min: 0, max: Number.MAX_VALUE });
    if (point[0] <= before) return "in the order of their epochs, each once";
    before = point[0];
  }
  return undefined;
}

/** The value at a (fractional) epoch. */
export function scheduleAt(schedule: WeightSchedule, epoch: number): number {
  if (typeof schedule === "number") return schedule;
  const { kind = "linear", from = 0, to = 1, start = 0, epochs = 10, cycles = 1, points = [] } = schedule;
  if (kind === "piecewise") {
    const next = points.findIndex(([at]) => at > epoch);
    if (next === 0) return points[0]![1];
    if (next < 0) return points.at(-1)![1];
    const [[x0, y0], [x1, y1]] = [points[next - 1]!, points[next]!];
    return y0 + ((y1 - y0) * (epoch - x0)) / (x1 - x0);
  }
  const done = epochs > 0 ? Math.min(1, Math.max(0, (epoch - start) / epochs)) : epoch >= start ? 1 : 0;
  if (done >= 1) return to;
  const share =
    kind === "step"
      ? 0
      : kind === "linear"
        ? done
        : (1 - Math.cos(Math.PI * (kind === "restarts" ? (done * cycles) % 1 : done))) / 2;
  return from + (to - from) * share;
}

/** The value it ends at: what a validation loss is measured with. */
export function finalValue(schedule: WeightSchedule): number {
  return scheduleAt(schedule, Number.MAX_SAFE_INTEGER);
}
