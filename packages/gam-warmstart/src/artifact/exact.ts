import { dataMatrix } from "../data/design-spec.ts";
import type { EngineOptions } from "../engine-types.ts";
import { linkOf } from "../family.ts";
import { designState } from "../native.ts";
import type { Prepared } from "../prepare.ts";
import { Fingerprint } from "./fingerprint.ts";

/** Key of exactly this data, model and options: where a fit of the same thing may resume. */
export function exactKey(prepared: Prepared, options: EngineOptions): string {
  const { response, weights, offset, plan, frame, spec, design } = prepared;
  const { rho: _rho, beta: _beta, thetaStart: _theta, ...rest } = options;
  return new Fingerprint()
    .tag("fit-exact-v1")
    .text("design", designState(design))
    .f64Matrix("columns", frame.rows.length, plan.sources.length, dataMatrix(plan, frame))
    .f64Slice("y", response.y)
    .f64Slice("weights", weights ?? [])
    .f64Slice("offset", offset ?? [])
    .text("family", `${spec.family.name}/${linkOf(spec.family)}`)
    .text("options", JSON.stringify(rest))
    .hex();
}
