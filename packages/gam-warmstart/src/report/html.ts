import { escapeXml, formatG, PAGE_STYLE } from "@x/core/base";
import type { CrossFit } from "../cross-fit.ts";
import { familyText } from "../family.ts";
import type { GamModel } from "../model.ts";
import { simdLevel } from "../native.ts";
import { effectSvg } from "../plot/effect.ts";
import { type ResidualPanel, residualSvg } from "../plot/residuals.ts";
import { VERSION } from "../version.ts";

/** Options of `reportHtml`. */
export interface ReportOptions {
  /** Heading of the page. */
  readonly title?: string;
  /** What to run to get this page again. */
  readonly command?: string;
  /** Adds the table of folds. */
  readonly crossFit?: CrossFit;
  /** Seconds since 1970 to print; the clock where absent, nothing with null. */
  readonly created?: number | null;
}

const PANELS: readonly ResidualPanel[] = ["qq", "linear-predictor", "histogram", "response"];

/**
 * The page a fit leaves behind: one self-contained HTML file, no network, no script. Partial effects with bands, residual
 * panels (right after `fit` only), tables, certificate, and the folds of a cross-fit.
 */
export async function reportHtml(model: GamModel, options: ReportOptions = {}): Promise<string> {
  const { summary: s, spec } = model.parts;
  const title = options.title ?? `GAM of ${spec.formulas[0]!.response!.label}`;
  const { certificate: c, iterations } = model;
  const effects = await effectFigures(model);
  const residuals = model.parts.rowsData ? await Promise.all(PANELS.map((p) => residualSvg(model, p))) : [];
  const made = options.created === undefined ? Math.floor(Date.now() / 1000) : options.created;
  const when =
    made === null ? "" : ` · made ${new Date(made * 1000).toISOString().slice(0, 16).replace("T", " ")} UTC`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><title>${escapeXml(title)}</title>${PAGE_STYLE}</head><body><main>
<header><h1>${escapeXml(title)}</h1><p>${model.formulas.map(escapeXml).join("<br>")}<br>${escapeXml(familyText(spec.family))}, ${spec.method}</p></header>
<section class="cards">${cards([
    ["rows used", int(model.rows.used), `of ${int(model.rows.total)}`],
    ["effective degrees of freedom", model.edf.toFixed(2), `${model.coefficientNames.length} coefficients`],
    [
      "deviance explained",
      s.devExplained === null ? "–" : `${(100 * s.devExplained).toFixed(1)} %`,
      s.rSqAdj === null ? "" : `R² adj. ${s.rSqAdj.toFixed(3)}`,
    ],
    [
      s.method === "GCV" ? "GCV / UBRE" : `−${s.method}`,
      g(model.criterion, 6),
      `gradient ${g(c.gradient, 2)}`,
    ],
    ["scale", g(model.scale), s.scaleEstimated ? "estimated" : "known"],
  ])}</section>
<section><h2>Smooth terms</h2>${smoothTable(model)}</section>
${effects.length > 0 ? `<section><h2>Partial effects</h2>${pairs(effects)}<p class="soft">Dark: 95 % for each point. Light: holds the whole curve with 95 %.</p></section>` : ""}
<section><h2>Parametric coefficients</h2>${parametricTable(model)}</section>
${residuals.length > 0 ? `<section><h2>Residuals</h2>${pairs(residuals)}</section>` : ""}
${options.crossFit ? foldSection(options.crossFit) : ""}
<div class="pair"><section><h2>Rows</h2>${rowsTable(model)}</section><section><h2>Certificate</h2>${facts([
    ["largest gradient", g(c.gradient, 3)],
    ["smallest curvature", c.curvature === null ? "–" : g(c.curvature, 3)],
    ["inner score", g(c.innerScore, 3)],
    ["smoothing parameters at infinity", String(c.infinite.length)],
    ["outer iterations", int(iterations.outer)],
    ["criterion evaluations", int(iterations.criterionEvaluations)],
    ["start", model.start.kind + (model.start.reason ? ` (${model.start.reason})` : "")],
  ])}</section></div>
<section><h2>To repeat</h2><pre>${escapeXml(options.command ?? repeatText(model))}</pre>
<p class="soft">@x/gam-warmstart ${VERSION} · Node ${process.versions.node} · kernels ${escapeXml(simdLevel())}${when}. Results do not depend on threads.</p></section>
</main></body></html>
`;
}

async function effectFigures(model: GamModel): Promise<string[]> {
  const figures: string[] = [];
  for (const t of model.terms) {
    try {
      figures.push(await effectSvg(model, t.label));
    } catch (e) {
      if ((e as { code?: string }).code !== "NOT_SUPPORTED") throw e; // a smooth of three variables has no picture
    }
  }
  return figures;
}

function repeatText(model: GamModel): string {
  const formula =
    model.formulas.length === 1 ? JSON.stringify(model.formulas[0]) : JSON.stringify(model.formulas);
  return `fit(${formula}, data, { family: ${familyText(model.parts.spec.family)}, method: "${model.parts.spec.method}" })`;
}

const int = (x: number): string => x.toLocaleString("en-US");
const g = (x: number, digits = 4): string =>
  Number.isFinite(x) ? formatG(x, digits).replaceAll("-", "−") : "–";
const pText = (p: number): string => (Number.isFinite(p) ? (p < 2e-16 ? "&lt; 2e−16" : g(p, 3)) : "–");

const cards = (list: readonly (readonly [string, string, string])[]): string =>
  list
    .map(([label, value, note]) => `<div><span>${label}</span><b>${value}</b><small>${note}</small></div>`)
    .join("");

function table(head: readonly string[], rows: readonly (readonly string[])[], className: string): string {
  const th = head.length > 0 ? `<thead><tr>${head.map((h) => `<th>${h}</th>`).join("")}</tr></thead>` : "";
  return `<div class="scroll"><table class="${className}">${th}<tbody>${rows.map((r) => `<tr>${r.map((c) => `<td>${c}</td>`).join("")}</tr>`).join("")}</tbody></table></div>`;
}

const facts = (rows: readonly (readonly [string, string])[]): string => table([], rows, "facts");

const pairs = (figures: readonly string[]): string =>
  Array.from(
    { length: Math.ceil(figures.length / 2) },
    (_, i) =>
      `<div class="pair">${figures
        .slice(2 * i, 2 * i + 2)
        .map((f) => `<figure>${f}</figure>`)
        .join("")}</div>`,
  ).join("");

function smoothTable(model: GamModel): string {
  if (model.terms.length === 0) return `<p class="soft">none</p>`;
  return table(
    ["term", "edf", "Ref.df", model.terms[0]!.statKind, "p", "log λ"],
    model.terms.map((t) => [
      escapeXml(t.label),
      t.edf.toFixed(3),
      g(t.refDf),
      g(t.stat),
      pText(t.p),
      t.rho.map((r) => r.toFixed(2).replace("-", "−")).join(", "),
    ]),
    "hits",
  );
}

function parametricTable(model: GamModel): string {
  if (model.parametric.length === 0) return `<p class="soft">none</p>`;
  return table(
    ["coefficient", "estimate", "se", model.parametric[0]!.statKind, "p"],
    model.parametric.map((c) => [escapeXml(c.name), g(c.estimate), g(c.se), g(c.stat), pText(c.p)]),
    "hits",
  );
}

function rowsTable(model: GamModel): string {
  const { total, used, missing } = model.rows;
  return facts([
    ["in the data", int(total)],
    ...Object.entries(missing).map(([name, n]) => [`${escapeXml(name)} missing`, int(n)] as const),
    ["<b>used</b>", `<b>${int(used)}</b>`],
  ]);
}

function foldSection(cv: CrossFit): string {
  const measure = Number.isNaN(cv.score.logLoss) ? "mse" : "logLoss";
  const rows = cv.folds.map((f) => [
    escapeXml(f.name),
    int(f.rows),
    int(f.heldOut),
    g(f.criterion, 6),
    g(f.score[measure]),
    f.edf.reduce((a, b) => a + b, 0).toFixed(2),
    int(f.warm.criterionEvaluations),
    f.cold ? int(f.cold.criterionEvaluations) : "–",
    int(f.warm.inner),
    f.cold ? int(f.cold.inner) : "–",
  ]);
  const head = [
    "fold",
    "rows",
    "held out",
    "criterion",
    measure === "mse" ? "mean squared error" : "log loss",
    "edf",
    "evaluations warm",
    "cold",
    "inner warm",
    "cold",
  ];
  const saved = cv.cost.cold
    ? ` The warm start took ${int(cv.cost.warm.criterionEvaluations)} criterion evaluations, the cold one ${int(cv.cost.cold.criterionEvaluations)}.`
    : "";
  return `<section><h2>Folds</h2>${table(head, rows, "hits")}<p class="soft">Over all held-out rows: ${g(cv.score[measure])}.${saved}</p></section>`;
}
