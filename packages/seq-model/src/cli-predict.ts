import { type CliCommand, type CliContext, counted, type OptionSpec, option, xError } from "@x/core/base";
import { encodeCategories } from "./categories.ts";
import { checkEndings, TABLE_FLAGS, tableOf, warnOfDepth, warnOfLengths, writeTsv } from "./cli-inputs.ts";
import { modelOption } from "./cli-run-folder.ts";
import { infiniteIntervals } from "./conformal.ts";
import { seqError } from "./errors.ts";
import { joinMetadata } from "./join-metadata.ts";
import { intervalsOf } from "./judge.ts";
import { embeddingWidth } from "./model-config.ts";
import { predictInPasses } from "./prediction-passes.ts";
import { readFasta } from "./read-fasta.ts";
import { readMetadata } from "./read-metadata.ts";
import { SeqModel } from "./seq-model.ts";
import { classOf } from "./validation.ts";

const MODEL_FLAG: OptionSpec = modelOption("model", "a trained model, or the folder of its run", {
  required: true,
});

/** `seq-model predict`. */
export const predictCommand: CliCommand = {
  name: "predict",
  summary: "predict the samples of a table with a trained model, or embed them with an encoder",
  random: true,
  options: [
    MODEL_FLAG,
    ...TABLE_FLAGS,
    option.input("sequences", "FASTA or .qza, where ids are no sequences"),
    option.input("metadata", "for models that take metadata"),
    option.output("output", "predictions (.tsv); of an encoder its sample embeddings, as --embeddings", {
      aliases: ["-o", "--out"],
      required: true,
    }),
    option.output(
      "embeddings",
      "also the sample embeddings (.tsv), e0, e1 …: presence, then mass of each clade that the encoder learned (pretrain --clades), then the --embedding-dim numbers of the network",
    ),
    option.int("batch-size", "samples a batch", { range: { min: 1 }, default: 8, value: "N" }),
    option.int(
      "prediction-passes",
      "mean of so many passes, each on other ASVs of samples that have too many",
      { range: { min: 1 }, default: 1, value: "N" },
    ),
    option.flag("output-variance", "also the variance among passes"),
    option.flag("intervals", "also both ends of conformal intervals, of models that have them"),
    option.text("device", "auto, cpu, cuda or cuda:N", { value: "NAME" }),
  ],
  examples: ["seq-model predict --model run --table new.biom --output predictions.tsv"],
  async run(context) {
    const { options, signal, onProgress, seed = 0 } = context;
    checkEndings(context, { output: ["tsv", "txt"], embeddings: ["tsv", "txt"] });
    await using model = await SeqModel.load(String(options.model), {
      ...(context.threads === undefined ? {} : { threads: context.threads }),
      ...(options.device === undefined ? {} : { device: String(options.device) }),
    });
    const { table, categories, groups } = await inputsOf(context, model);
    const sequences =
      options.sequences === undefined ? undefined : await readFasta(String(options.sequences), { signal });
    warnOfDepth(context, model, table);
    warnOfLengths(context, model, table, sequences);
    const passes = Number(options["prediction-passes"]);
    const common = {
      batchSize: Number(options["batch-size"]),
      signal,
      onProgress,
      ...(sequences && { sequences }),
      ...(categories && { categories }),
      ...(groups && { groups }),
    };
    let embeddings = new Float32Array(0);
    const found = await predictInPasses(passes, async (step) => {
      const sampling = passes > 1 ? ("random" as const) : ("abundance" as const);
      const made = await model.predictTable(table, { ...common, sampling, seed, step });
      embeddings = made.embeddings as Float32Array<ArrayBuffer>;
      return made.values;
    });
    const ids = table.sampleIds;
    const column = (values: ArrayLike<number>, width: number, c: number): Float64Array =>
      Float64Array.from(ids, (_, s) => values[s * width + c]!);
    const names = columnNames(model);
    const width = model.width;
    const columns: { name: string; values: ArrayLike<unknown> }[] = [{ name: "sample_id", values: ids }];
    if (model.classes.length > 0) {
      const best = classOf(found.mean, width);
      columns.push({
        name: model.facts.target!.names[0]!,
        values: Array.from(best, (c) => model.classes[c]!),
      });
    }
    names.forEach((name, c) => {
      columns.push({ name, values: column(found.mean, width, c) });
      if (options["output-variance"] === true)
        columns.push({ name: `${name} variance`, values: column(found.variance, width, c) });
    });
    if (options.intervals === true) columns.push(...intervalColumns(context, model, found.mean));
    const wide = embeddingWidth(model.facts.config);
    const embedded = Array.from({ length: wide }, (_, d) => ({
      name: `e${d}`,
      values: column(embeddings, wide, d),
    }));
    await writeTsv(String(options.output), names.length > 0 ? columns : [...columns, ...embedded], signal);
    if (options.embeddings !== undefined)
      await writeTsv(String(options.embeddings), [columns[0]!, ...embedded], signal);
    if (!context.json)
      context.print(
        `${counted(ids.length, "sample")}, ${names.join(", ") || embeddingText(model)}: ${String(options.output)}`,
      );
    return { samples: ids.length, columns: names };
  },
};

/** Both ends of each output's interval; infinite where too few samples were calibrated on. */
function intervalColumns(
  { warn }: CliContext,
  model: SeqModel,
  values: ArrayLike<number>,
): { name: string; values: Float64Array }[] {
  const { target, config } = model.facts;
  if (!target?.conformal)
    throw seqError(
      "CONFORMAL",
      "the model has no intervals: it was trained without --coverage, or predicts classes",
    );
  const endless = infiniteIntervals(target.conformal);
  if (endless) warn(endless);
  return target.conformal.flatMap((conformal, o) => {
    const { low, high } = intervalsOf(conformal, values, config, o);
    const name = target.names[o]!;
    return [
      { name: `${name} low`, values: low },
      { name: `${name} high`, values: high },
    ];
  });
}

/** What the numbers of an embedding are, in their order. */
function embeddingText({ facts: { config } }: SeqModel): string {
  const { clades, dim } = config;
  if (clades === 0) return `embeddings of ${dim} numbers`;
  return `embeddings of ${embeddingWidth(config)} numbers (presence of ${clades} clades, mass of the same, then ${dim} of the network)`;
}

/** One name for each number of a prediction. */
function columnNames(model: SeqModel): string[] {
  const { target, config } = model.facts;
  if (!target) return [];
  if (target.classes.length > 0) return target.classes.map((name) => `p(${name})`);
  if (config.quantiles.length === 0) return [...target.names];
  return target.names.flatMap((name) => config.quantiles.map((q) => `${name} q${q}`));
}

async function inputsOf(
  context: CliContext,
  model: SeqModel,
): Promise<{
  table: Awaited<ReturnType<typeof tableOf>>;
  categories?: Int32Array;
  groups?: readonly string[];
}> {
  const { options, signal } = context;
  const whole = await tableOf(context);
  const { categories: columns, target } = model.facts;
  const needs = [
    ...columns.map(({ name }) => name),
    ...(target?.transformColumn ? [target.transformColumn] : []),
  ];
  if (needs.length === 0) return { table: whole };
  if (options.metadata === undefined)
    throw xError("OPTION_MISSING", `the model takes ${needs.join(", ")}: give --metadata FILE`, {
      usage: true,
    });
  const { table, metadata } = joinMetadata(whole, await readMetadata(String(options.metadata), { signal }));
  const { codes, unseen } = encodeCategories(columns, metadata);
  for (const [name, levels] of Object.entries(unseen))
    context.warn({
      code: "CATEGORY_UNSEEN",
      message: `${name}: ${levels.join(", ")} were not in training; they count as unknown`,
      details: { name, levels },
    });
  const groups = target?.transformColumn && metadata.column(target.transformColumn).values.map(String);
  return { table, ...(columns.length > 0 && { categories: codes }), ...(groups && { groups }) };
}

/** `seq-model export`. */
export const exportCommand: CliCommand = {
  name: "export",
  summary: "write a trained model as ONNX, for Node, browsers and Python",
  options: [MODEL_FLAG, option.output("out", "the .onnx file", { aliases: ["-o"], required: true })],
  examples: ["seq-model export --model run --out model.onnx"],
  async run(context) {
    checkEndings(context, { out: ["onnx"] });
    await using model = await SeqModel.load(String(context.options.model));
    const made = await model.exportOnnx(String(context.options.out));
    if (!context.json)
      context.print(
        `${made.files.join(", ")}: ${made.inputs.join(", ")} → ${made.outputs.join(", ")}, ${made.difference.toExponential(1)} from the model`,
      );
    return made;
  },
};
