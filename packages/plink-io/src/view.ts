import { silently } from "./run-options.ts";
import { selectSamples, selectVariants } from "./select.ts";
import { StudyBase } from "./study-base.ts";
import type {
  BimColumns,
  BlockOptions,
  FamColumns,
  PackedBlock,
  PlinkPaths,
  PlinkStudy,
  PlinkWarning,
} from "./types.ts";

/**
 * A part of a study that behaves like a study: rows and samples are numbered from 0 within it. Closing it leaves the
 * study underneath open.
 */
export class StudyView extends StudyBase {
  readonly bim: BimColumns;
  readonly fam: FamColumns;
  readonly #base: PlinkStudy;
  readonly #rows: Uint32Array;
  readonly #samples: Uint32Array;

  constructor(base: PlinkStudy, rows: Uint32Array, samples: Uint32Array) {
    super();
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

  protected async *read(options: BlockOptions): AsyncGenerator<PackedBlock> {
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
