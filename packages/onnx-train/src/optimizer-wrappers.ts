/** Optimisers around optimisers: a moving average of the weights, and steps of several batches. */
import { checkRange } from "@x/core/base";
import { constant } from "./constants.ts";
import { add, and, div, equal, mul, sub, where } from "./ops-elementwise.ts";
import type { Optimizer } from "./optimizer.ts";

/** Name of the vector that `withEma` keeps. */
export const EMA = "ema";

/**
 * Keeps an exponential moving average of the weights beside them, in the moment `ema`; it begins at 0, so divide by
 * 1 − decayⁿ after n updates (`emaWeights`).
 */
export function withEma(inner: Optimizer, decay: number): Optimizer {
  checkRange("decay", decay, { min: 0, max: 1 });
  return {
    ...inner,
    name: `${inner.name}+ema`,
    moments: [...inner.moments, EMA],
    update(input) {
      const own = input.moments.slice(0, -1);
      const made = inner.update({ ...input, moments: own });
      const before = input.moments.at(-1)!;
      const share = where(input.ok, 1 - decay, constant(0));
      return {
        weights: made.weights,
        moments: [...made.moments, add(before, mul(sub(made.weights, before), share))],
      };
    },
  };
}

/** The average of `withEma` after some updates. */
export function emaWeights(average: Float32Array, decay: number, updates: number): Float32Array {
  const whole = 1 - decay ** updates;
  return whole > 0 ? average.map((x) => x / whole) : average;
}

/**
 * Updates once for every `batches` batches, by the mean of their gradients. The rate is that of the last of them, and a
 * batch that is left out for not being finite does not count.
 */
export function accumulate(inner: Optimizer, batches: number): Optimizer {
  checkRange("batches", batches, { min: 1, integer: true });
  if (batches === 1) return inner;
  return {
    ...inner,
    name: `${inner.name}/${batches}`,
    moments: [...inner.moments, "sum"],
    update(input) {
      const { gradient, clip, ok, count } = input;
      const before = input.moments.at(-1)!;
      const share = where(ok, 1 / batches, constant(0));
      const total = add(before, mul(gradient, clip ? mul(clip, share) : share));
      const n = constant(batches, [], "int64");
      const updates = div(count, n);
      const full = and(ok, equal(mul(updates, n), count));
      const made = inner.update({
        ...input,
        gradient: mul(total, where(full, 1, constant(0))),
        clip: undefined,
        ok: full,
        moments: input.moments.slice(0, -1),
        // Counts from 1 also where nothing is updated yet.
        count: where(full, updates, constant(1, [], "int64")),
      });
      return { weights: made.weights, moments: [...made.moments, mul(total, where(full, 0, constant(1)))] };
    },
  };
}
