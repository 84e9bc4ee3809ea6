// What must hold against GEMMA 0.98.5. GEMMA's own error is what sets these floors: it prints 7 digits and stops its search
// for lambda at a relative step of 1e-5, from the iterate before the last.
export const FLOORS = {
  kinshipRelative: 1e-9,
  kinshipAbsolute: 1e-12,
  eigenRelative: 1e-8,
  /** Of the largest eigenvalue: some ten roundings of a double. */
  eigenSolver: 2e-15,
  /** |Δbeta| / se. */
  beta: 2e-5,
  se: 2e-5,
  logl_H1: 2e-5,
  l_remle: 2e-5,
  /** |Δ log10 p| / max(1, −log10 p). */
  p_wald: 2e-5,
  /** Relative, of pve, vg and ve. */
  nullModel: 1e-5,
};

/** Goals that another reimplementation set itself; they lie below GEMMA's own error, so rows are counted, not judged. */
export const GOALS = { beta: 1e-6, p: 1e-8 };
