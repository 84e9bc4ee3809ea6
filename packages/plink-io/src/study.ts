import { type BlockSource, readBlocks } from "./blocks.ts";
import { StudyBase } from "./study-base.ts";
import type { BimColumns, BlockOptions, FamColumns, PackedBlock, PlinkPaths, PlinkWarning } from "./types.ts";

/** An opened fileset; made by openPlink only. */
export class Study extends StudyBase {
  readonly paths: PlinkPaths;
  readonly warnings: readonly PlinkWarning[];
  readonly #source: BlockSource;

  constructor(source: BlockSource, paths: PlinkPaths, warnings: readonly PlinkWarning[]) {
    super();
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

  protected read(options: BlockOptions): AsyncIterable<PackedBlock> {
    return readBlocks(this.#source, options);
  }

  check(): void {
    this.#source.bed.check();
  }

  async close(): Promise<void> {
    await this.#source.bed.close();
  }
}
