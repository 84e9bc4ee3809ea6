import type { RecordBatch, Table } from "apache-arrow";
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

/** What a study and a part of one share: tables made from the columns when first asked for, and checked reading. */
export abstract class StudyBase implements PlinkStudy {
  abstract readonly paths: PlinkPaths;
  abstract readonly warnings: readonly PlinkWarning[];
  abstract readonly n: number;
  abstract readonly p: number;
  abstract readonly layout: "variant" | "sample";
  abstract readonly fam: FamColumns;
  abstract readonly bim: BimColumns;
  #samples: Table<SampleTypes> | undefined;
  #variants: Table<VariantTypes> | undefined;
  #hash: string | undefined;

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
    return this.read(options);
  }

  /** `blocks` with its options checked. */
  protected abstract read(options: BlockOptions): AsyncIterable<PackedBlock>;

  abstract check(): void;

  abstract close(): Promise<void>;

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** Refuses the options that reading does not know. */
function checkReading(options: BlockOptions | GenotypeOptions, where: "genotypes" | "blocks"): void {
  checkRunning(options, [...SELECT_OPTIONS, "chunk", where === "blocks" ? "reuse" : "as"], where);
}
