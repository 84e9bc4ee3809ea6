import { createHash } from "node:crypto";
import type { FamColumns } from "./types.ts";

/** SHA-256 over FID and IID in order; the number core's sampleHash gives for the table of these samples. */
export function hashSamples(fam: Pick<FamColumns, "fid" | "iid">): string {
  const hash = createHash("sha256");
  for (let from = 0; from < fam.iid.length; from += 8192) {
    const end = Math.min(from + 8192, fam.iid.length);
    let text = "";
    for (let i = from; i < end; i++) text += `${fam.fid[i]}\t${fam.iid[i]}\n`;
    hash.update(text);
  }
  return hash.digest("hex");
}
