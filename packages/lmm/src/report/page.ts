import { escapeXml, formatG, PAGE_STYLE, type StageUsage, type Warning } from "@x/core/base";
import type { PlinkStudy } from "@x/plink-io";
import { type Cohort, dropCounts } from "../cohort.ts";
import { HIGH_INFLATION } from "../collinearity.ts";
import { shortName } from "../column-names.ts";
import type { Diagnostics } from "../diagnostics.ts";
import type { FilterCounts, FilterOptions } from "../filter.ts";
import { simdLevel } from "../native.ts";
import { describeFailed, describeProblems } from "../variant-problems.ts";
import { VERSION } from "../version.ts";
import { manhattanSvg } from "./manhattan.ts";
import { pHtml } from "./p-value.ts";
import { genomicInflation, qqSvg } from "./qq.ts";

const TOP_HITS = 20;

/** The tests by name. */
export const TEST_NAMES = { wald: "Wald test", lrt: "likelihood ratio test", score: "score test" } as const;

/** What a page shows; texts are HTML already unless said otherwise. */
export interface ReportPage {
  readonly study: Pick<PlinkStudy, "paths" | "bim">;
  /** Plain text; by default it names the fileset. */
  readonly title: string | undefined;
  readonly subtitle: string;
  /** Label, value and note of what the model says in one number each. */
  readonly cards: ReadonlyArray<readonly [label: string, value: string, note: string]>;
  readonly nullModel: string;
  /** Rows of the .bim that were tested, and −log₁₀ p of the test shown. */
  readonly index: Uint32Array;
  readonly negLog10P: Float64Array;
  /** Columns of effects of the variants with the smallest p, by place in `index`. */
  readonly hits: {
    readonly af: Float64Array;
    readonly head: readonly string[];
    readonly cells: (place: number) => string[];
  };
  readonly filters: FilterCounts;
  readonly degenerate: number;
  readonly options: FilterOptions;
  readonly cohort: Cohort;
  readonly diagnostics: Diagnostics;
  readonly warnings: readonly Warning[];
  readonly stages: readonly StageUsage[];
  readonly predictedBytes: number;
  readonly threads: number;
  /** Plain text. */
  readonly command: string;
}

/** One self-contained HTML file: no network, no script. */
export function pageHtml(page: ReportPage): string {
  const { study, index, negLog10P, cohort } = page;
  const pick = <T>(values: ArrayLike<T>): T[] => Array.from(index, (row) => values[row]!);
  const chrom = pick(study.bim.chrom);
  const data = { chrom, pos: pick(study.bim.pos), id: pick(study.bim.id), negLog10P };
  const name = study.paths.bed.replace(/^.*[/\\]/, "").replace(/\.bed$/, "");
  const title = page.title ?? `GWAS of ${name}`;
  const significant = negLog10P.reduce((count, v) => count + (v >= -Math.log10(5e-8) ? 1 : 0), 0);
  const lambda = genomicInflation(negLog10P);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="color-scheme" content="light dark"><title>${escapeXml(title)}</title>${PAGE_STYLE}</head><body><main>
<header><h1>${escapeXml(title)}</h1><p>${page.subtitle}</p></header>
<section class="cards">${[
    ["people analysed", int(cohort.analyzed.length), `of ${int(cohort.samples)}`],
    ["variants tested", int(page.filters.kept), `of ${int(page.filters.total)}`],
    ...page.cards,
    ["inflation λ<sub>GC</sub>", lambda.toFixed(3), "median test"],
    ["p &lt; 5e-8", int(significant), significant === 1 ? "variant" : "variants"],
  ]
    .map(([label, value, note]) => `<div><span>${label}</span><b>${value}</b><small>${note}</small></div>`)
    .join("")}</section>
<figure><div class="wide">${manhattanSvg(data, { title: `Manhattan plot of ${name}` })}</div><div class="narrow">${manhattanSvg(data, { title: `Manhattan plot of ${name}`, width: 400, height: 300 })}</div><figcaption>Dashed: 5 × 10<sup>−8</sup>. Dotted: 10<sup>−5</sup>. Each dot is a variant; where many weak ones (p &gt; 0.01) fall on one pixel, one is drawn.</figcaption></figure>
<div class="pair"><figure>${qqSvg(negLog10P, { title: `QQ plot of ${name}`, width: 560, height: 430 })}<figcaption>Observed against expected p values; the band holds 95 % of each rank if nothing were associated.</figcaption></figure>
<section><h2>Null model</h2>${page.nullModel}</section></div>
<section><h2>Top hits</h2>${hitsTable(page)}</section>
<div class="pair"><section><h2>Variants</h2>${filterTable(page)}</section><section><h2>People</h2>${peopleTable(page)}</section></div>
<section><h2>Diagnostics</h2>${diagnosticsTable(page)}</section>
${warningList(page)}
<section><h2>Time and memory</h2>${stageTable(page)}</section>
<section><h2>To repeat</h2><pre>${escapeXml(page.command)}</pre>
<p class="soft">@x/lmm ${VERSION} · Node ${process.versions.node} · kernels ${simdLevel()} · ${page.threads} threads · people ${cohort.sampleHash.slice(0, 16)} · made ${new Date().toISOString().slice(0, 16).replace("T", " ")} UTC. Results do not depend on threads or block size.</p></section>
</main></body></html>
`;
}

/** A whole number with commas. */
export const int = (x: number): string => x.toLocaleString("en-US");
/** A number of a few digits. */
export const g = (x: number, digits = 4): string => formatG(x, digits).replaceAll("-", "−");

/** A table of cells that are HTML already. */
export function table(
  head: readonly string[],
  rows: ReadonlyArray<readonly string[]>,
  className = "",
): string {
  const th = head.length > 0 ? `<thead><tr>${head.map((h) => `<th>${h}</th>`).join("")}</tr></thead>` : "";
  return `<div class="scroll"><table class="${className}">${th}<tbody>${rows
    .map((row) => `<tr>${row.map((cell) => `<td>${cell}</td>`).join("")}</tr>`)
    .join("")}</tbody></table></div>`;
}

function hitsTable({ study, index, negLog10P, hits }: ReportPage): string {
  const order = Array.from(index.keys())
    .filter((i) => Number.isFinite(negLog10P[i]!))
    .sort((a, b) => negLog10P[b]! - negLog10P[a]! || a - b)
    .slice(0, TOP_HITS);
  const { bim } = study;
  return table(
    ["chr", "variant", "position", "A1 / A0", "af", ...hits.head, "p"],
    order.map((i) => {
      const row = index[i]!;
      const short = (text: string): string => escapeXml(text.length > 18 ? `${text.slice(0, 17)}…` : text);
      return [
        escapeXml(bim.chrom[row]!),
        short(bim.id[row]!),
        bim.pos[row]! > 0 ? int(bim.pos[row]!) : "unknown",
        `${short(bim.a1[row]!)} / ${short(bim.a2[row]!)}`,
        hits.af[i]!.toFixed(3),
        ...hits.cells(i),
        pHtml(negLog10P[i]!),
      ];
    }),
    "hits",
  );
}

function filterTable({ filters: f, degenerate, options }: ReportPage): string {
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

function diagnosticsTable({ diagnostics: d, cohort }: ReportPage): string {
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

function peopleTable({ cohort }: ReportPage): string {
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

function stageTable({ stages, predictedBytes }: ReportPage): string {
  const mb = (bytes: number): string => int(Math.round(bytes / 1e6));
  const peak = Math.max(0, ...stages.map((s) => s.peakRssBytes));
  const rows = stages.map((s) => [
    s.stage,
    s.wallSeconds.toFixed(2),
    s.cpuSeconds.toFixed(2),
    mb(s.rssBytes),
    mb(s.peakRssBytes),
  ]);
  return `${table(["stage", "wall s", "CPU s", "memory MB", "peak MB"], rows, "hits")}<p class="soft">Predicted peak ${mb(predictedBytes)} MB, measured ${mb(peak)} MB.</p>`;
}

function warningList({ warnings }: ReportPage): string {
  if (warnings.length === 0) return "";
  return `<section><h2>Warnings</h2><ul>${warnings.map((w) => `<li><code>${escapeXml(w.code)}</code> ${escapeXml(w.message)}</li>`).join("")}</ul></section>`;
}
