import { toIpc } from "@x/core";
import { type CliCommand, counted, option, writeFileAtomic, xError } from "@x/core/base";
import { isUsable } from "./artifact/artifact.ts";
import { descriptorKey } from "./artifact/identity.ts";
import { readArtifact } from "./artifact/read.ts";
import { withRows } from "./attach.ts";
import { commandText, tell, writeAll } from "./cli-fit.ts";
import { modelFacts } from "./cli-json.ts";
import { dataOf } from "./cli-options.ts";
import { compare } from "./compare.ts";
import { readModel } from "./model.ts";
import type { Prediction } from "./predict.ts";
import { reportHtml } from "./report/html.ts";

const NA = option.list("na", "texts that mean missing; NA and nothing by default", {
  value: "TEXTS",
});

/** `gam-warmstart predict`. */
export const predictCommand: CliCommand = {
  name: "predict",
  summary: "predictions of a model for the rows of a file",
  positionals: ["MODEL", "DATA"],
  files: [{ role: "input" }],
  options: [
    option.text("type", "linear predictor, mean, or each term's part", {
      choices: ["link", "response", "terms"],
      value: "link|response|terms",
      default: "response",
    }),
    option.flag("se", "standard errors too"),
    option.list("exclude", "terms to leave out, e.g. 's(id)'", { value: "TERMS" }),
    option.flag("unconditional", "standard errors account for the choice of smoothing parameters"),
    option.output("out", "writes there instead of standard output; .arrow as Arrow IPC, else CSV", {
      aliases: ["-o"],
    }),
    NA,
  ],
  examples: [
    "gam-warmstart predict model.json new.csv --type response --se",
    "gam-warmstart predict model.json new.csv --exclude 's(id)' --out p.arrow",
  ],
  async run(context) {
    const [path, data] = context.positionals as [string, string];
    const o = context.options;
    const model = readModel(path);
    const p = await model.predict(await dataOf(context, data), {
      type: o.type as "link",
      se: o.se === true,
      exclude: rejoinLabels((o.exclude as readonly string[] | undefined) ?? []),
      unconditional: o.unconditional === true,
      signal: context.signal,
      ...(context.threads === undefined ? {} : { threads: context.threads }),
    });
    tell(context, p.warnings);
    const out = o.out === undefined ? undefined : String(o.out);
    if (out !== undefined)
      await writeFileAtomic(out, /\.(arrow|feather)$/i.test(out) ? toIpc(p.table, "file") : csv(p));
    else if (!context.json) context.print(csv(p).trimEnd());
    return {
      rows: p.fit[0]?.length ?? 0,
      missing: p.missing,
      names: p.names,
      ...(out === undefined ? columns(p) : { files: [out] }),
      warnings: p.warnings,
    };
  },
};

const numbers = (v: Float64Array): (number | null)[] => Array.from(v, (x) => (Number.isNaN(x) ? null : x));
const columns = (p: Prediction): Record<string, unknown> => ({
  fit: p.fit.map(numbers),
  ...(p.se ? { se: p.se.map(numbers) } : {}),
  ...(p.constant === undefined ? {} : { constant: p.constant }),
});

/** A term's label may hold commas, at which a list option splits: `te(x,z)`. */
function rejoinLabels(pieces: readonly string[]): string[] {
  const out: string[] = [];
  for (const piece of pieces) {
    const last = out.at(-1);
    if (last !== undefined && last.split("(").length > last.split(")").length)
      out[out.length - 1] = `${last},${piece}`;
    else out.push(piece);
  }
  return out;
}

function csv(p: Prediction): string {
  const quote = (name: string): string => (/[",]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name);
  const one = p.names.length === 1 && p.names[0] === "fit";
  const head = [...p.names, ...(p.se ? p.names.map((n) => (one ? "se" : `se.${n}`)) : [])].map(quote);
  const all = [...p.fit, ...(p.se ?? [])];
  const text = (v: number): string => (Number.isNaN(v) ? "NA" : String(v));
  const rows = Array.from({ length: all[0]?.length ?? 0 }, (_, i) => all.map((c) => text(c[i]!)).join(","));
  return `${[head.join(","), ...rows].join("\n")}\n`;
}

/** `gam-warmstart summary`. */
export const summaryCommand: CliCommand = {
  name: "summary",
  summary: "the summary of a model file",
  positionals: ["MODEL"],
  options: [],
  examples: ["gam-warmstart summary model.json"],
  async run(context) {
    const model = readModel(context.positionals[0]!);
    if (!context.json) context.print(model.summary().trimEnd());
    return modelFacts(model);
  },
};

/** `gam-warmstart compare`. */
export const compareCommand: CliCommand = {
  name: "compare",
  summary: "two models of the same rows: analysis of deviance, AIC, BIC",
  positionals: ["MODEL_A", "MODEL_B"],
  options: [],
  examples: ["gam-warmstart compare small.json large.json"],
  async run(context) {
    const [a, b] = context.positionals as [string, string];
    const result = compare(readModel(a), readModel(b));
    if (!context.json) {
      context.print("model  resid.df     deviance        edf          AIC          BIC  formula");
      result.models.forEach((m, i) => {
        context.print(
          `${i + 1}      ${m.residualDf.toFixed(3).padStart(8)} ${m.deviance.toPrecision(8).padStart(12)} ${m.edf.toFixed(3).padStart(10)} ${m.aic.toFixed(4).padStart(12)} ${m.bic.toFixed(4).padStart(12)}  ${m.formula}`,
        );
      });
      const { test: t } = result;
      context.print(
        `difference: df ${t.df.toFixed(4)}, deviance ${t.deviance.toPrecision(6)}, ${t.statKind} ${t.stat.toPrecision(5)}, p ${Number.isNaN(t.p) ? "–" : t.p.toPrecision(4)}; ΔAIC ${result.deltaAic.toFixed(3)}`,
      );
    }
    return result;
  },
};

/** `gam-warmstart diagnose`. */
export const diagnoseCommand: CliCommand = {
  name: "diagnose",
  summary: "is each basis large enough, and can terms imitate each other",
  positionals: ["MODEL", "DATA"],
  files: [{ role: "input" }],
  random: true,
  options: [
    option.int("draws", "reshuffles behind each p-value", {
      range: { min: 10, max: 1e5 },
      default: 200,
      value: "N",
    }),
    NA,
  ],
  examples: ["gam-warmstart diagnose model.json data.csv"],
  async run(context) {
    const [path, data] = context.positionals as [string, string];
    const model = await withRows(readModel(path), await dataOf(context, data), { signal: context.signal });
    const basis = await model.basisCheck({ seed: context.seed ?? 0, draws: Number(context.options.draws) });
    const concurvity = await model.concurvity();
    if (!context.json) {
      const wide =
        Math.max(8, ...concurvity.map((r) => r.label.length), ...basis.map((r) => r.label.length)) + 2;
      context.print(`${"term".padEnd(wide)}    k'      edf  k-index  p-value`);
      for (const r of basis)
        context.print(
          `${r.label.padEnd(wide)}${r.kPrime.toFixed(0).padStart(6)} ${r.edf.toFixed(3).padStart(8)} ${r.kIndex?.toFixed(3).padStart(8) ?? "       –"} ${r.p?.toFixed(3).padStart(8) ?? "       –"}`,
        );
      context.print(`\n${"concurvity".padEnd(wide)}  worst observed estimate`);
      for (const r of concurvity)
        context.print(
          `${r.label.padEnd(wide)}${r.worst.toFixed(4).padStart(7)} ${r.observed.toFixed(4).padStart(8)} ${r.estimate.toFixed(4).padStart(8)}`,
        );
    }
    return { basis, concurvity, certificate: model.certificate };
  },
};

/** `gam-warmstart report`. */
export const reportCommand = (argv: readonly string[]): CliCommand => ({
  name: "report",
  summary: "the HTML report of a model; with its data also residuals",
  positionals: ["MODEL", "[DATA]"],
  files: [{ role: "input" }],
  options: [
    option.output("out", "where to write the page", { aliases: ["-o"], required: true }),
    option.text("title", "title of the page", { value: "TEXT" }),
    NA,
  ],
  examples: ["gam-warmstart report model.json data.csv --out report.html"],
  async run(context) {
    const [path, data] = context.positionals;
    const read = readModel(path!);
    const model =
      data === undefined
        ? read
        : await withRows(read, await dataOf(context, data), { signal: context.signal });
    const title = context.options.title;
    const page = await reportHtml(model, {
      command: commandText(argv),
      ...(title === undefined ? {} : { title: String(title) }),
    });
    return { files: await writeAll([[String(context.options.out), () => page]], context.signal) };
  },
});

/** `gam-warmstart artifact`. */
export const artifactCommand: CliCommand = {
  name: "artifact",
  summary: "what an artifact holds; a bad one is refused with its code",
  positionals: ["FILE"],
  options: [option.flag("key", "print the descriptor key alone")],
  examples: ["gam-warmstart artifact parent.artifact.json"],
  async run(context) {
    const a = readArtifact(context.positionals[0]!);
    if (descriptorKey(a.descriptor) !== a.key)
      throw xError("ARTIFACT_HASH", "the key does not fit the descriptor");
    if (!context.json && context.options.key === true) context.print(a.key);
    else if (!context.json) {
      const { family } = a.descriptor;
      context.print(`key        ${a.key}`);
      context.print(
        `family     ${family.kind}(${family.link}), ${counted(family.channels, "predictor")}; response ${a.descriptor.response}`,
      );
      context.print(
        `fit        objective ${a.global.objective}, ${a.global.rows} rows, ${a.global.converged ? "converged" : "not converged"}; ${isUsable(a) ? "usable" : "not usable"}`,
      );
      context.print(
        `created    ${a.created === null ? "not recorded" : new Date(a.created * 1000).toISOString()}`,
      );
      for (const t of a.terms)
        context.print(
          `term       ${t.name}  ${t.basis.kind}  ${t.role}  ${t.beta.length} coefficients  rho ${t.rho.map((r) => r.toFixed(3)).join(", ") || "–"}`,
        );
    }
    return {
      key: a.key,
      created: a.created,
      descriptor: a.descriptor,
      usable: isUsable(a),
      global: a.global,
      terms: a.terms.map(({ beta, ...t }) => ({ ...t, coefficients: beta.length })),
    };
  },
};
