/**
 * Counter-based random numbers: Philox4x32-10 (Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as
 * 1, 2, 3", SC 2011). A number depends on (seed, stream, index) alone, so results do not depend on threads or order.
 * `native/crates/random` gives the same bits; both are tested against `fixtures/random/philox.json`.
 */
import { lowerNormalQuantile } from "./normal.ts";
import { checkRange } from "./options.ts";

/** Four 32-bit words. */
export type Words = readonly [number, number, number, number];

const M0 = 0xd2511f53;
const M1 = 0xcd9e8d57;
const W0 = 0x9e3779b9;
const W1 = 0xbb67ae85;

/** An array or typed array. */
export interface Shuffleable {
  /** Number of elements. */
  readonly length: number;
  [index: number]: unknown;
}

/** High word of a 32 × 32-bit product, by 16-bit halves. */
function mulHigh(a: number, b: number): number {
  const ah = a >>> 16;
  const al = a & 0xffff;
  const bh = b >>> 16;
  const bl = b & 0xffff;
  const middle = ah * bl + ((al * bl) >>> 16);
  const other = al * bh + (middle & 0xffff);
  return (ah * bh + Math.floor(middle / 65536) + (other >>> 16)) >>> 0;
}

/** One block of Philox4x32-10: four words from a 128-bit counter and a 64-bit key, least significant word first. */
export function philox4x32(counter: Words, key: readonly [number, number]): Words {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const h0 = mulHigh(M0, c0);
    const h1 = mulHigh(M1, c2);
    const l1 = Math.imul(M1, c2) >>> 0;
    c2 = (h0 ^ c3 ^ k1) >>> 0;
    c3 = Math.imul(M0, c0) >>> 0;
    c0 = (h1 ^ c1 ^ k0) >>> 0;
    c1 = l1;
    k0 = (k0 + W0) >>> 0;
    k1 = (k1 + W1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

const TWO32 = 2 ** 32;
const HALF = 2 ** 52;

/** The low and high word of a whole number from 0 to 2^53 − 1 (or of a BigInt to 2^64 − 1). */
function words(name: string, x: number | bigint): [low: number, high: number] {
  if (typeof x === "bigint") return [Number(BigInt.asUintN(32, x)), Number(BigInt.asUintN(32, x >> 32n))];
  checkRange(name, x, { min: 0, max: Number.MAX_SAFE_INTEGER, integer: true });
  return [x >>> 0, Math.floor(x / TWO32)];
}

/** The 32-bit word number `index` of a stream: word `index % 4` of block `index / 4`. */
export function randomU32(seed: number | bigint, stream: number | bigint, index: number): number {
  const [b0, b1] = words("index", Math.floor(index / 4));
  const [s0, s1] = words("stream", stream);
  return philox4x32([b0, b1, s0, s1], words("seed", seed))[index % 4]!;
}

/**
 * The numbers of one stream in order: every method takes the next words. The same calls give the same bits in
 * TypeScript and Rust. Seeds, streams and positions are whole numbers of at least 0 (`OPTION_RANGE`).
 */
export class Random {
  readonly #key: [number, number];
  readonly #stream: [number, number];
  #block = -1;
  #words: Words = [0, 0, 0, 0];
  #index: number;

  /** `index` is the word to start with. */
  constructor(seed: number | bigint = 0, stream: number | bigint = 0, index = 0) {
    this.#key = words("seed", seed);
    this.#stream = words("stream", stream);
    this.#index = checkRange("index", index, { min: 0, max: 2 ** 53 - 1, integer: true });
  }

  /** How many words of the stream have been used. */
  get index(): number {
    return this.#index;
  }

  /** Uniform on 0 … 2^32 − 1; one word. */
  u32(): number {
    const block = Math.floor(this.#index / 4);
    if (block !== this.#block) {
      this.#words = philox4x32(
        [block >>> 0, Math.floor(block / TWO32), this.#stream[0], this.#stream[1]],
        this.#key,
      );
      this.#block = block;
    }
    return this.#words[this.#index++ & 3]!;
  }

  /** Uniform in [0, 1) with 53 bits; two words. */
  uniform(): number {
    const high = this.u32() >>> 5;
    const low = this.u32() >>> 6;
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** Uniform on 0 … n − 1 without bias, for n from 1 to 2^32; one word, seldom more (numbers in the uneven rest are drawn again). */
  int(n: number): number {
    checkRange("n", n, { min: 1, max: TWO32, integer: true });
    const limit = TWO32 - (TWO32 % n);
    for (;;) {
      const word = this.u32();
      if (word < limit) return word % n;
    }
  }

  /** Standard normal, by the inverse distribution function at (k + 1/2) / 2^53 for a 53-bit k; two words. */
  normal(): number {
    const high = this.u32() >>> 5;
    const k = high * 67108864 + (this.u32() >>> 6);
    // The lower half is exact in doubles, the upper one is its mirror image.
    const upper = k >= HALF;
    const x = lowerNormalQuantile(((upper ? 2 * HALF - 1 - k : k) + 0.5) / (2 * HALF));
    return upper ? -x : x;
  }

  /** Shuffles in place (Fisher and Yates, from the end) and returns the array. */
  shuffle<A extends Shuffleable>(array: A): A {
    for (let i = array.length - 1; i > 0; i--) {
      const j = this.int(i + 1);
      const kept = array[i];
      array[i] = array[j];
      array[j] = kept;
    }
    return array;
  }
}
