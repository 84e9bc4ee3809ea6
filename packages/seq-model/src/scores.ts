/** How good predictions of numbers are. */
export interface RegressionScores {
  /** 1 − squared error over that of the test samples' own mean. */
  readonly r2: number;
  /** Mean absolute error. */
  readonly mae: number;
  /** Root mean squared error. */
  readonly rmse: number;
}

/** How good predictions of classes are. */
export interface ClassScores {
  /** Share of samples whose class is right. */
  readonly accuracy: number;
  /** Mean over classes of F1; a class that is never predicted nor there counts as 0. */
  readonly macroF1: number;
}

/** Scores of predicted numbers. R² is NaN where the truth does not vary. */
export function regressionScores(truth: ArrayLike<number>, predicted: ArrayLike<number>): RegressionScores {
  const n = truth.length;
  let [sum, absolute, squared] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const error = predicted[i]! - truth[i]!;
    sum += truth[i]!;
    absolute += Math.abs(error);
    squared += error * error;
  }
  let spread = 0;
  for (let i = 0; i < n; i++) spread += (truth[i]! - sum / n) ** 2;
  return {
    r2: spread > 0 ? 1 - squared / spread : Number.NaN,
    mae: absolute / n,
    rmse: Math.sqrt(squared / n),
  };
}

/** Scores of predicted classes, given as numbers. */
export function classScores(
  truth: ArrayLike<number>,
  predicted: ArrayLike<number>,
  classes: number,
): ClassScores {
  const n = truth.length;
  const [right, said, there] = [
    new Float64Array(classes),
    new Float64Array(classes),
    new Float64Array(classes),
  ];
  let good = 0;
  for (let i = 0; i < n; i++) {
    said[predicted[i]!]! += 1;
    there[truth[i]!]! += 1;
    if (predicted[i] !== truth[i]) continue;
    right[truth[i]!]! += 1;
    good++;
  }
  const f1 = Array.from(right, (r, c) => (r > 0 ? (2 * r) / (said[c]! + there[c]!) : 0));
  return { accuracy: good / n, macroF1: f1.reduce((a, b) => a + b, 0) / classes };
}
