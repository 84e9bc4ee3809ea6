import { designColumns } from "../data/design-spec.ts";
import type { EngineOptions } from "../engine-types.ts";
import { linkOf } from "../family.ts";
import { designState } from "../native.ts";
import type { Prepared } from "../prepare.ts";
import { Fingerprint } from "./fingerprint.ts";

/** Key of exactly this data, model and options: where a fit of the same thing may resume. */
export function exactKey(prepared: Prepared, options: EngineOptions): string {
  const { response, weights, offset, plan, frame, spec, design } = prepared;
  const { rho: _rho, beta: _beta, thetaStart: _theta, ...rest } = options;
  const f = new Fingerprint().tag("fit-exact-v1").text("design", designState(design));
  for (const column of designColumns(plan, frame)) f.f64Slice("column", column);
  return f
    .f64Slice("y", response.y)
    .f64Slice("weights", weights ?? [])
    .f64Slice("offset", offset ?? [])
    .text("family", `${spec.family.name}/${linkOf(spec.family)}`)
    .text("options", JSON.stringify(rest))
    .hex();
}
