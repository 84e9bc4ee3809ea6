import { xError } from "@x/core/base";
import { rowBytes } from "./bed.ts";

/** PLINK code of dosage 0, 1, 2 of allele 1. */
const CODES = [3, 2, 0];
const MISSING_CODE = 1;
const MISSING_INT8 = -127;

/**
 * Dosages of allele 1 (`rows × samples`; 0, 1, 2, missing −127 or NaN) as PLINK 2-bit codes.
 *
 * @param firstRow - Number of the first row, for messages.
 * @throws XError GENOTYPE_VALUE for any other value, with its variant and sample.
 */
export function encodePacked(
  dosages: Int8Array | Float32Array | Float64Array,
  samples: number,
  rows: number,
  firstRow = 0,
): Uint8Array {
  const bytes = rowBytes(samples);
  const packed = new Uint8Array(rows * bytes);
  for (let row = 0; row < rows; row++) {
    for (let i = 0; i < samples; i++) {
      const value = dosages[row * samples + i]!;
      const code = value === MISSING_INT8 || Number.isNaN(value) ? MISSING_CODE : CODES[value];
      if (code === undefined)
        throw xError(
          "GENOTYPE_VALUE",
          `variant ${firstRow + row}, sample ${i}: dosage ${value}; a .bed holds 0, 1, 2 or missing (−127 or NaN) only.`,
          { details: { variant: firstRow + row, sample: i, found: value } },
        );
      packed[row * bytes + (i >> 2)]! |= code << ((i & 3) << 1);
    }
  }
  return packed;
}

/** A copy with the unused bits at the end of each row cleared, as PLINK writes them; the same array when there are none. */
export function clearPadding(packed: Uint8Array, samples: number, rows: number): Uint8Array {
  const spare = samples & 3;
  if (spare === 0) return packed;
  const bytes = rowBytes(samples);
  const clean = packed.slice(0, rows * bytes);
  const mask = (1 << (2 * spare)) - 1;
  for (let at = bytes - 1; at < clean.length; at += bytes) clean[at]! &= mask;
  return clean;
}
