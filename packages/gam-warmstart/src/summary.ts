import { formatG } from "@x/core/base";
import { linkOf } from "./family.ts";
import type { GamModel } from "./model.ts";

const g = (x: number, digits = 5): string => (Number.isFinite(x) ? formatG(x, digits) : "NA");

/** R's four significant digits, never more than five decimals. */
function column(values: readonly number[], digits = 4): string[] {
  const finite = values.filter(Number.isFinite);
  const least = Math.min(...finite.map((v) => Math.abs(v)).filter((v) => v > 0));
  const most = Math.max(...finite.map((v) => Math.abs(v)));
  if (finite.length === 0 || most === 0) return values.map((v) => (Number.isFinite(v) ? "0" : "NA"));
  if (most >= 1e6 || (least < 1e-5 && most < 1e-3)) return values.map((v) => g(v, digits));
  const decimals = Math.min(
    5,
    Math.max(0, digits - 1 - Math.floor(Math.log10(Math.max(least, most * 1e-4)))),
  );
  return values.map((v) => (Number.isFinite(v) ? v.toFixed(decimals) : "NA"));
}

function pText(p: number): string {
  if (!Number.isFinite(p)) return "NA";
  if (p < 2e-16) return "<2e-16";
  return p < 1e-4 ? g(p, 3) : p.toFixed(p < 0.001 ? 6 : 5);
}

const stars = (p: number): string =>
  p < 0.001 ? "***" : p < 0.01 ? "**" : p < 0.05 ? "*" : p < 0.1 ? "." : "";
const LEGEND = "---\nSignif. codes:  0 '***' 0.001 '**' 0.01 '*' 0.05 '.' 0.1 ' ' 1";

function table(
  head: readonly string[],
  names: readonly string[],
  columns: readonly (readonly string[])[],
  marks: readonly string[],
): string {
  const nameWidth = Math.max(0, ...names.map((n) => n.length));
  const widths = columns.map((c, j) => Math.max(head[j]!.length, ...c.map((v) => v.length)));
  const first = `${" ".repeat(nameWidth)} ${head.map((h, j) => h.padStart(widths[j]!)).join(" ")}`;
  const rows = names.map((n, i) =>
    `${n.padEnd(nameWidth)} ${columns.map((c, j) => c[i]!.padStart(widths[j]!)).join(" ")} ${marks[i]}`.trimEnd(),
  );
  return [first, ...rows].join("\n");
}

/** The text of `model.summary()`. */
export function summaryText(model: GamModel): string {
  const { summary: s, spec } = model.parts;
  const lines: string[] = [
    "",
    `Family: ${s.family}${thetaText(model)}`,
    `Link function: ${linkOf(spec.family)}`,
    "",
    "Formula:",
    ...model.formulas,
    "",
  ];
  const { parametric, terms } = model;
  let anyStars = false;
  if (parametric.length > 0) {
    const kind = parametric[0]!.statKind;
    anyStars = true;
    lines.push("Parametric coefficients:");
    lines.push(
      table(
        ["Estimate", "Std. Error", `${kind} value`, `Pr(>|${kind}|)`],
        parametric.map((c) => c.name),
        [
          column(parametric.map((c) => c.estimate)),
          column(parametric.map((c) => c.se)),
          parametric.map((c) => fixed(c.stat, 3)),
          parametric.map((c) => pText(c.p)),
        ],
        parametric.map((c) => stars(c.p)),
      ),
    );
    lines.push(LEGEND, "");
  }
  if (terms.length > 0) {
    lines.push("Approximate significance of smooth terms:");
    lines.push(
      table(
        ["edf", "Ref.df", terms[0]!.statKind, "p-value"],
        terms.map((t) => t.label),
        [
          terms.map((t) => fixed(t.edf, 3)),
          terms.map((t) => fixed(t.refDf, 3)),
          terms.map((t) => fixed(t.stat, 3)),
          terms.map((t) => pText(t.p)),
        ],
        terms.map((t) => stars(t.p)),
      ),
    );
    if (!anyStars || terms.some((t) => stars(t.p) !== "")) lines.push(LEGEND);
    lines.push("");
  }
  const share: string[] = [];
  if (s.rSqAdj !== null) share.push(`R-sq.(adj) = ${g(s.rSqAdj, 3).padStart(6)}`);
  if (s.devExplained !== null) share.push(`Deviance explained = ${g(100 * s.devExplained, 3)}%`);
  if (share.length > 0) lines.push(share.join("   "));
  const criterion = s.method === "GCV" ? (s.scaleEstimated ? "GCV" : "UBRE") : `-${s.method}`;
  lines.push(`${criterion} = ${g(s.criterion)}  Scale est. = ${g(s.scale)}  n = ${s.n}`);
  const { total, used } = model.rows;
  if (used < total) lines.push(`${total - used} of ${total} rows have a missing value and were not used`);
  return `${lines.join("\n")}\n`;
}

const fixed = (x: number, digits: number): string => (Number.isFinite(x) ? x.toFixed(digits) : "NA");

function thetaText(model: GamModel): string {
  const { theta } = model.parts.summary;
  return theta.length === 0 ? "" : `(${theta.map((t) => fixed(t, 3)).join(",")})`;
}
