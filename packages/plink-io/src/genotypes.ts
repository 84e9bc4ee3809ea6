import { genotypeBatch, genotypeSchema } from "@x/core";
import type { RecordBatch } from "apache-arrow";
import { chunkSize } from "./blocks.ts";
import { decode } from "./native.ts";
import { silently } from "./run-options.ts";
import { hashSamples } from "./sample-hash.ts";
import { selectSamples, selectVariants } from "./select.ts";
import { variantsTable } from "./tables.ts";
import type { GenotypeOptions, PlinkStudy } from "./types.ts";
import { takeSamples, takeVariants } from "./view.ts";

const BYTES = { packed: 0.25, int8: 1, float32: 4, float64: 8 };

/** The selected genotypes as record batches of core's schema; every batch shares one chromosome dictionary. */
export async function* readGenotypes(
  study: PlinkStudy,
  options: GenotypeOptions,
): AsyncGenerator<RecordBatch> {
  const { as = "packed", onProgress } = options;
  const rows = selectVariants(study.bim, options);
  const samples = selectSamples(study.fam, options.samples);
  const n = samples?.length ?? study.n;
  const chunk = chunkSize(options, Math.ceil(n * BYTES[as]));
  const sampleHash = samples ? hashSamples(takeSamples(study.fam, samples)) : study.sampleHash;
  const schema = genotypeSchema(n, as, { sampleHash });
  const table = rows.length === study.p ? study.variants : variantsTable(takeVariants(study.bim, rows));
  const variants = table.batches[0]!;
  const kernel = silently(options);
  let done = 0;
  for await (const block of study.blocks({
    rows,
    chunk,
    reuse: as !== "packed",
    ...kernel,
    ...(onProgress && { onProgress }),
    ...(samples && { samples }),
  })) {
    const values = as === "packed" ? block.packed : await decode(as, block.packed, n, block.rows, kernel);
    yield genotypeBatch(schema, variants.slice(done, done + block.rows), values);
    done += block.rows;
  }
}
