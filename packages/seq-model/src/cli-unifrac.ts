import { type CliCommand, type CliContext, type OptionSpec, option, xError } from "@x/core/base";
import {
  checkEndings,
  runOptions,
  TABLE_FLAGS,
  TREE_FLAGS,
  tableOf,
  tellDropped,
  treeOf,
  treeOptions,
  writeTsv,
} from "./cli-inputs.ts";
import { formatOf, writeDistances } from "./distance-files.ts";
import type { DistanceMatrix } from "./distance-matrix.ts";
import { DIVERSITIES, type DiversityValues, faithPd, observedFeatures, shannon } from "./diversity.ts";
import type { FeatureTable } from "./feature-table.ts";
import { TABLE_METRICS, type TableMetric, TREE_METRICS, type TreeMetric } from "./metrics.ts";
import type { Tree } from "./read-newick.ts";
import { mergeStripes, readStripes, unifracStripes, writeStripes } from "./stripes.ts";
import { distances, unifrac } from "./unifrac.ts";

const outOption = (help: string): OptionSpec =>
  option.output("out", help, { aliases: ["-o"], required: true });

/** `seq-model unifrac`. */
export const unifracCommand: CliCommand = {
  name: "unifrac",
  summary: "distances between samples, or the diversity of each",
  random: true,
  options: [
    ...TABLE_FLAGS,
    ...TREE_FLAGS,
    option.text("metric", "weighted is the one without normalisation, as in QIIME 2", {
      aliases: ["-m"],
      choices: [...TREE_METRICS, ...TABLE_METRICS, ...DIVERSITIES],
      value: "NAME",
      required: true,
    }),
    option.number("alpha", "of --metric generalized; 0.5", { range: { min: 0, max: 1 }, value: "A" }),
    option.number("pseudocount", "of --metric aitchison; 1", { range: { min: 1e-300 }, value: "X" }),
    outOption("matrix by its ending: .npy, .tsv, .h5, .arrow; a table (.tsv) for diversities"),
    option.flag("float32", "keep distances as float32: half the memory"),
    option.flag(
      "keep-empty",
      "keep samples without counts instead of an error: at distance 1 of others, 0 of each other; of weighted and aitchison what their formulas give",
    ),
    option.text("stripes", "only this part of the matrix (.arrow); seq-model merge joins parts", {
      value: "FROM:TO",
    }),
  ],
  examples: [
    "seq-model unifrac --table table.biom --tree tree.nwk --metric unweighted --out unweighted.npy",
    "seq-model unifrac --table table.qza --tree rooted-tree.qza --metric generalized --alpha 0.5 --out d.tsv",
    "seq-model unifrac --table table.biom --tree tree.nwk --metric faith-pd --out faith.tsv",
  ],
  async run(context) {
    const metric = String(context.options.metric);
    const out = String(context.options.out);
    const needsTree = metric === "faith-pd" || (TREE_METRICS as readonly string[]).includes(metric);
    if (needsTree && context.options.tree === undefined) {
      throw xError("OPTION_MISSING", `--metric ${metric} needs --tree FILE`, { usage: true });
    }
    const vector = (DIVERSITIES as readonly string[]).includes(metric);
    refuseIdle(context, metric, { vector, needsTree });
    if (vector) checkEndings(context, { out: ["tsv", "txt"] });
    const part =
      context.options.stripes === undefined ? undefined : stripeRange(String(context.options.stripes));
    // Before the work.
    if (!vector && formatOf(out) !== "arrow" && part) {
      const message = `--stripes writes a part of a matrix as .arrow, not ${out}; seq-model merge writes the other layouts`;
      throw xError("OPTION_CHOICE", message, { usage: true, details: { option: "out" } });
    }
    const table = await tableOf(context);
    const tree = needsTree ? await treeOf(context) : undefined;
    const dropped = tree && tellDropped(context, table, tree);
    const of = { table, tree: tree! };
    const done = async (): Promise<object> => {
      if (vector) return diversity(context, of, metric, out);
      if (part) return stripes(context, of, part, out);
      using matrix = await matrixOf(context, of, metric);
      return await written(context, matrix, out);
    };
    return { ...(await done()), ...(dropped && { dropped }) };
  },
};

/** Options that the metric does not take. `OPTION_CHOICE`. */
function refuseIdle(
  { options }: CliContext,
  metric: string,
  { vector, needsTree }: { vector: boolean; needsTree: boolean },
): void {
  const idle = [
    ...(metric === "generalized" ? [] : ["alpha"]),
    ...(metric === "aitchison" ? [] : ["pseudocount"]),
    ...(needsTree ? [] : ["tree", "missing-length"]),
    ...(vector ? ["stripes", "float32", "keep-empty"] : []),
  ].find((name) => options[name] !== undefined);
  if (idle === undefined) return;
  const message = `--${idle} has no effect on --metric ${metric}`;
  throw xError("OPTION_CHOICE", message, { usage: true, details: { option: idle } });
}

/** `seq-model merge`. */
export const mergeCommand: CliCommand = {
  name: "merge",
  summary: "join the parts of a matrix that unifrac --stripes made",
  positionals: ["PART..."],
  files: [{ role: "input" }],
  options: [outOption("the matrix: .npy, .tsv, .h5, .arrow")],
  examples: ["seq-model merge part1.arrow part2.arrow --out unweighted.npy"],
  async run(context) {
    const out = String(context.options.out);
    formatOf(out);
    const parts = [];
    for (const path of context.positionals) parts.push(await readStripes(path));
    using matrix = mergeStripes(parts);
    return await written(context, matrix, out);
  },
};

async function written(context: CliContext, matrix: DistanceMatrix, out: string): Promise<object> {
  const files = await writeDistances(out, matrix, { signal: context.signal });
  if (!context.json && !context.quiet && out !== "-") {
    context.print(`${matrix.metric}: ${matrix.n} samples, written to ${files.join(", ")}`);
  }
  return { metric: matrix.metric, samples: matrix.n, files };
}

async function matrixOf(
  context: CliContext,
  { table, tree }: Source,
  metric: string,
): Promise<DistanceMatrix> {
  const options = distanceOptions(context);
  if ((TABLE_METRICS as readonly string[]).includes(metric)) {
    return distances(table, { ...options, metric: metric as TableMetric });
  }
  return unifrac(table, tree, { ...options, ...treeOptions(context), metric: metric as TreeMetric });
}

function distanceOptions(context: CliContext) {
  const { options } = context;
  return {
    ...runOptions(context),
    ...(options.alpha !== undefined && { alpha: Number(options.alpha) }),
    ...(options.pseudocount !== undefined && { pseudocount: Number(options.pseudocount) }),
    float32: options.float32 === true,
    emptySamples: options["keep-empty"] === true ? ("keep" as const) : ("error" as const),
  };
}

/** A table, and the tree where the metric has one. */
interface Source {
  readonly table: FeatureTable;
  readonly tree: Tree;
}

async function stripes(
  context: CliContext,
  { table, tree }: Source,
  range: readonly [number, number],
  out: string,
): Promise<object> {
  const metric = String(context.options.metric) as TreeMetric;
  if (!(TREE_METRICS as readonly string[]).includes(metric)) {
    throw xError("OPTION_CHOICE", `--stripes goes with ${TREE_METRICS.join(", ")}`, { usage: true });
  }
  const options = { ...distanceOptions(context), ...treeOptions(context), metric, stripes: range };
  const part = await unifracStripes(table, tree, options);
  await writeStripes(out, part, { signal: context.signal });
  return { metric: part.metric, samples: part.ids.length, stripes: range, files: [out] };
}

async function diversity(
  context: CliContext,
  { table, tree }: Source,
  metric: string,
  out: string,
): Promise<object> {
  let found: DiversityValues;
  if (metric === "faith-pd") found = faithPd(table, tree, treeOptions(context));
  else found = metric === "shannon" ? shannon(table) : observedFeatures(table);
  const columns = [
    { name: "sample_id", values: found.ids },
    { name: metric.replace("-", "_"), values: found.values },
  ];
  await writeTsv(out, columns, context.signal);
  return { metric, samples: found.ids.length, files: [out] };
}

function stripeRange(text: string): [number, number] {
  const match = /^(\d+):(\d+)$/.exec(text);
  if (match) return [Number(match[1]), Number(match[2])];
  throw xError("OPTION_VALUE", `--stripes needs FROM:TO, e.g. 0:100, got ${JSON.stringify(text)}`, {
    usage: true,
  });
}
