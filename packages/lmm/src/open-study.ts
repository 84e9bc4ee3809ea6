import type { OnProgress, OptionValues } from "@x/core/base";
import { openPlink, type PlinkStudy } from "@x/plink-io";
import { openBimbam } from "./bimbam.ts";

/** Opens what `-bfile`, or `-g -a --ids`, names. */
export async function openStudy(
  o: OptionValues,
  options: { signal: AbortSignal; onProgress: OnProgress },
): Promise<PlinkStudy> {
  if (o.g === undefined)
    return openPlink(String(o.bfile), {
      signal: options.signal,
      phenotypes: o.p === undefined ? "read" : "ignore",
    });
  return openBimbam(String(o.g), {
    ...options,
    ...(o.a === undefined ? {} : { annotation: String(o.a) }),
    ...(o.ids === undefined ? {} : { ids: String(o.ids) }),
  });
}
