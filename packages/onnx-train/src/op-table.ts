/** The table of operators: for each its shape rule and its vector-Jacobian product. */
import type { Rule } from "./apply.ts";
import { elementwiseRules } from "./ops-elementwise.ts";
import { indexRules } from "./ops-index.ts";
import { linearRules } from "./ops-linear.ts";
import { reduceRules } from "./ops-reduce.ts";
import { shapeRules } from "./ops-shape.ts";

/** Every operator by its name. */
export const OPS: Readonly<Record<string, Rule<never>>> = {
  ...elementwiseRules,
  ...reduceRules,
  ...shapeRules,
  ...indexRules,
  ...linearRules,
};
