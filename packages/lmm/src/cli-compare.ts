import { type CliCommand, type CliContext, option, readLines, unknownOption } from "@x/core/base";
import {
  ASSOC_TOLERANCES,
  type Comparison,
  compareAssoc,
  compareKinship,
  type Tolerance,
} from "./compare.ts";
import { lmmError } from "./errors.ts";

/** `lmm compare A B`: two result files, or two kinship matrices, column by column; a difference is told to the caller. */
export const compareCommand = (onDifferent: () => void): CliCommand => ({
  name: "compare",
  summary: "two .assoc.txt files, or two text kinships, column by column; exit 1 when they differ",
  positionals: ["A", "B"],
  options: [
    option.list("tolerance", "other limits than the defaults, e.g. beta=1e-6,p_wald=1e-8 or k=1e-9", {
      value: "LIST",
    }),
  ],
  examples: [
    "lmm compare ours.assoc.txt gemma.assoc.txt",
    "lmm compare --tolerance beta=1e-6 a.assoc.txt b.assoc.txt",
  ],
  async run(context) {
    const [a, b] = context.positionals as [string, string];
    const limits = parseLimits((context.options.tolerance as string[] | undefined) ?? []);
    const [assocA, assocB] = [await isAssoc(a), await isAssoc(b)];
    if (assocA !== assocB)
      throw lmmError(
        "ASSOC_FORMAT",
        `${assocA ? a : b} is an association file and ${assocA ? b : a} is none: two of one kind are compared.`,
        { details: { a, b } },
      );
    const known = assocB ? Object.keys(ASSOC_TOLERANCES) : ["k"];
    for (const name of Object.keys(limits))
      if (!known.includes(name)) throw unknownOption(name, known, "--tolerance");
    const result = assocB
      ? await compareAssoc(a, b, { limits })
      : await compareKinship(a, b, limits.k === undefined ? {} : { relative: limits.k });
    if (!context.json) print(context, result);
    if (!result.ok) onDifferent();
    return result;
  },
});

async function isAssoc(path: string): Promise<boolean> {
  for await (const { text } of readLines(path)) return text.startsWith("chr\t");
  return false;
}

function parseLimits(items: readonly string[]): Record<string, number> {
  return Object.fromEntries(
    items.map((item) => {
      const match = /^(\w+)=([\d.eE+-]+)$/.exec(item);
      const limit = Number(match?.[2]);
      if (match && limit >= 0) return [match[1]!, limit];
      throw lmmError("OPTION_RANGE", `--tolerance takes name=number, not "${item}".`, {
        usage: true,
        details: { option: "tolerance" },
      });
    }),
  );
}

const WORDS: Record<Tolerance["kind"], string> = {
  neglog10: "of log10 p",
  exact: "same text",
  relative: "relative",
  se: "in standard errors",
  log10: "of log10 p",
};

function print(context: CliContext, result: Comparison): void {
  for (const c of result.columns) {
    const limit =
      c.tolerance.kind === "exact" ? WORDS.exact : `${c.tolerance.limit} ${WORDS[c.tolerance.kind]}`;
    const worst = c.worst
      ? `worst ${Number.isFinite(c.worst.difference) ? c.worst.difference.toExponential(2) : "different"} in row ${c.worst.row} (${c.worst.label}): ${c.worst.a} against ${c.worst.b}`
      : "equal";
    context.print(
      `${c.failures === 0 ? "ok  " : "FAIL"} ${c.name.padEnd(10)} ${limit}; ${worst}${c.failures > 0 ? `; ${c.failures} rows beyond` : ""}`,
    );
  }
  for (const problem of result.problems) context.print(`FAIL ${problem}`);
  context.print(`${result.rows} rows compared: ${result.ok ? "within tolerance" : "DIFFERENT"}`);
}
