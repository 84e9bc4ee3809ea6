import { type CliCommand, type CliContext, memoryLimit, option } from "@x/core/base";
import { type GwasPlan, planGwas, ROUTES, type RouteChoice, type RoutePlan, requirePlan } from "./plan.ts";

/** `--route` of the verbs that have it. */
export const ROUTE_OPTION: CliCommand["options"][number] = option.text(
  "route",
  "people × people as GEMMA, or kinship variants × kinship variants: the same numbers",
  { choices: [...ROUTES], default: "auto", value: "auto|primal|dual" },
);

/** `lmm plan`: what a study of a size needs, without doing it. */
export const planCommand: CliCommand = {
  name: "plan",
  summary: "memory and rough time of a study of a given size",
  options: [
    option.int("samples", "people in the .fam", { range: { min: 1, max: 1e8 }, required: true, value: "N" }),
    option.int("variants", "variants in the .bim", {
      range: { min: 1, max: 1e10 },
      required: true,
      value: "P",
    }),
    option.int("analyzed", "people with a phenotype; all by default", {
      range: { min: 1, max: 1e8 },
      value: "M",
    }),
    option.int("kinship-variants", "variants in the kinship; all by default", {
      range: { min: 1 },
      value: "P",
    }),
    option.int("covariates", "covariate columns, intercept included", {
      range: { min: 1, max: 1000 },
      default: 1,
      value: "C",
    }),
    ROUTE_OPTION,
    option.flag("check", "fail with MEM_PREFLIGHT when it does not fit here"),
  ],
  examples: ["lmm plan --samples 200000 --variants 95000"],
  async run(context) {
    const o = context.options;
    const size = {
      samples: Number(o.samples),
      variants: Number(o.variants),
      covariates: Number(o.covariates),
      route: o.route as RouteChoice,
      ...(o.analyzed === undefined ? {} : { analyzed: Number(o.analyzed) }),
      ...(o["kinship-variants"] === undefined ? {} : { kinshipVariants: Number(o["kinship-variants"]) }),
      ...(context.threads === undefined ? {} : { threads: context.threads }),
    };
    // With a check of memory a route that fits is preferred to one that does not.
    const limit = o.check ? memoryLimit({ memoryLimit: context.memoryLimit }).bytes : undefined;
    const plan = planGwas(size, undefined, limit);
    if (o.check) requirePlan(plan, size, { memoryLimit: context.memoryLimit });
    if (!context.json) printPlan(context, plan);
    return plan;
  },
};

/** The route taken stage by stage with its parts, then the other in one line. */
export function printPlan(context: CliContext, plan: GwasPlan): void {
  const line = (name: string, bytes: number, rest = ""): void =>
    context.print(`${name.padEnd(38)}${(bytes / 1e9).toFixed(bytes < 1e10 ? 2 : 0).padStart(9)} GB${rest}`);
  for (const { stage, memory, hours } of plan.stages) {
    line(stage, memory.total, `  about ${duration(hours)}`);
    for (const part of memory.parts) line(`  ${part.name}`, part.bytes);
  }
  const whole = ({ route, memory, hours }: RoutePlan, word: string): void =>
    line(`${route} route, peak (${word})`, memory.total, `  about ${duration(hours)} in all, by formula`);
  whole(plan, "taken");
  whole(plan.other, "other");
  if (plan.cheaper) context.print(plan.cheaper);
}

function duration(hours: number): string {
  if (hours >= 1) return `${hours.toFixed(1)} h`;
  return hours * 60 >= 1 ? `${(hours * 60).toFixed(1)} min` : `${(hours * 3600).toFixed(1)} s`;
}
