import { writeIpc } from "@x/core";
import {
  atomicWriter,
  type CliCommand,
  type CliContext,
  option,
  writeFileAtomic,
  xError,
} from "@x/core/base";
import { attentionMap, attentionSvg, sequenceNames } from "./attention-svg.ts";
import { encodeCategories } from "./categories.ts";
import { explainErrors, type Inputs, truthOf } from "./cli-errors.ts";
import {
  checkEndings,
  TABLE_FLAGS,
  TREE_FLAGS,
  tableOf,
  treeOf,
  warnOfDepth,
  warnOfLengths,
  writeTsv,
} from "./cli-inputs.ts";
import { modelOption } from "./cli-run-folder.ts";
import { EXPLAIN_METHODS, type ExplainMethod, explain, type FeatureImportance } from "./explain.ts";
import { importanceTreeSvg } from "./importance-svg.ts";
import { joinMetadata } from "./join-metadata.ts";
import { readFasta } from "./read-fasta.ts";
import { type Metadata, readMetadata } from "./read-metadata.ts";
import { SeqModel } from "./seq-model.ts";
import { sequenceBatch } from "./sequence-batches.ts";

/** `seq-model explain`. */
export const explainCommand: CliCommand = {
  name: "explain",
  summary: "what a model's predictions rest on: importances of ASVs, on the tree; attention; where it errs",
  random: true,
  options: [
    modelOption("model", "a trained model, or the folder of its run", { required: true }),
    ...TABLE_FLAGS,
    ...TREE_FLAGS,
    option.input("sequences", "FASTA or .qza, where ids are no sequences"),
    option.text(
      "method",
      "integrated-gradients: parts that add up to the prediction; attention: cheap, but weight is not influence; permutation: what errors grow by (needs --metadata)",
      { choices: EXPLAIN_METHODS, default: "integrated-gradients", value: "NAME" },
    ),
    option.int("output", "which number of the prediction (quantile, class)", {
      range: { min: 0 },
      default: 0,
      value: "N",
    }),
    option.int("steps", "of integrated gradients: more are more exact", {
      range: { min: 1 },
      default: 32,
      value: "N",
    }),
    option.int("repeats", "shuffles of a feature, of --method permutation", {
      range: { min: 1 },
      default: 3,
      value: "N",
    }),
    option.int("batch-size", "samples a batch", { range: { min: 1 }, default: 8, value: "N" }),
    option.input("metadata", "sample metadata"),
    option.text(
      "metadata-column",
      "true values, for --method permutation and --errors; the model's own target by default",
      { aliases: ["--column"], value: "COLUMN" },
    ),
    option.output("out", "importances: .tsv or .arrow", { aliases: ["-o"] }),
    option.output("svg", "picture of the importances on the tree (needs --tree)"),
    option.int("most", "tips in it", { range: { min: 1, max: 2000 }, default: 60, value: "N" }),
    option.output("heatmap", "picture of the attention of the first samples (.svg)"),
    option.input(
      "split",
      "who --errors tell apart: table of sample_id and split; by default that of the run, where train wrote one",
    ),
    option.output(
      "errors",
      "error analysis of a numeric target, of all samples and of each side of the split (.json)",
    ),
    option.output("errors-svg", "the same as a picture"),
  ],
  examples: [
    "seq-model explain --model run --table table.biom --tree tree.nwk --out importances.tsv --svg importances.svg",
    "seq-model explain --model run --table table.biom --metadata metadata.tsv --errors errors.json --errors-svg errors.svg",
  ],
  async run(context) {
    const { options, signal } = context;
    checkAsked(context);
    checkEndings(context, {
      out: ["tsv", "txt", "arrow"],
      svg: ["svg"],
      heatmap: ["svg"],
      errors: ["json"],
      "errors-svg": ["svg"],
    });
    await using model = await SeqModel.load(
      String(options.model),
      context.threads === undefined ? {} : { threads: context.threads },
    );
    const known =
      options.metadata === undefined ? undefined : await readMetadata(String(options.metadata), { signal });
    const inputs = await inputsOf(context, model, known);
    warnOfDepth(context, model, inputs.table);
    warnOfLengths(context, model, inputs.table, inputs.sequences);
    const facts: Record<string, unknown> = { samples: inputs.table.sampleIds.length };
    if (options.out !== undefined || options.svg !== undefined) {
      const found = await importances(context, model, inputs);
      facts.importances = found;
    }
    if (options.heatmap !== undefined) await heatmap(context, model, inputs);
    if (options.errors !== undefined || options["errors-svg"] !== undefined)
      facts.errors = await explainErrors(context, model, inputs);
    return facts;
  },
};

function checkAsked({ options }: CliContext): void {
  const missing = (message: string): never => {
    throw xError("OPTION_MISSING", message, { usage: true });
  };
  const wanted = ["out", "svg", "heatmap", "errors", "errors-svg"];
  if (wanted.every((name) => options[name] === undefined))
    missing(`nothing is asked for: give ${wanted.map((name) => `--${name}`).join(", ")} or several`);
  if (options.svg !== undefined && options.tree === undefined)
    missing("--svg draws on a tree: give --tree FILE");
  const needsTruth =
    options.method === "permutation" || options.errors !== undefined || options["errors-svg"] !== undefined;
  if (needsTruth && options.metadata === undefined)
    missing("--method permutation and --errors need the true values: give --metadata FILE");
  if (options.split !== undefined && options.errors === undefined && options["errors-svg"] === undefined)
    missing("--split tells the samples of --errors apart: give --errors FILE or --errors-svg FILE");
}

async function inputsOf(context: CliContext, model: SeqModel, known: Metadata | undefined): Promise<Inputs> {
  const { options, signal } = context;
  const whole = await tableOf(context);
  const joined = known && joinMetadata(whole, known, { empty: "drop" });
  const { categories: columns } = model.facts;
  if (columns.length > 0 && !joined) {
    const message = `the model takes ${columns.map(({ name }) => name).join(", ")}: give --metadata FILE`;
    throw xError("OPTION_MISSING", message, { usage: true });
  }
  return {
    table: joined?.table ?? whole,
    sequences:
      options.sequences === undefined ? undefined : await readFasta(String(options.sequences), { signal }),
    metadata: joined?.metadata,
    categories: columns.length > 0 ? encodeCategories(columns, joined!.metadata).codes : undefined,
  };
}

async function importances(context: CliContext, model: SeqModel, inputs: Inputs): Promise<unknown> {
  const { options, signal, onProgress } = context;
  const { table, categories } = inputs;
  const found = await explain(model, table, model.cache(table, inputs.sequences), {
    method: options.method as ExplainMethod,
    output: Number(options.output),
    steps: Number(options.steps),
    repeats: Number(options.repeats),
    batchSize: Number(options["batch-size"]),
    tokenLimit: model.facts.config.tokenLimit,
    seed: context.seed ?? 0,
    signal,
    onProgress,
    ...(categories ? { categories } : {}),
    ...(options.method === "permutation" ? { truth: truthOf(context, model, inputs) } : {}),
  });
  const rows = found.toArrow();
  if (options.out !== undefined) await writeImportances(String(options.out), found, signal);
  if (options.svg !== undefined) {
    const svg = importanceTreeSvg(await treeOf(context), found, { most: Number(options.most) });
    await writeFileAtomic(String(options.svg), `${svg}\n`, { signal });
  }
  const top = Array.from({ length: Math.min(5, rows.numRows) }, (_, k) => ({ ...rows.get(k)?.toJSON() }));
  if (!context.json) {
    context.print(`${found.method} of ${found.samples} samples; what matters most:`);
    for (const { feature, importance, signed } of top)
      context.print(`${Number(importance).toPrecision(3)}\t${signed < 0 ? "−" : "+"}\t${feature}`);
  }
  return { method: found.method, top };
}

async function writeImportances(path: string, found: FeatureImportance, signal: AbortSignal): Promise<void> {
  const rows = found.toArrow();
  if (/\.arrow$/i.test(path)) {
    await using out = atomicWriter(path, { signal });
    await writeIpc(out, rows.batches, { schema: rows.schema });
    await out.commit();
    return;
  }
  const columns = rows.schema.fields.map(({ name }) => ({
    name: name === "feature" ? "feature_id" : name,
    values: Array.from(rows.getChild(name)!),
  }));
  await writeTsv(path, columns, signal);
}

async function heatmap({ options, signal }: CliContext, model: SeqModel, inputs: Inputs): Promise<void> {
  const { table, categories } = inputs;
  const cache = model.cache(table, inputs.sequences);
  const ids = table.sampleIds.slice(0, 40);
  const { tokenLimit } = model.facts.config;
  const columns = model.facts.categories.length;
  const batch = {
    ...sequenceBatch(
      table,
      cache,
      ids.map((_, s) => s),
      { tokenLimit },
    ),
    ids,
    ...(categories ? { categories: categories.subarray(0, ids.length * columns) } : {}),
  };
  const map = await attentionMap(model, batch);
  const svg = attentionSvg(map, { nameOf: sequenceNames(cache, table.featureIds) });
  await writeFileAtomic(String(options.heatmap), `${svg}\n`, { signal });
}
