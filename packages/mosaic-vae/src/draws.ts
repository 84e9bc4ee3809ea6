/** Random counts from uniform numbers, with the same bits on every machine. */
import type { Random } from "@x/core/base";

/** 1 / (1 + e^−x). */
export function logistic(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

/** Gamma with this shape and mean (Marsaglia and Tsang, "A simple method for generating gamma variables", 2000). */
export function gamma(random: Random, shape: number, mean: number): number {
  const d = (shape < 1 ? shape + 1 : shape) - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  let value: number;
  for (;;) {
    const x = random.normal();
    const v = 1 + c * x;
    if (v <= 0) continue;
    const cube = v * v * v;
    const u = 1 - random.uniform();
    if (Math.log(u) < 0.5 * x * x + d - d * cube + d * Math.log(cube)) {
      value = d * cube;
      break;
    }
  }
  if (shape < 1) value *= Math.exp(Math.log(1 - random.uniform()) / shape);
  return (value * mean) / shape;
}

/** Above this a Poisson number is drawn as a sum of two. */
const STEP = 30;

/** Poisson: products of uniform numbers; a large mean is drawn in parts, whose sum is Poisson too. */
export function poisson(random: Random, mean: number): number {
  let count = 0;
  let left = mean;
  // A gamma number is the time of an event; the events before it are known without drawing them one by one.
  while (left > STEP) {
    const events = Math.floor(left * 0.875);
    const time = gamma(random, events, events);
    if (time > left) return count + binomial(random, events - 1, left / time);
    count += events;
    left -= time;
  }
  const limit = Math.exp(-left);
  for (let product = 1 - random.uniform(); product > limit; product *= 1 - random.uniform()) count++;
  return count;
}

/** Events among `n` that fall into a share `p`. */
function binomial(random: Random, n: number, p: number): number {
  let count = 0;
  for (let i = 0; i < n; i++) if (random.uniform() < p) count++;
  return count;
}

/** Negative binomial with this mean and inverse dispersion: gamma, then Poisson. */
export function negativeBinomial(random: Random, mean: number, theta: number): number {
  return mean > 0 ? poisson(random, gamma(random, theta, mean)) : 0;
}
