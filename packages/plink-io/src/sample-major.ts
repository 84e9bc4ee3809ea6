import type { InputFile } from "@x/core/base";
import { rowBytes } from "./bed.ts";
import type { RowReader } from "./blocks.ts";
import { type KernelOptions, transpose } from "./native.ts";

/** Sizes that decide how a file is read. */
export interface BandLimits {
  /** Bytes of packed genotypes held at once. */
  tileBytes: number;
  /** Below this many bytes a sample, whole sample rows are read in order instead of seeking for each. */
  seekBytes: number;
}

/** What suits most machines. */
export const LIMITS: BandLimits = { tileBytes: 64 << 20, seekBytes: 4096 };

/**
 * Reads the old sample-major layout as if it were SNP-major: a band of variants is cut out of every sample's row and
 * transposed. Memory stays near 2 × 64 MiB for any file; the last band is kept, so reading in order costs one pass a band.
 */
export class SampleMajorReader {
  readonly #bed: InputFile;
  readonly #n: number;
  readonly #p: number;
  readonly #options: KernelOptions;
  readonly #bandVariants: number;
  readonly #seekBytes: number;
  readonly #readBytes: number;
  #bandStart = -1;
  #band: Promise<Uint8Array> | undefined;

  constructor(bed: InputFile, n: number, p: number, options: KernelOptions, limits: BandLimits = LIMITS) {
    this.#bed = bed;
    this.#n = n;
    this.#p = p;
    this.#options = options;
    this.#seekBytes = limits.seekBytes;
    this.#readBytes = Math.min(8 << 20, limits.tileBytes);
    this.#bandVariants = Math.min(Math.ceil(p / 4), Math.max(1, Math.floor(limits.tileBytes / n))) * 4;
  }

  /** SNP-major rows `from … from + count − 1`. */
  read: RowReader = async (from, count, into) => {
    const bytes = rowBytes(this.#n);
    const out = into?.subarray(0, count * bytes) ?? new Uint8Array(count * bytes);
    for (let row = from; row < from + count; ) {
      const start = row - (row % this.#bandVariants);
      const band = await this.#load(start);
      const end = Math.min(from + count, start + this.#bandVariants);
      out.set(band.subarray((row - start) * bytes, (end - start) * bytes), (row - from) * bytes);
      row = end;
    }
    return out;
  };

  #load(start: number): Promise<Uint8Array> {
    if (this.#bandStart !== start || this.#band === undefined) {
      this.#bandStart = start;
      this.#band = this.#transposed(start);
    }
    return this.#band;
  }

  async #transposed(start: number): Promise<Uint8Array> {
    const variants = Math.min(this.#bandVariants, this.#p - start);
    const width = rowBytes(variants);
    const full = rowBytes(this.#p);
    const tile = new Uint8Array(this.#n * width);
    const offset = start / 4;
    if (width >= this.#seekBytes && width < full) {
      for (let i = 0; i < this.#n; i++)
        tile.set(await this.#bed.read(3 + i * full + offset, width), i * width);
    } else {
      const together = Math.max(1, Math.floor(this.#readBytes / full));
      for (let i = 0; i < this.#n; i += together) {
        const rows = Math.min(together, this.#n - i);
        const read = await this.#bed.read(3 + i * full, rows * full);
        for (let k = 0; k < rows; k++)
          tile.set(read.subarray(k * full + offset, k * full + offset + width), (i + k) * width);
      }
    }
    this.#options.signal?.throwIfAborted();
    return transpose(tile, this.#n, variants, this.#options);
  }
}
