/** Something the user should know but that did not stop the call, e.g. a byte order mark that was stripped. */
export interface Warning {
  /** Stable name to branch on. */
  code: string;
  /** One line for people. */
  message: string;
  /** What a program can read. */
  details: Readonly<Record<string, unknown>>;
}

/** Receives warnings as they occur; results also list them, CLIs print them to stderr. */
export type Warn = (warning: Warning) => void;

/** A list that collects warnings and passes them on. */
export interface WarningList {
  /** All so far. */
  readonly warnings: readonly Warning[];
  /** Adds one. */
  readonly warn: Warn;
}

/** Collects warnings, and forwards each to `next` when given. */
export function collectWarnings(next?: Warn): WarningList {
  const warnings: Warning[] = [];
  return {
    warnings,
    warn(warning) {
      warnings.push(warning);
      next?.(warning);
    },
  };
}
