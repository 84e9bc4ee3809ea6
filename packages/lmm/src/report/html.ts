import { escapeXml, formatG, PAGE_STYLE } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import { leadingTest } from "../association-columns.ts";
import { dropCounts } from "../cohort.ts";
import { HIGH_INFLATION } from "../collinearity.ts";
import { shortName } from "../column-names.ts";
import type { GwasOptions, GwasResult } from "../gwas-options.ts";
import { simdLevel } from "../native.ts";
import { describeFailed, describeProblems } from "../variant-problems.ts";
import { VERSION } from "../version.ts";
import { manhattanSvg } from "./manhattan.ts";
import { pHtml } from "./p-value.ts";
import { genomicInflation, qqSvg } from "./qq.ts";

const TOP_HITS = 20;
const TEST_NAMES = { wald: "Wald test", lrt: "likelihood ratio test", score: "score test" } as const;

/** The page a run leaves behind: one self-contained HTML file, no network, no script. */
export function reportHtml(
  study: PlinkStudy,
  result: GwasResult,
  options: GwasOptions & { threads: number; command: string },
): string {
  const { columns, cohort } = result;
  const { test, negLog10P } = leadingTest(columns);
  const pick = <T>(values: ArrayLike<T>): T[] => Array.from(columns.index, (row) => values[row]!);
  const chrom = pick(study.bim.chrom);
  const data = { chrom, pos: pick(study.bim.pos), id: pick(study.bim.id), negLog10P };
  const name = study.paths.bed.replace(/^.*[/\\]/, "").replace(/\.bed$/, "");
  const title = options.title ?? `GWAS of ${name}`;
  const significant = negLog10P.reduce((count, v) => count + (v >= -Math.log10(5e-8) ? 1 : 0), 0);
  const lambda = genomicInflation(negLog10P);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><title>${escapeXml(title)}</title>${PAGE_STYLE}</head><body><main>
<header><h1>${escapeXml(title)}</h1><p>${escapeXml(cohort.phenotypeName)} · univariate linear mixed model, ${TEST_NAMES[test]}${cohort.environment ? " of the interaction with the environment" : ""}${result.chromosomes ? ", the tested variant’s chromosome left out of its kinship; the null model is that of all chromosomes" : ""}</p></header>
<section class="cards">${[
    ["people analysed", int(cohort.analyzed.length), `of ${int(cohort.samples)}`],
    ["variants tested", int(result.filters.kept), `of ${int(result.filters.total)}`],
    ["heritability (pve)", result.nullModel.pve.toFixed(3), `± ${result.nullModel.pveSe.toFixed(3)}`],
    ["inflation λ<sub>GC</sub>", lambda.toFixed(3), "median test"],
    ["p &lt; 5e-8", int(significant), significant === 1 ? "variant" : "variants"],
  ]
    .map(([label, value, note]) => `<div><span>${label}</span><b>${value}</b><small>${note}</small></div>`)
    .join("")}</section>
<figure><div class="wide">${manhattanSvg(data, { title: `Manhattan plot of ${name}` })}</div><div class="narrow">${manhattanSvg(data, { title: `Manhattan plot of ${name}`, width: 400, height: 300 })}</div><figcaption>Dashed: 5 × 10<sup>−8</sup>. Dotted: 10<sup>−5</sup>. Each dot is a variant; where many weak ones (p &gt; 0.01) fall on one pixel, one is drawn.</figcaption></figure>
<div class="pair"><figure>${qqSvg(negLog10P, { title: `QQ plot of ${name}`, width: 560, height: 430 })}<figcaption>Observed against expected p values; the band holds 95 % of each rank if nothing were associated.</figcaption></figure>
<section><h2>Null model</h2>${nullTable(result)}</section></div>
<section><h2>Top hits</h2>${hitsTable(study, result)}</section>
<div class="pair"><section><h2>Variants</h2>${filterTable(result, options)}</section><section><h2>People</h2>${peopleTable(result)}</section></div>
<section><h2>Diagnostics</h2>${diagnosticsTable(result)}</section>
${warningList(result)}
<section><h2>Time and memory</h2>${stageTable(result)}</section>
<section><h2>To repeat</h2><pre>${escapeXml(options.command)}</pre>
<p class="soft">@x/lmm ${VERSION} · Node ${process.versions.node} · kernels ${simdLevel()} · ${options.threads} threads · people ${cohort.sampleHash.slice(0, 16)} · made ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC. Results do not depend on threads or block size.</p></section>
</main></body></html>
`;
}

const int = (x: number): string => x.toLocaleString("en-US");
const g = (x: number, digits = 4): string => formatG(x, digits).replaceAll("-", "−");

function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>, className = ""): string {
  const th = head.length > 0 ? `<thead><tr>${head.map((h) => `<th>${h}</th>`).join("")}</tr></thead>` : "";
  return `<div class="scroll"><table class="${className}">${th}<tbody>${rows
    .map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join("")}</tr>`)
    .join("")}</tbody></table></div>`;
}

function hitsTable(study: PlinkStudy, { columns }: GwasResult): string {
  const { negLog10P } = leadingTest(columns);
  const order = Array.from(columns.index.keys())
    .filter((i) => Number.isFinite(negLog10P[i]!))
    .sort((a, b) => negLog10P[b]! - negLog10P[a]! || a - b)
    .slice(0, TOP_HITS);
  const { bim } = study;
  return table(
    ["chr", "variant", "position", "A1 / A0", "af", "effect of A1", "se", "p"],
    order.map((i) => {
      const row = columns.index[i]!;
      const short = (text: string): string => escapeXml(text.length > 18 ? `${text.slice(0, 17)}…` : text);
      return [
        escapeXml(bim.chrom[row]!),
        short(bim.id[row]!),
        bim.pos[row]! > 0 ? int(bim.pos[row]!) : "unknown",
        `${short(bim.a1[row]!)} / ${short(bim.a2[row]!)}`,
        columns.af[i]!.toFixed(3),
        g(columns.beta[i]!),
        g(columns.se[i]!),
        pHtml(negLog10P[i]!),
      ];
    }),
    "hits",
  );
}

function nullTable({ nullModel: h0, cohort }: GwasResult): string {
  const pm = "±";
  return table(
    [],
    [
      ["share of variance explained (pve)", `${g(h0.pve)} ${pm} ${g(h0.pveSe)}`],
      ["genetic variance v<sub>g</sub>", g(h0.vg, 6)],
      ["residual variance v<sub>e</sub>", g(h0.ve, 6)],
      ["λ = v<sub>g</sub>/v<sub>e</sub>", g(h0.lambda.reml, 6)],
      ["log-likelihood REML", g(h0.logLik.reml, 6)],
      ["log-likelihood ML", g(h0.logLik.mle, 6)],
      ...Array.from(h0.beta, (beta, j) => [
        escapeXml(shortName(cohort.covariateNames[j]!)),
        `${g(Math.abs(beta) < 1e-9 * h0.betaSe[j]! ? 0 : beta)} ${pm} ${g(h0.betaSe[j]!)}`,
      ]),
    ],
    "facts",
  );
}

function filterTable({ filters: f, degenerate }: GwasResult, options: GwasOptions): string {
  return table(
    [],
    [
      ["read", int(f.total)],
      ...(f.notListed > 0 ? [["not in the list", int(f.notListed)]] : []),
      [`missing calls above ${options.miss ?? 0.05}`, int(f.missing)],
      options.maf === -1
        ? ["allele frequency", "not tested"]
        : [`allele frequency below ${options.maf ?? 0.01}`, int(f.maf)],
      ["one genotype class", int(f.monomorphic + f.heterozygous)],
      ...(f.hwe > 0 ? [["Hardy-Weinberg", int(f.hwe)]] : []),
      ...(f.covariates > 0 ? [["explained by covariates", int(f.covariates)]] : []),
      ["<b>tested</b>", `<b>${int(f.kept)}</b>`],
      ...(degenerate > 0 ? [["without an estimate", int(degenerate)]] : []),
    ],
    "facts",
  );
}

function diagnosticsTable({ diagnostics: d, cohort }: GwasResult): string {
  const { kinship: k } = d;
  const problems = describeProblems(d.problems);
  const pairs = (k.twins?.pairs ?? [])
    .slice(0, 5)
    .map((p) => `${escapeXml(p.firstId)} = ${escapeXml(p.secondId)}`);
  return table(
    [],
    [
      ["kinship eigenvalues, smallest above 0 to largest", `${g(k.smallestPositive)} to ${g(k.largest)}`],
      ["zero, negative eigenvalues", `${int(k.zeros)}, ${int(k.negative)}`],
      ["share of the largest", `${(100 * k.largestShare).toFixed(1)} %`],
      ...(k.twins === undefined
        ? []
        : [
            [
              "pairs with equal genotypes",
              `${int(k.twins.count)}${pairs.length > 0 ? ` (${pairs.join(", ")}${k.twins.count > pairs.length ? ", …" : ""})` : ""}`,
            ],
          ]),
      ...cohort.categories.map(({ name, reference, levels }) => [
        escapeXml(`categories of ${shortName(name)}`),
        escapeXml(
          levels
            .map((l) => `${l.level}${l.level === reference ? " (reference)" : ""}: ${int(l.people)}`)
            .join(", "),
        ),
      ]),
      ...d.covariates
        .filter((c) => c.nearest !== undefined)
        .map((c) => [
          escapeXml(`variance inflation of ${shortName(c.name)}`),
          `${g(c.inflation)}${c.inflation > HIGH_INFLATION ? `, nearly a sum of others (nearest ${escapeXml(c.nearest!)})` : ""}`,
        ]),
      ...(problems.length === 0
        ? [["variants with a problem", "0"]]
        : problems.map((text) => ["variants", escapeXml(text)])),
      ...describeFailed(d.failed, d.problems).map((line) => ["failed variants", escapeXml(line)]),
    ],
    "facts",
  );
}

function peopleTable({ cohort }: GwasResult): string {
  return table(
    [],
    [
      ["in the fileset", int(cohort.samples)],
      ...Object.entries(dropCounts(cohort)).map(([reason, count]) => [reason, int(count!)]),
      ["<b>analysed</b>", `<b>${int(cohort.analyzed.length)}</b>`],
      ["covariates", escapeXml(cohort.covariateNames.map(shortName).join(", "))],
    ],
    "facts",
  );
}

function stageTable({ stages, plan }: GwasResult): string {
  const mb = (bytes: number): string => int(Math.round(bytes / 1e6));
  const peak = Math.max(0, ...stages.map((s) => s.peakRssBytes));
  const rows = stages.map((s) => [
    s.stage,
    s.wallSeconds.toFixed(2),
    s.cpuSeconds.toFixed(2),
    mb(s.rssBytes),
    mb(s.peakRssBytes),
  ]);
  return `${table(["stage", "wall s", "CPU s", "memory MB", "peak MB"], rows, "hits")}<p class="soft">Predicted peak ${mb(plan.memory.total)} MB, measured ${mb(peak)} MB.</p>`;
}

function warningList({ warnings }: GwasResult): string {
  if (warnings.length === 0) return "";
  return `<section><h2>Warnings</h2><ul>${warnings.map((w) => `<li><code>${escapeXml(w.code)}</code> ${escapeXml(w.message)}</li>`).join("")}</ul></section>`;
}
