/** Learning rates beyond `warmupCosine`: each is a function of the step, steps count from 0. */
import { checkRange } from "@x/core/base";

/** Half a cosine from `peak` at step 0 down to `floor` at step `total`, then `floor`. */
export function cosine(
  peak: number,
  { total, floor = 0 }: { total: number; floor?: number },
): (step: number) => number {
  checkRange("total", total, { min: 1 });
  return (step) => floor + ((peak - floor) * (1 + Math.cos(Math.PI * Math.min(1, step / total)))) / 2;
}

/**
 * Cosines one after another, each beginning at `peak` again (Loshchilov and Hutter 2017): the first takes `period` steps,
 * each next one `growth` times as many.
 */
export function cosineRestarts(
  peak: number,
  { period, growth = 1, floor = 0 }: { period: number; growth?: number; floor?: number },
): (step: number) => number {
  checkRange("period", period, { min: 1 });
  checkRange("growth", growth, { min: 1 });
  return (step) => {
    let [begun, length] = [0, period];
    if (growth === 1) begun = Math.floor(step / period) * period;
    else {
      while (step >= begun + length) {
        begun += length;
        length *= growth;
      }
    }
    return floor + ((peak - floor) * (1 + Math.cos((Math.PI * (step - begun)) / length))) / 2;
  };
}

/**
 * One cycle (Smith and Topin 2018): along a cosine from `peak / start` up to `peak` in the first `rise` of the steps, then
 * down to `peak / (start · end)` at step `total` − 1.
 */
export function oneCycle(
  peak: number,
  {
    total,
    rise = 0.3,
    start = 25,
    end = 1e4,
  }: { total: number; rise?: number; start?: number; end?: number },
): (step: number) => number {
  checkRange("total", total, { min: 2 });
  checkRange("rise", rise, { min: 0, max: 1 });
  const top = rise * total - 1;
  const between = (from: number, to: number, share: number): number =>
    to + ((from - to) * (1 + Math.cos(Math.PI * Math.min(1, share)))) / 2;
  return (step) =>
    step < top
      ? between(peak / start, peak, step / top)
      : between(peak, peak / start / end, (step - top) / Math.max(1, total - 1 - top));
}

/** What {@link Plateau} remembers; plain data for checkpoints. */
export interface PlateauState {
  /** Factor of the rate now. */
  readonly factor: number;
  /** Best value told; null before the first. */
  readonly best: number | null;
  /** Values since then. */
  readonly waited: number;
}

/** Options of {@link Plateau}. */
export interface PlateauOptions {
  /** The rate is multiplied by this; 0.3 by default. */
  readonly factor?: number;
  /** Values in a row that may pass without a better one; 5. */
  readonly patience?: number;
  /** A value is better only by more than this share of the best; 1e-4. */
  readonly threshold?: number;
  /** Is a smaller or a larger value better? `min` by default. */
  readonly direction?: "max" | "min";
  /** The rate does not fall below; 0. */
  readonly floor?: number;
  /** To go on from. */
  readonly state?: PlateauState;
}

/** A rate that falls when a value told after each epoch stops improving. Pass `plateau.rate` as the optimiser's rate. */
export class Plateau {
  /** The rate now, whatever the step. */
  readonly rate: () => number;
  readonly #options: Required<Omit<PlateauOptions, "state">>;
  #state: PlateauState;

  /** Starts at `peak`. */
  constructor(peak: number, options: PlateauOptions = {}) {
    const { factor = 0.3, patience = 5, threshold = 1e-4, direction = "min", floor = 0 } = options;
    checkRange("factor", factor, { min: 0, max: 1 });
    checkRange("patience", patience, { min: 0, integer: true });
    this.#options = { factor, patience, threshold, direction, floor };
    this.#state = options.state ?? { factor: 1, best: null, waited: 0 };
    this.rate = () => Math.max(Math.min(peak, floor), peak * this.#state.factor);
  }

  /** Tells the value of an epoch; one that is no number counts as not better. True when the rate fell. */
  tell(value: number): boolean {
    const { factor, patience, threshold, direction } = this.#options;
    const { best } = this.#state;
    const margin = best === null ? 0 : threshold * Math.abs(best);
    const better =
      best === null
        ? !Number.isNaN(value)
        : direction === "min"
          ? value < best - margin
          : value > best + margin;
    if (better) {
      this.#state = { ...this.#state, best: value, waited: 0 };
      return false;
    }
    const waited = this.#state.waited + 1;
    const falls = waited > patience;
    this.#state = falls
      ? { ...this.#state, factor: this.#state.factor * factor, waited: 0 }
      : { ...this.#state, waited };
    return falls;
  }

  /** For a checkpoint. */
  state(): PlateauState {
    return this.#state;
  }
}
