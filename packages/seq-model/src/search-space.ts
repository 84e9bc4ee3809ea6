import { Random, xError } from "@x/core/base";

/**
 * Where the values of one option come from: `choice`, any of these; `uniform`, evenly between two numbers; `log`, evenly
 * in the logarithm between two numbers above 0; `int`, a whole number from one to another. Exactly one of them.
 */
export interface SearchRange {
  /** Any of these. */
  readonly choice?: readonly (string | number | boolean)[];
  /** Evenly between two numbers. */
  readonly uniform?: readonly [number, number];
  /** Evenly in the logarithm between two numbers above 0. */
  readonly log?: readonly [number, number];
  /** A whole number from one to another. */
  readonly int?: readonly [number, number];
}

/** The options that are searched, by name. JSON. */
export type SearchSpace = Readonly<Record<string, SearchRange>>;

/** The values of a trial, by option. */
export type TrialValues = Readonly<Record<string, string | number | boolean>>;

/** Keeps trials apart from other draws of the seed. */
const STREAM = 0x74726961;

/** Checks a space from outside. `SEARCH_SPACE` names the option at fault. */
export function checkSpace(space: unknown): SearchSpace {
  const fail = (message: string): never => {
    throw xError("SEARCH_SPACE", message, { usage: true });
  };
  if (
    typeof space !== "object" ||
    space === null ||
    Array.isArray(space) ||
    Object.keys(space).length === 0
  ) {
    return fail('a search space is a JSON object such as {"lr": {"log": [1e-5, 1e-3]}}');
  }
  for (const [name, range] of Object.entries(space)) {
    const [kind, values, ...others] = Object.entries((range ?? {}) as object).flat();
    if (!["choice", "uniform", "log", "int"].includes(kind as string) || others.length > 0)
      fail(`${name} must have one of choice, uniform, log, int`);
    if (!Array.isArray(values) || values.length === 0) fail(`${name}: ${kind} takes an array`);
    const list = values as unknown[];
    if (kind === "choice") {
      if (!list.every((v) => ["string", "number", "boolean"].includes(typeof v)))
        fail(`${name}: choices are texts, numbers, true or false`);
      continue;
    }
    const [low, high] = list as [number, number];
    const good = list.length === 2 && Number.isFinite(low) && Number.isFinite(high) && low <= high;
    if (!good) fail(`${name}: ${kind} takes two numbers, the smaller first`);
    if (kind === "log" && low <= 0) fail(`${name}: log takes numbers above 0`);
    if (kind === "int" && !(Number.isInteger(low) && Number.isInteger(high)))
      fail(`${name}: int takes whole numbers`);
  }
  return space as SearchSpace;
}

/** The values of trial number `trial`; they depend on seed, number and the option's name, not on other options. */
export function trialValues(space: SearchSpace, seed: number, trial: number): TrialValues {
  const drawn = Object.entries(space).map(([name, range]) => {
    const random = new Random(seed, STREAM + trial, 64 * nameNumber(name));
    return [name, draw(range, random)] as const;
  });
  return Object.fromEntries(drawn);
}

function draw({ choice, int, uniform, log }: SearchRange, random: Random): string | number | boolean {
  if (choice) return choice[random.int(choice.length)]!;
  if (int) return int[0] + random.int(int[1] - int[0] + 1);
  if (uniform) return uniform[0] + random.uniform() * (uniform[1] - uniform[0]);
  const [low, high] = log!;
  // Three digits are enough and read well; the ends stay ends.
  const value = Number((low * (high / low) ** random.uniform()).toPrecision(3));
  return Math.min(high, Math.max(low, value));
}

/** A name as a number of 32 bits (FNV-1a). */
function nameNumber(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash;
}
