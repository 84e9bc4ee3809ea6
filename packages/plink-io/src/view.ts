import type { RecordBatch, Table } from "apache-arrow";
import { arrowTables, lazyGenotypes } from "./lazy.ts";
import { silently } from "./run-options.ts";
import { hashSamples } from "./sample-hash.ts";
import { selectSamples, selectVariants } from "./select.ts";
import { checkReading } from "./study.ts";
import type { SampleTypes, VariantTypes } from "./table-types.ts";
import type {
  BimColumns,
  BlockOptions,
  FamColumns,
  GenotypeOptions,
  PackedBlock,
  PlinkPaths,
  PlinkStudy,
  PlinkWarning,
} from "./types.ts";

/**
 * A part of a study that behaves like a study: rows and samples are numbered from 0 within it. Closing it leaves the
 * study underneath open.
 */
export class StudyView implements PlinkStudy {
  readonly bim: BimColumns;
  readonly fam: FamColumns;
  readonly #base: PlinkStudy;
  readonly #rows: Uint32Array;
  readonly #samples: Uint32Array;
  #samplesTable: Table<SampleTypes> | undefined;
  #variantsTable: Table<VariantTypes> | undefined;
  #hash: string | undefined;

  constructor(base: PlinkStudy, rows: Uint32Array, samples: Uint32Array) {
    this.#base = base;
    this.#rows = rows;
    this.#samples = samples;
    this.bim = takeVariants(base.bim, rows);
    this.fam = takeSamples(base.fam, samples);
  }

  get paths(): PlinkPaths {
    return this.#base.paths;
  }

  get n(): number {
    return this.#samples.length;
  }

  get p(): number {
    return this.#rows.length;
  }

  get layout(): "variant" | "sample" {
    return this.#base.layout;
  }

  get warnings(): readonly PlinkWarning[] {
    return this.#base.warnings;
  }

  get samples(): Table<SampleTypes> {
    this.#samplesTable ??= arrowTables().samplesTable(this.fam);
    return this.#samplesTable;
  }

  get variants(): Table<VariantTypes> {
    this.#variantsTable ??= arrowTables().variantsTable(this.bim);
    return this.#variantsTable;
  }

  get sampleHash(): string {
    this.#hash ??= hashSamples(this.fam);
    return this.#hash;
  }

  genotypes(options: GenotypeOptions = {}): AsyncIterable<RecordBatch> {
    checkReading(options, "genotypes");
    return lazyGenotypes(this, options);
  }

  blocks(options: BlockOptions = {}): AsyncIterable<PackedBlock> {
    checkReading(options, "blocks");
    return this.#blocks(options);
  }

  async *#blocks(options: BlockOptions): AsyncGenerator<PackedBlock> {
    const inner = selectVariants(this.bim, options);
    const chosen = selectSamples(this.fam, options.samples);
    const samples = chosen ? chosen.map((i) => this.#samples[i]!) : this.#samples;
    const { chunk, reuse, onProgress } = options;
    const rows = inner.map((j) => this.#rows[j]!);
    const reading = {
      ...silently(options),
      ...(chunk !== undefined && { chunk }),
      ...(reuse !== undefined && { reuse }),
      ...(onProgress && { onProgress }),
    };
    let done = 0;
    for await (const block of this.#base.blocks({ rows, samples, ...reading })) {
      const index = inner.subarray(done, done + block.rows);
      yield { ...block, start: index[0]!, index };
      done += block.rows;
    }
  }

  check(): void {
    this.#base.check();
  }

  async close(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** The people at these indices. */
export function takeSamples(fam: FamColumns, samples: Uint32Array): FamColumns {
  const take = (column: string[]): string[] => Array.from(samples, (i) => column[i]!);
  return {
    fid: take(fam.fid),
    iid: take(fam.iid),
    father: take(fam.father),
    mother: take(fam.mother),
    sex: Int8Array.from(samples, (i) => fam.sex[i]!),
    phenotypes: fam.phenotypes.map((column) => Float64Array.from(samples, (i) => column[i]!)),
  };
}

/** The variants at these rows. */
export function takeVariants(bim: BimColumns, rows: Uint32Array): BimColumns {
  const take = (column: string[]): string[] => Array.from(rows, (j) => column[j]!);
  return {
    chrom: take(bim.chrom),
    id: take(bim.id),
    cm: Float64Array.from(rows, (j) => bim.cm[j]!),
    pos: Int32Array.from(rows, (j) => bim.pos[j]!),
    a1: take(bim.a1),
    a2: take(bim.a2),
  };
}
