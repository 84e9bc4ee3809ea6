import { checkOptions, type RunOptions } from "@x/core/base";
import { lmmError } from "./errors.ts";

/** Every name of an options interface, once: the compiler refuses a name too few and a name too many. */
export type NamesOf<T> = Readonly<Record<keyof T, true>>;

/** Names that every long call takes. */
export const RUN_NAMES: NamesOf<RunOptions> = {
  signal: true,
  onProgress: true,
  threads: true,
  seed: true,
  memoryLimit: true,
};

/** @throws UNKNOWN_OPTION with the nearest name. */
export function checkNames<T>(options: object | undefined, names: NamesOf<T>, where: string): void {
  checkOptions(options, Object.keys(names), where);
}

/** The options of one step out of those of a whole run. */
export function only<T extends object>(options: T, names: NamesOf<T>): T {
  return Object.fromEntries(Object.entries(options).filter(([name]) => Object.hasOwn(names, name))) as T;
}

/** @throws OPTION_CONFLICT, a usage error, when both of two options that exclude each other are given. */
export function refuseBoth(a: string, aGiven: boolean, b: string, bGiven: boolean, why: string): void {
  if (aGiven && bGiven)
    throw lmmError("OPTION_CONFLICT", `${a} and ${b} exclude each other: ${why}.`, {
      usage: true,
      details: { option: a, other: b },
    });
}

/** @throws OPTION_MISSING, a usage error, when an option is given without the one it needs. */
export function requireOther(a: string, aGiven: boolean, b: string, bGiven: boolean, why: string): void {
  if (aGiven && !bGiven)
    throw lmmError("OPTION_MISSING", `${a} needs ${b}: ${why}.`, {
      usage: true,
      details: { option: b, given: a },
    });
}

type Defined<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The options that are given. */
export function defined<T extends object>(o: T): Defined<T> {
  return Object.fromEntries(Object.entries(o).filter(([, v]) => v !== undefined)) as Defined<T>;
}
