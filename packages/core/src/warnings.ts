/** Something the user should know but that did not stop the call, e.g. a byte order mark that was stripped. */
export interface Warning {
  code: string;
  message: string;
  details: Readonly<Record<string, unknown>>;
}

/** Receives warnings as they occur; results also list them, CLIs print them to stderr. */
export type Warn = (warning: Warning) => void;

/** A list that collects warnings and passes them on. */
export interface WarningList {
  readonly warnings: readonly Warning[];
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
