import { type CliCommand, type CliContext, isXError, OutputFiles, option } from "@x/core/base";
import { artifactText, readArtifact } from "./artifact/read.ts";
import { openStore } from "./artifact/store.ts";
import { modelFacts } from "./cli-json.ts";
import { dataOf, formulasOf, MODEL_FLAGS, modelOptions } from "./cli-options.ts";
import { quoteWord } from "./cli-words.ts";
import { fit } from "./fit.ts";
import { modelText } from "./model.ts";
import { reportHtml } from "./report/html.ts";

/** The command line as it was typed. */
export const commandText = (argv: readonly string[]): string =>
  `gam-warmstart ${argv.map(quoteWord).join(" ")}`;

/** Prints what a model has to say besides its numbers. */
export function tell(
  context: CliContext,
  warnings: readonly { code: string; message: string; details: Readonly<Record<string, unknown>> }[],
): void {
  for (const warning of warnings) context.warn(warning);
}

/** `gam-warmstart fit`. */
export const fitCommand = (argv: readonly string[]): CliCommand => ({
  name: "fit",
  summary: "fit a model; prints its summary",
  positionals: ["DATA", "FORMULA"],
  files: [{ role: "input" }, null],
  options: [
    ...MODEL_FLAGS,
    option.output("out", "write the model (JSON) for predict, summary, report", { aliases: ["-o"] }),
    option.output("artifact", "write the artifact that other fits can start from"),
    option.input("warm-start", "start from this artifact; a bad one means a cold start, with the reason"),
    option.text("store", "start from the latest artifact there, and put this fit's", { value: "FOLDER" }),
    option.output("report", "write the HTML report"),
    option.text("title", "title of the report", { value: "TEXT" }),
  ],
  examples: [
    `gam-warmstart fit data.csv 'y ~ s(x0, bs="cr", k=10) + s(id, bs="re")' --family binomial --out model.json`,
    `gam-warmstart fit fold.csv 'y ~ s(x0)' --warm-start parent.artifact.json --json`,
  ],
  async run(context) {
    const [path, formula] = context.positionals as [string, string];
    const o = context.options;
    const formulas = formulasOf(context, formula);
    const options = modelOptions(context);
    const data = await dataOf(context, path);
    const store = o.store === undefined ? undefined : openStore(String(o.store), { onWarning: context.warn });
    const warmStart =
      o["warm-start"] === undefined ? undefined : readOrReason(String(o["warm-start"]), context);
    const model = await fit(formulas, data, {
      ...options,
      ...(warmStart === undefined ? {} : { warmStart }),
      ...(store ? { store } : {}),
    });
    tell(context, model.warnings);
    const wanted: [string, () => string | Promise<string>][] = [];
    if (o.out !== undefined) wanted.push([String(o.out), () => modelText(model)]);
    if (o.artifact !== undefined) wanted.push([String(o.artifact), () => artifactText(model.capture())]);
    if (o.report !== undefined)
      wanted.push([
        String(o.report),
        () =>
          reportHtml(model, {
            command: commandText(argv),
            ...(o.title === undefined ? {} : { title: String(o.title) }),
          }),
      ]);
    const files = await writeAll(wanted, context.signal);
    if (!context.json && !context.quiet) context.print(model.summary().trimEnd());
    return { ...modelFacts(model), files };
  },
});

/** A bad artifact never stops a fit: the fit begins cold and says why. */
function readOrReason(path: string, context: CliContext): unknown {
  try {
    return readArtifact(path);
  } catch (e) {
    if (!isXError(e)) throw e;
    context.warn({
      code: "COLD_START",
      message: `${e.code} ${e.message}; the fit starts cold`,
      details: { reason: e.code },
    });
    return undefined;
  }
}

/** Writes the files of a run: all of them or none. */
export async function writeAll(
  wanted: readonly (readonly [string, () => string | Uint8Array | Promise<string | Uint8Array>])[],
  signal: AbortSignal,
): Promise<string[]> {
  if (wanted.length === 0) return [];
  await using files = new OutputFiles({ signal });
  for (const [path, make] of wanted) await files.open(path).write(await make());
  return await files.commit();
}
