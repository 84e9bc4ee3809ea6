import type { RecordBatch, Table } from "apache-arrow";
import { type BlockSource, readBlocks } from "./blocks.ts";
import { arrowTables, lazyGenotypes } from "./lazy.ts";
import { checkRunning, SELECT_OPTIONS } from "./run-options.ts";
import { hashSamples } from "./sample-hash.ts";
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

/** Refuses, for a study or a part of one, the options that reading does not know. */
export function checkReading(options: BlockOptions | GenotypeOptions, where: "genotypes" | "blocks"): void {
  checkRunning(options, [...SELECT_OPTIONS, "chunk", where === "blocks" ? "reuse" : "as"], where);
}

/** An opened fileset; made by openPlink only. */
export class Study implements PlinkStudy {
  readonly paths: PlinkPaths;
  readonly warnings: readonly PlinkWarning[];
  readonly #source: BlockSource;
  #samples: Table<SampleTypes> | undefined;
  #variants: Table<VariantTypes> | undefined;
  #hash: string | undefined;

  constructor(source: BlockSource, paths: PlinkPaths, warnings: readonly PlinkWarning[]) {
    this.#source = source;
    this.paths = Object.freeze({ ...paths });
    this.warnings = warnings;
  }

  get n(): number {
    return this.#source.fam.iid.length;
  }

  get p(): number {
    return this.#source.bim.pos.length;
  }

  get layout(): "variant" | "sample" {
    return this.#source.layout;
  }

  get fam(): FamColumns {
    return this.#source.fam;
  }

  get bim(): BimColumns {
    return this.#source.bim;
  }

  get samples(): Table<SampleTypes> {
    this.#samples ??= arrowTables().samplesTable(this.fam);
    return this.#samples;
  }

  get variants(): Table<VariantTypes> {
    this.#variants ??= arrowTables().variantsTable(this.bim);
    return this.#variants;
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
    return readBlocks(this.#source, options);
  }

  check(): void {
    this.#source.bed.check();
  }

  async close(): Promise<void> {
    await this.#source.bed.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
