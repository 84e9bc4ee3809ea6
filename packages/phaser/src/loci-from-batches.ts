import { genotypeInfo, genotypeValues, xError } from "@x/core";
import type { RecordBatch } from "apache-arrow";
import { Loci } from "./loci.ts";
import { lociRows, now } from "./native.ts";
import { type LociReadOptions, nativeLociOptions } from "./open-vcf.ts";

/** Options of {@link lociFromBatches}. */
export interface BatchOptions
  extends Omit<LociReadOptions, "region" | "role" | "likelihoods" | "onProgress" | "warn"> {
  /** Names of the people, in the order of the genotypes. */
  readonly names: readonly string[];
}

/**
 * Loci from Arrow genotype batches (`packed` or `int8`, as `@x/plink-io` makes them) of one chromosome, in order of
 * position. A1, the counted allele, becomes ALT and A2 REF: PLINK files keep no reference, so check that A2 is it.
 *
 * @throws OPTION_VALUE, REGION_REQUIRED when batches hold several chromosomes, UNSORTED, GENOTYPE_SHAPE, DUP_SITE, NO_VARIANTS.
 */
export async function lociFromBatches(
  batches: AsyncIterable<RecordBatch> | Iterable<RecordBatch>,
  options: BatchOptions,
): Promise<Loci> {
  const { names, ...rest } = options ?? {};
  if (!Array.isArray(names)) throw wrong("names", "the people's names, in the order of the genotypes");
  if (!isIterable(batches)) throw wrong("batches", "Arrow record batches, one after another");
  let rows: ReturnType<typeof lociRows> | undefined;
  let chrom: string | undefined;
  for await (const batch of batches) {
    options.signal?.throwIfAborted();
    const { samples, form } = genotypeInfo(batch.schema);
    if (samples !== names.length) {
      throw xError("GENOTYPE_SHAPE", `the batch holds ${samples} people, ${names.length} names were given`);
    }
    const chroms = new Set(batch.getChild("chrom") as Iterable<string>);
    for (const one of chroms) chrom ??= one;
    if (chroms.size > 1 || (chroms.size === 1 && !chroms.has(chrom!))) {
      const others = [...new Set([chrom!, ...chroms])].slice(0, 5).join(", ");
      throw xError("REGION_REQUIRED", `the batches hold chromosomes ${others}; give those of one`);
    }
    rows ??= lociRows(chrom ?? "", [...names], nativeLociOptions(rest));
    const builder = rows;
    const text = (name: string): string[] => [...(batch.getChild(name) as Iterable<string>)];
    const positions = Int32Array.from(batch.getChild("pos") as Iterable<number>);
    const columns = [positions, text("id"), text("a1"), text("a2")] as const;
    if (form === "packed") now(() => builder.packed(...columns, genotypeValues(batch, "packed")));
    else now(() => builder.counts(...columns, genotypeValues(batch, "int8")));
  }
  if (!rows) throw xError("NO_VARIANTS", "no variants to phase: there were no batches");
  const builder = rows;
  return new Loci(now(() => builder.finish()));
}

function isIterable(value: unknown): boolean {
  return Object(value)[Symbol.iterator] !== undefined || Object(value)[Symbol.asyncIterator] !== undefined;
}

function wrong(option: string, what: string): Error {
  const message = `lociFromBatches needs ${option}: ${what}`;
  return xError("OPTION_VALUE", message, { usage: true, details: { option } });
}
