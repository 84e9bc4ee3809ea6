import { checkOptions, checkRange, xError } from "@x/core/base";
import { seqError } from "./errors.ts";

/** How targets are brought to a scale that a model learns well. */
export const TARGET_TRANSFORMS = [
  "none",
  "minmax",
  "zscore",
  "zscore-category",
  "log-minmax",
  "log-zscore",
  "sqrt-zscore",
] as const;

/** One of {@link TARGET_TRANSFORMS}. */
export type TargetTransformKind = (typeof TARGET_TRANSFORMS)[number];

/** A shift and a scale for each output: z = (y − shift) / scale. */
export interface ShiftScale {
  /** Subtracted first. */
  readonly shift: readonly number[];
  /** Divided by then; never 0. */
  readonly scale: readonly number[];
}

/** A fitted transform: plain data, so that it can stand in a checkpoint as JSON. */
export interface TargetTransform extends ShiftScale {
  /** Which one. */
  readonly kind: TargetTransformKind;
  /** Of `zscore-category`: the categories seen in training with numbers of their own; others take the common ones. */
  readonly categories?: Readonly<Record<string, ShiftScale>>;
}

/** Options of {@link fitTargetTransform}. */
export interface FitTransformOptions {
  /** Numbers a sample, 1 by default. */
  outputs?: number;
  /** Of `zscore-category`: the category of each sample. */
  categories?: readonly string[];
}

/** Options of {@link applyTargetTransform} and {@link invertTargetTransform}. */
export interface UseTransformOptions {
  /** Of `zscore-category`: the category of each sample. */
  categories?: readonly string[];
  /** Numbers beside each other that belong to one output, such as its quantiles; 1 by default. */
  inner?: number;
}

/**
 * Learns a transform from the targets of the **training** samples (nothing else may be given): `minmax` maps their range to
 * 0 … 1, `zscore` their mean and standard deviation (divided by n) to 0 and 1, `zscore-category` those of each category,
 * the `log-` ones do it to ln(y + 1), `sqrt-zscore` to √y, back from which nothing is below 0. A target that does not
 * vary only moves to 0. `values` holds one sample's outputs after another's. `TARGET_TRANSFORM` for values that are not
 * finite, −1 or less under a logarithm, below 0 under a root, or not one a sample.
 */
export function fitTargetTransform(
  kind: TargetTransformKind,
  values: ArrayLike<number>,
  options: FitTransformOptions = {},
): TargetTransform {
  checkOptions(options, ["outputs", "categories"], "fitTargetTransform");
  const outputs = checkRange("outputs", options.outputs ?? 1, { min: 1, integer: true });
  if (!TARGET_TRANSFORMS.includes(kind)) {
    const message = `target transform must be one of ${TARGET_TRANSFORMS.join(", ")}, got ${JSON.stringify(kind)}`;
    throw xError("OPTION_CHOICE", message, { usage: true, details: { option: "target-transform" } });
  }
  if (values.length === 0 || values.length % outputs !== 0) {
    throw seqError("TARGET_TRANSFORM", `${values.length} targets are no samples of ${outputs} each`);
  }
  const samples = values.length / outputs;
  const scaled = bent(kind, values, outputs);
  const all = Array.from({ length: samples }, (_, s) => s);
  const whole = shiftScale(kind, scaled, outputs, all);
  if (kind !== "zscore-category") return { kind, ...whole };
  const categories = categoriesOf(options.categories, samples);
  const places = new Map<string, number[]>();
  categories.forEach((name, s) => {
    places.set(name, [...(places.get(name) ?? []), s]);
  });
  // fromEntries makes a category called __proto__ an own property.
  const own = Object.fromEntries(
    [...places].sort().map(([name, at]) => [name, shiftScale(kind, scaled, outputs, at)]),
  );
  return { kind, ...whole, categories: own };
}

/** Targets on the model's scale. Errors as {@link fitTargetTransform}. */
export function applyTargetTransform(
  transform: TargetTransform,
  values: ArrayLike<number>,
  options: UseTransformOptions = {},
): Float64Array {
  const scaled = bent(transform.kind, values, transform.shift.length * (options.inner ?? 1));
  const at = placeOf(transform, values.length, options);
  return scaled.map((y, k) => (y - at(k).shift) / at(k).scale);
}

/** What a model says, back on the scale of the target. Errors as {@link fitTargetTransform}. */
export function invertTargetTransform(
  transform: TargetTransform,
  values: ArrayLike<number>,
  options: UseTransformOptions = {},
): Float64Array {
  const at = placeOf(transform, values.length, options);
  const { back } = bendOf(transform.kind);
  return Float64Array.from(values, (z, k) => back(z * at(k).scale + at(k).shift));
}

/** What happens to a target before it is shifted and scaled, and how it comes back. */
function bendOf(kind: TargetTransformKind): {
  there(y: number): number;
  back(x: number): number;
  takes(y: number): boolean;
  why: string;
} {
  if (kind.startsWith("log-"))
    return {
      there: Math.log1p,
      back: Math.expm1,
      takes: (y) => y > -1,
      why: "ln(y + 1) needs numbers above −1",
    };
  if (kind.startsWith("sqrt-"))
    return {
      there: Math.sqrt,
      back: (x) => Math.max(0, x) ** 2,
      takes: (y) => y >= 0,
      why: "a root needs numbers of 0 and more",
    };
  return { there: (y) => y, back: (x) => x, takes: () => true, why: "targets are finite" };
}

function bent(kind: TargetTransformKind, values: ArrayLike<number>, width: number): Float64Array {
  const { there, takes, why } = bendOf(kind);
  const bad = Array.from(values).findIndex((y) => !Number.isFinite(y) || !takes(y));
  if (bad >= 0) {
    const message = `the target of sample ${Math.floor(bad / width)} is ${values[bad]}; ${why}`;
    throw seqError("TARGET_TRANSFORM", message, { sample: Math.floor(bad / width), value: values[bad] });
  }
  return Float64Array.from(values, there);
}

function shiftScale(
  kind: TargetTransformKind,
  values: Float64Array,
  outputs: number,
  samples: readonly number[],
): ShiftScale {
  const each = Array.from({ length: outputs }, (_, o) => {
    const column = samples.map((s) => values[s * outputs + o]!);
    if (kind === "none") return [0, 1] as const;
    if (kind.endsWith("minmax")) {
      const [least, most] = column.reduce(([a, b], y) => [Math.min(a, y), Math.max(b, y)], [
        Number.POSITIVE_INFINITY,
        Number.NEGATIVE_INFINITY,
      ] as [number, number]);
      return [least, most - least || 1] as const;
    }
    const mean = column.reduce((a, y) => a + y, 0) / column.length;
    const square = column.reduce((a, y) => a + (y - mean) ** 2, 0) / column.length;
    // Rounding of the mean must not pass for spread.
    const spread = square > (1e-12 * mean) ** 2 ? Math.sqrt(square) : 1;
    return [mean, spread] as const;
  });
  return { shift: each.map(([shift]) => shift), scale: each.map(([, scale]) => scale) };
}

/** Shift and scale of the number at a place of a flat array. */
function placeOf(
  transform: TargetTransform,
  length: number,
  options: UseTransformOptions,
): (k: number) => { shift: number; scale: number } {
  checkOptions(options, ["categories", "inner"], "a target transform");
  const inner = checkRange("inner", options.inner ?? 1, { min: 1, integer: true });
  const width = transform.shift.length * inner;
  if (length % width !== 0)
    throw seqError("TARGET_TRANSFORM", `${length} values are no samples of ${width} each`);
  const categories = transform.categories && categoriesOf(options.categories, length / width);
  return (k) => {
    const output = Math.floor((k % width) / inner);
    const name = categories?.[Math.floor(k / width)];
    const own =
      name !== undefined && Object.hasOwn(transform.categories!, name)
        ? transform.categories![name]!
        : transform;
    return { shift: own.shift[output]!, scale: own.scale[output]! };
  };
}

function categoriesOf(categories: readonly string[] | undefined, samples: number): readonly string[] {
  if (categories?.length === samples) return categories;
  const message = `zscore-category needs a category for each of ${samples} samples, got ${categories?.length ?? 0}`;
  throw seqError("TARGET_TRANSFORM", message);
}
