/** Hiding letters for masked autoencoding: which, and what the loss counts. */
import { checkRange, Random } from "@x/core/base";
import { TOKENS } from "./tokens.ts";

/** How letters are hidden. */
export interface MaskOptions {
  /** Share of the letters A, C, G and T; 0.15 by default. */
  readonly ratio: number;
  /** Each by itself, or in runs of 3 to 5. */
  readonly strategy: "random" | "span";
}

/** Rows of tokens with some letters hidden. */
export interface MaskedLetters {
  /** MASK where a letter is hidden. */
  readonly tokens: Uint8Array;
  /** 1 where a letter is hidden. */
  readonly scored: Float32Array;
}

/** Keeps the draws apart from others of the same seed. */
const STREAM = 1n << 60n;
/** Starts tried for a row before it keeps the spans it has. */
const TRIES = 100;

/**
 * Hides letters in rows of tokens; only A, C, G and T, all of them as MASK (no random letters, none kept). What is
 * hidden depends on seed and step alone. `random` hides each letter by chance; `span` puts runs of 3 to 5 at random
 * until the row has its share, rounded down.
 */
export function maskLetters(
  rows: Uint8Array,
  width: number,
  { ratio, strategy }: MaskOptions,
  { seed, step }: { seed: number; step: number },
): MaskedLetters {
  checkRange("maskRatio", ratio, { min: 0, max: 1 });
  const random = new Random(seed, STREAM + BigInt(step));
  const tokens = rows.slice();
  const scored = new Float32Array(rows.length);
  const hide = (at: number): void => {
    tokens[at] = TOKENS.MASK!;
    scored[at] = 1;
  };
  if (strategy === "random") {
    const limit = ratio * 2 ** 32;
    rows.forEach((token, at) => {
      if (isLetter(token) && random.u32() < limit) hide(at);
    });
    return { tokens, scored };
  }
  for (let start = 0; start < rows.length; start += width) {
    const places: number[] = [];
    for (let at = start; at < start + width; at++) if (isLetter(rows[at]!)) places.push(at);
    let left = Math.floor(ratio * places.length);
    for (let tries = 0; left > 0 && tries < TRIES; tries++) {
      const from = Math.floor(random.uniform() * places.length);
      const length = Math.min(left, 3 + Math.floor(random.uniform() * 3));
      for (const at of places.slice(from, from + length)) {
        if (scored[at] === 1) continue;
        hide(at);
        left--;
      }
    }
  }
  return { tokens, scored };
}

function isLetter(token: number): boolean {
  return token >= TOKENS.A! && token <= TOKENS.T!;
}
