/** The page of an evaluation: verdict, scores, and the embedding on a plane. */
import { type HistoryLine, lossCurves } from "@x/onnx-train";
import { columnTexts, type MosaicDataset } from "./dataset.ts";
import { embedCells } from "./embed.ts";
import type { EvaluationReport, ImputationScore } from "./evaluate.ts";
import { layout } from "./layout.ts";
import type { ModelState } from "./mosaic-vae.ts";
import { escapeXml, scatterSvg } from "./scatter.ts";
import type { IntegrationScores } from "./scores-integration.ts";

/** Cells drawn at most. */
const DRAWN = 5000;

/** A self-contained HTML page without scripts. */
export async function evaluationHtml(
  state: ModelState,
  dataset: MosaicDataset,
  report: EvaluationReport,
  { labels, history = [] }: { labels?: string; history?: readonly HistoryLine[] } = {},
): Promise<string> {
  const { mean, latent } = await embedCells(state, dataset, {});
  const step = Math.max(1, Math.ceil(dataset.cells / DRAWN));
  const rows = Array.from({ length: Math.ceil(dataset.cells / step) }, (_, i) => i * step);
  const values = new Float32Array(rows.length * latent);
  rows.forEach((row, i) => {
    values.set(mean.subarray(row * latent, (row + 1) * latent), i * latent);
  });
  const at = layout({ values, count: rows.length, dimensions: latent });
  const names = [...dataset.modalities.keys()];
  const colourings: Record<string, string[]> = {
    modalities: rows.map((row) =>
      names.filter((name) => dataset.modalities.get(name)!.available[row]).join("+"),
    ),
  };
  for (const key of [labels, dataset.batchKey])
    if (key !== undefined) {
      const texts = columnTexts(dataset.obs, key);
      colourings[key] = rows.map((row) => texts[row] ?? "missing");
    }
  const figures = Object.entries(colourings).map(
    ([name, texts]) =>
      `<figure>${scatterSvg(at, texts, name)}<figcaption>${escapeXml(name)}</figcaption></figure>`,
  );
  const curves = lossCurves(history, { unit: "epoch" }).map(
    ({ name, svg }) => `<figure>${svg}<figcaption>${escapeXml(name)}</figcaption></figure>`,
  );
  const training = curves.length > 0 ? `<h2>Training</h2><div class="grid">${curves.join("")}</div>` : "";
  const lines = scoreLines(report).map(
    ([name, value, best]) =>
      `<tr><th>${escapeXml(name)}</th><td>${escapeXml(value)}</td><td>${escapeXml(best)}</td></tr>`,
  );
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><title>mosaic-vae evaluation</title><style>
body{margin:0 auto;max-width:1180px;padding:32px 24px;font:15px/1.5 system-ui,sans-serif}
td,th{text-align:left;font-weight:400;padding-right:20px}figure{margin:0}figcaption{text-align:center}
.grid{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:24px;margin-top:24px}svg{width:100%;height:auto}.g{stroke:#8884}.l{fill:none;stroke:#2563a8;stroke-width:1.6}.p{fill:#2563a8}
</style></head><body><h1>Evaluation</h1><p>${escapeXml(report.verdict)}</p><table><tr><th></th><th>score</th><th>best</th></tr>${lines.join("")}</table><div class="grid">${figures.join("")}</div>${training}</body></html>
`;
}

/** What the scores of integration are, beside their names in the report. */
const INTEGRATION: Readonly<Record<keyof IntegrationScores, string>> = {
  labelSilhouette: "label silhouette: types lie apart",
  batchSilhouette: "batch silhouette: batches are mixed",
  iLisi: "iLISI: neighbours are of all batches",
  cLisi: "cLISI: neighbours are of one type",
  graphConnectivity: "graph connectivity: each type is one piece",
  kBet: "kBET: neighbours are of batches as all cells are",
  total: "all of these, 0.6 types + 0.4 batches",
};

/** What `perFeature` is the median of: only 0 and 1 have an average precision. */
export function perFeatureName(score: ImputationScore): string {
  return Number.isNaN(score.averagePrecision) ? "correlation" : "AUROC";
}

/** Name, value, and which value is best. */
function scoreLines(report: EvaluationReport): [name: string, value: string, best: string][] {
  const lines: [string, string, string][] = [["cells", String(report.cells), ""]];
  for (const [name, s] of Object.entries(report.labels))
    lines.push([`labels by neighbours, ${name}`, s.accuracy.toFixed(3), "1"]);
  for (const [name, s] of Object.entries(report.baselines))
    lines.push([`labels by neighbours, ${name} without a model`, s.accuracy.toFixed(3), "1"]);
  if (report.clusters)
    lines.push([
      "Leiden clusters against the labels: ARI, NMI",
      `${report.clusters.ari.toFixed(3)}, ${report.clusters.nmi.toFixed(3)}`,
      "1, 1",
    ]);
  for (const [name, value] of Object.entries(report.integration))
    if (!Number.isNaN(value))
      lines.push([`${INTEGRATION[name as keyof IntegrationScores]} (${name})`, value.toFixed(3), "1"]);
  for (const [pair, m] of Object.entries(report.matching))
    lines.push([
      `FOSCTTM ${pair}: cells nearer than the same cell`,
      m.foscttm.toFixed(3),
      "0; 0.5 by chance",
    ]);
  for (const [name, s] of Object.entries(report.imputation))
    lines.push(
      [`imputed ${name}: median of the features' ${perFeatureName(s)}`, s.perFeature.toFixed(3), "1"],
      [
        `imputed ${name}: RMSE, of the means of the training cells`,
        `${s.rmse.toFixed(3)}, ${s.rmseOfMeans.toFixed(3)}`,
        "0",
      ],
    );
  return lines;
}
