// The table of docs/design/gemma-equivalence.md, measured over the test matrix.
import { differences } from "./assoc-difference.ts";
import {
  type MatrixDesign,
  type MatrixFileset,
  matrixDesign,
  matrixFileset,
  matrixText,
  oracles,
} from "./matrix.ts";
import { DESIGNS, FILESETS, names, RUNS, type RunName, runText } from "./matrix-cases.ts";

/** One column of one run. */
export interface Row {
  run: RunName;
  column: string;
  /** Largest distance of ours from GEMMA's, and where. */
  ours: number;
  where: string;
  /** Largest distance of GEMMA's from the same model searched in 1,000 intervals; the large fileset apart. */
  own: number;
}

/** Intervals so narrow that the search's last point is exact to what GEMMA prints. */
const FINE = 1000;

/** Measures every column of every run. */
export async function measure(): Promise<Row[]> {
  const rows = new Map<string, Row>();
  for (const name of names(FILESETS)) {
    await using fileset = await matrixFileset(name);
    for (const which of names(DESIGNS)) {
      await using design = await matrixDesign(fileset, which);
      for (const run of names(RUNS)) await add(rows, fileset, design, run, [name, which]);
    }
  }
  return [...rows.values()];
}

async function add(
  rows: Map<string, Row>,
  fileset: MatrixFileset,
  design: MatrixDesign,
  run: RunName,
  [name, which]: [keyof typeof FILESETS, keyof typeof DESIGNS],
): Promise<void> {
  const gemma = oracles(name, which).get(run)!;
  const ours = differences(await matrixText(fileset, design, run), gemma);
  // Where the grid costs little.
  const fine = name === "large" ? undefined : await matrixText(fileset, design, run, { regions: FINE });
  const own = fine === undefined ? undefined : differences(gemma, fine);
  for (const [column, { difference, label }] of ours) {
    const key = `${run} ${column}`;
    const row = rows.get(key) ?? { run, column, ours: -1, where: "", own: 0 };
    rows.set(key, row);
    row.own = Math.max(row.own, own?.get(column)?.difference ?? 0);
    if (difference <= row.ours) continue;
    row.ours = difference;
    row.where = difference === 0 ? "–" : `${name} ${which} ${label}`;
  }
}

const LIMITS = {
  beta: "standard errors",
  se: "relative",
  logl_H1: "relative",
  l_remle: "relative",
  l_mle: "relative",
};

/** Two digits, rounded up. */
export function bound(x: number): string {
  if (x === 0) return "0";
  const scale = 10 ** (Math.floor(Math.log10(x)) - 1);
  return (Math.ceil(x / scale - 1e-9) * scale).toExponential(1);
}

/** The rows as a Markdown table. */
export function table(rows: readonly Row[]): string {
  const lines = rows.map(({ run, column, ours, where, own }) => {
    const unit = (LIMITS as Record<string, string>)[column] ?? "log₁₀ p";
    return `| \`${runText(run)}\` | ${column} | ${unit} | ${bound(ours)} | ${where} | ${bound(own)} |`;
  });
  return [
    "| run | column | unit | ours − GEMMA | worst case | GEMMA's own error |",
    "| --- | --- | --- | --- | --- | --- |",
    ...lines,
  ].join("\n");
}
