import type { CliCommand } from "@x/core/base";
import { planGwas, requirePlan } from "./plan.ts";

/** `lmm plan`: what a study of a size needs, without doing it. */
export const planCommand: CliCommand = {
  name: "plan",
  summary: "memory and rough time of a study of a given size",
  options: [
    {
      name: "samples",
      type: "int",
      range: { min: 1, max: 1e8 },
      required: true,
      value: "N",
      help: "people in the .fam",
    },
    {
      name: "variants",
      type: "int",
      range: { min: 1, max: 1e10 },
      required: true,
      value: "P",
      help: "variants in the .bim",
    },
    {
      name: "analyzed",
      type: "int",
      range: { min: 1, max: 1e8 },
      value: "M",
      help: "people with a phenotype; all by default",
    },
    {
      name: "kinship-variants",
      type: "int",
      range: { min: 1 },
      value: "P",
      help: "variants in the kinship; all by default",
    },
    {
      name: "covariates",
      type: "int",
      range: { min: 1, max: 1000 },
      default: 1,
      value: "C",
      help: "covariate columns, intercept included",
    },
    { name: "check", type: "flag", help: "fail with MEM_PREFLIGHT when it does not fit here" },
  ],
  examples: ["lmm plan --samples 200000 --variants 95000"],
  async run(context) {
    const o = context.options;
    const size = {
      samples: Number(o.samples),
      variants: Number(o.variants),
      covariates: Number(o.covariates),
      ...(o.analyzed === undefined ? {} : { analyzed: Number(o.analyzed) }),
      ...(o["kinship-variants"] === undefined ? {} : { kinshipVariants: Number(o["kinship-variants"]) }),
      ...(context.threads === undefined ? {} : { threads: context.threads }),
    };
    const plan = planGwas(size);
    if (o.check) requirePlan(plan, size, { memoryLimit: context.memoryLimit });
    if (!context.json) {
      const gb = (bytes: number): string => (bytes / 1e9).toFixed(bytes < 1e10 ? 2 : 0).padStart(9);
      for (const stage of plan.stages) {
        context.print(
          `${stage.stage.padEnd(38)}${gb(stage.memory.total)} GB  about ${duration(stage.hours)}`,
        );
        for (const part of stage.memory.parts) context.print(`  ${part.name.padEnd(36)}${gb(part.bytes)} GB`);
      }
      context.print(
        `${"peak".padEnd(38)}${gb(plan.memory.total)} GB  about ${duration(plan.hours)} in all, by formula`,
      );
      if (plan.cheaper) context.print(plan.cheaper);
    }
    return plan;
  },
};

function duration(hours: number): string {
  if (hours >= 1) return `${hours.toFixed(1)} h`;
  return hours * 60 >= 1 ? `${(hours * 60).toFixed(1)} min` : `${(hours * 3600).toFixed(1)} s`;
}
