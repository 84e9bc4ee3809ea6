import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  type CliCommand,
  type CliContext,
  checkOutputs,
  option,
  writeFileAtomic,
  xError,
} from "@x/core/base";
import { type HistoryLine, readHistory } from "@x/onnx-train";
import { DATA_OPTION, DEVICE_OPTION, MODEL_OPTION, PLACE_OPTIONS, protectModel, shared } from "./cli-data.ts";
import { withModel } from "./cli-use.ts";
import type { EvaluationReport } from "./evaluate.ts";
import { evaluationHtml, perFeatureName } from "./evaluation-report.ts";

/** `mosaic-vae eval`. */
export const evalCommand: CliCommand = {
  name: "eval",
  summary: "how good the embedding is, beside SVD and LSI without a model",
  options: [
    MODEL_OPTION,
    { ...DATA_OPTION, required: true },
    option.text("labels", "column of obs with the types of cells", { value: "COLUMN" }),
    option.output("html", "also a page with scores and plots"),
    ...PLACE_OPTIONS,
    DEVICE_OPTION,
  ],
  examples: ["mosaic-vae eval --model run/ --data cells.h5ad --labels cell_type --json"],
  run: (context) =>
    withModel(context, async (model, dataset) => {
      const { labels, html } = context.options;
      const report = await model.evaluate(dataset, {
        ...(labels !== undefined && { labels: String(labels) }),
        ...shared(context),
      });
      if (html !== undefined) {
        const page = await evaluationHtml(model.state, dataset, report, {
          ...(labels !== undefined && { labels: String(labels) }),
          history: historyOf(String(context.options.model)),
        });
        await writeFileAtomic(String(html), page);
      }
      if (!context.json) print(context, report);
      return report;
    }),
};

/** The history beside the model, where it is in the folder of its run. */
function historyOf(model: string): readonly HistoryLine[] {
  const history = join(model, "history.jsonl");
  return existsSync(history) ? readHistory(history) : [];
}

function print({ print: line }: CliContext, report: EvaluationReport): void {
  const percent = (x: number): string => `${(100 * x).toFixed(1)} %`;
  for (const [name, s] of Object.entries(report.labels))
    line(`labels, ${name}\t${percent(s.accuracy)} (balanced ${percent(s.balanced)})`);
  for (const [name, s] of Object.entries(report.baselines))
    line(`labels, ${name} without a model\t${percent(s.accuracy)} (balanced ${percent(s.balanced)})`);
  if (report.clusters)
    line(
      `${report.clusters.count} Leiden clusters\tARI ${report.clusters.ari.toFixed(3)}, NMI ${report.clusters.nmi.toFixed(3)}`,
    );
  for (const [pair, m] of Object.entries(report.matching)) line(`FOSCTTM ${pair}\t${m.foscttm.toFixed(3)}`);
  for (const [name, s] of Object.entries(report.imputation))
    line(
      `${name} from the others\tmedian of the features' ${perFeatureName(s)} ${s.perFeature.toFixed(3)}, RMSE ${s.rmse.toFixed(3)} (feature means of the training cells ${s.rmseOfMeans.toFixed(3)})`,
    );
  line(report.verdict);
}

/** `mosaic-vae export`. */
export const exportCommand: CliCommand = {
  name: "export",
  summary: "an ONNX model for onnxruntime in Node, browsers or Python",
  options: [
    MODEL_OPTION,
    option.output("out", "model.onnx", { required: true }),
    option.text("decode", "also expected values of this modality", { value: "NAME" }),
  ],
  examples: ["mosaic-vae export --model run/ --out embed.onnx"],
  async run(context) {
    const { MosaicVAE } = await import("./mosaic-vae.ts");
    const { options } = context;
    const out = String(options.out);
    if (!out.endsWith(".onnx")) throw xError("OPTION_VALUE", `--out ${out}: .onnx`, { usage: true });
    protectModel(String(options.model));
    checkOutputs([out]);
    await using model = await MosaicVAE.load(String(options.model), shared(context));
    const made = await model.exportOnnx(
      out,
      options.decode === undefined ? {} : { decode: String(options.decode) },
    );
    if (!context.json)
      context.print(
        `${made.files.join(", ")}: inputs ${made.inputs.join(", ")}; outputs ${made.outputs.join(", ")}`,
      );
    return made;
  },
};
