/** Optimisers over one flat vector of weights, and schedules of their rates. */
import { checkRange } from "@x/core/base";
import { constant } from "./constants.ts";
import type { Tensor } from "./graph.ts";
import { add, cast, div, exp, mul, sqrt, sub, where } from "./ops-elementwise.ts";

/** A number, or one for each step; steps count from 0. */
export type Schedule = number | ((step: number) => number);

/** What is the same for all weights of an update. */
export interface UpdateScalars {
  /** Factor of the gradient that clips it; left out where nothing is clipped. */
  readonly clip?: Tensor | undefined;
  /** Boolean: false leaves weights and moments as they are. */
  readonly ok: Tensor;
  /** Number of this update, from 1; int64. */
  readonly count: Tensor;
  readonly rate: Tensor;
}

/** Some of the weights, and what belongs to them. */
export interface UpdateBlock {
  readonly weights: Tensor;
  /** Finite: zeros where the step is to be left out. */
  readonly gradient: Tensor;
  readonly moments: readonly Tensor[];
  /** Does weight decay pull? 1 where it does, else 0, if that differs within the block. */
  readonly decays: Tensor | boolean;
}

/** An optimiser. */
export interface Optimizer {
  /** Stands in checkpoints. */
  readonly name: string;
  /** Names of the vectors it carries. */
  readonly moments: readonly string[];
  /** Learning rate. */
  readonly rate: Schedule;
  /** Does it read `decays`? @internal */
  readonly decay: boolean;
  /** Builds what is the same for all weights, and gives what builds the update of some of them. @internal */
  readonly update: (
    scalars: UpdateScalars,
  ) => (block: UpdateBlock) => { weights: Tensor; moments: readonly Tensor[] };
}

/** Options of `adamW`. */
export interface AdamWOptions {
  /** Learning rate; 1e-3 by default. */
  readonly lr?: Schedule;
  /** Decay of the mean of gradients; 0.9. */
  readonly beta1?: number;
  /** Decay of the mean of squares; 0.999. */
  readonly beta2?: number;
  /** Added to the root; 1e-8. */
  readonly epsilon?: number;
  /** Decoupled weight decay, of the weights marked `decay`; 0.01. */
  readonly weightDecay?: number;
}

/** A decay of 1 would keep everything for ever, and its correction would be 0 / 0. */
const MOST = 1 - 1e-6;

/** Adam with decoupled weight decay (Kingma and Ba 2015; Loshchilov and Hutter 2019). */
export function adamW(options: AdamWOptions = {}): Optimizer {
  const { lr = 1e-3, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0.01 } = options;
  checkRange("beta1", beta1, { min: 0, max: MOST });
  checkRange("beta2", beta2, { min: 0, max: MOST });
  return {
    name: "adamW",
    moments: ["first", "second"],
    rate: lr,
    decay: weightDecay > 0,
    update({ clip, ok, count, rate }) {
      // Every pass over the weights costs time, so all that is scalar is multiplied first: the moments are plain decayed sums
      // of gradients and of their squares, and a step that is left out has factors of 1 and 0 instead of a choice for each weight.
      const keep = (beta: number): Tensor => where(ok, beta, constant(1));
      const [keep1, keep2] = [keep(beta1), keep(beta2)];
      const root = sqrt(div(biasCorrection(beta2, count), 1 - beta2));
      const pace = where(ok, mul(rate, div(mul(root, 1 - beta1), biasCorrection(beta1, count))), 0);
      const floor = mul(root, epsilon);
      const pull = where(ok, mul(rate, weightDecay), 0);
      return ({ weights, gradient, moments: [m0, v0], decays }) => {
        const g = clip ? mul(gradient, clip) : gradient;
        const m = add(mul(m0!, keep1), g);
        const v = add(mul(v0!, keep2), mul(g, g));
        const step = mul(div(m, add(sqrt(v), floor)), pace);
        return { weights: sub(weights, decayed(step, weights, decays, pull)), moments: [m, v] };
      };
    },
  };
}

/** A step with the pull of weight decay added to it. */
function decayed(step: Tensor, weights: Tensor, decays: Tensor | boolean, pull: Tensor): Tensor {
  if (decays === false) return step;
  return add(step, mul(decays === true ? weights : mul(weights, decays), pull));
}

/** Options of `sgd`. */
export interface SgdOptions {
  /** Learning rate; 1e-2 by default. */
  readonly lr?: Schedule;
  /** Share of the last step that is kept; 0. */
  readonly momentum?: number;
  /** Decay of the weights marked `decay`, added to the gradient; 0. */
  readonly weightDecay?: number;
}

/** Gradient descent, with momentum if wanted. */
export function sgd({ lr = 1e-2, momentum = 0, weightDecay = 0 }: SgdOptions = {}): Optimizer {
  checkRange("momentum", momentum, { min: 0, max: 1 });
  return {
    name: "sgd",
    moments: momentum > 0 ? ["m"] : [],
    rate: lr,
    decay: weightDecay > 0,
    update({ clip, ok, rate }) {
      const pull = where(ok, constant(weightDecay), 0);
      const kept = where(ok, momentum, constant(1));
      const pace = where(ok, rate, 0);
      return ({ weights, gradient, moments: [m0], decays }) => {
        const clipped = clip ? mul(gradient, clip) : gradient;
        const g = decayed(clipped, weights, decays, pull);
        const m = m0 ? add(mul(m0, kept), g) : g;
        return { weights: sub(weights, mul(m, pace)), moments: m0 ? [m] : [] };
      };
    },
  };
}

/** 1 − βᵗ in double precision: at β = 0.999 the first steps lose four digits in single. */
function biasCorrection(beta: number, count: Tensor): Tensor {
  if (beta === 0) return cast(add(mul(cast(count, "float64"), 0), 1), "float32");
  return cast(sub(1, exp(mul(cast(count, "float64"), Math.log(beta)))), "float32");
}

/** A schedule's value. */
export function at(schedule: Schedule, step: number): number {
  return typeof schedule === "number" ? schedule : schedule(step);
}

/** From 0 up to `peak` in `warmup` steps, then along half a cosine down to `floor` at step `total`. */
export function warmupCosine(
  peak: number,
  { warmup = 100, total = 10_000, floor = 0 }: { warmup?: number; total?: number; floor?: number } = {},
): (step: number) => number {
  return (step) => {
    if (step < warmup) return (peak * (step + 1)) / warmup;
    const done = Math.min(1, (step - warmup) / Math.max(1, total - warmup));
    return floor + ((peak - floor) * (1 + Math.cos(Math.PI * done))) / 2;
  };
}

/** From `start` to `end` in a straight line over `steps` steps, then `end`: for KL weights. */
export function linearRamp(start: number, end: number, steps: number): (step: number) => number {
  return (step) => start + (end - start) * Math.min(1, step / Math.max(1, steps));
}
