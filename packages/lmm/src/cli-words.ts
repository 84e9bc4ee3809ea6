/** True when an option stands on the command line itself, not only in its default. */
export function isGiven(argv: readonly string[], name: string): boolean {
  return argv.some((word) => word.replace(/=.*$/s, "").replace(/^--?/, "") === name && word.startsWith("-"));
}

/** A word as a shell needs it. */
export function quoteWord(word: string): string {
  return /^[\w./:=,@+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
