import { sampleHash } from "@x/core";
import { samplesTable } from "./tables.ts";
import type { FamColumns } from "./types.ts";

/** core's hash over FID and IID in order. */
export function hashSamples(fam: FamColumns): string {
  return sampleHash(samplesTable(fam));
}
