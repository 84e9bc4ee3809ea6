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
    update(scalars) {
      const apply = inner.update(scalars);
      const share = where(scalars.ok, 1 - decay, constant(0));
      return (block) => {
        const made = apply({ ...block, moments: block.moments.slice(0, -1) });
        const before = block.moments.at(-1)!;
        const average = add(before, mul(sub(made.weights, before), share));
        return { weights: made.weights, moments: [...made.moments, average] };
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
    update(scalars) {
      const { clip, ok, count } = scalars;
      const share = where(ok, 1 / batches, constant(0));
      const scale = clip ? mul(clip, share) : share;
      const n = constant(batches, [], "int64");
      const updates = div(count, n);
      const full = and(ok, equal(mul(updates, n), count));
      const apply = inner.update({
        ...scalars,
        clip: undefined,
        ok: full,
        // Counts from 1 also where nothing is updated yet.
        count: where(full, updates, constant(1, [], "int64")),
      });
      const [taken, left] = [where(full, 1, constant(0)), where(full, 0, constant(1))];
      return (block) => {
        const total = add(block.moments.at(-1)!, mul(block.gradient, scale));
        const moments = block.moments.slice(0, -1);
        const made = apply({ ...block, gradient: mul(total, taken), moments });
        return { weights: made.weights, moments: [...made.moments, mul(total, left)] };
      };
    },
  };
}
