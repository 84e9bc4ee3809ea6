import { closeSync, openSync, writeFileSync, writeSync } from "node:fs";

/** 32-bit xorshift: fast enough for a thousand million genotypes, good enough for a timing. */
function xorshift(seed) {
  let x = seed | 1;
  return () => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return x >>> 0;
  };
}

/**
 * Unrelated people with independent SNPs, written straight as packed bytes: 50,000 × 22,000 in seconds. About 1 % of the
 * calls are missing (none with `missing: 0`). Half of the phenotype's variance comes from `causal` of the first SNPs.
 */
export function simulatePacked(prefix, { people, snps, causal = 200, missing = 3, seed = 7 }) {
  const random = xorshift(seed);
  const stride = Math.ceil(people / 4);
  const y = new Float64Array(people);
  const bed = openSync(`${prefix}.bed`, "w");
  writeSync(bed, Uint8Array.of(0x6c, 0x1b, 0x01));
  const row = new Uint8Array(stride);
  const code = new Uint8Array(256);
  for (let s = 0; s < snps; s++) {
    const f = 0.05 + (0.45 * random()) / 2 ** 32;
    const called = 256 - missing;
    const [two, one] = [Math.round(called * f * f), Math.round(called * (1 - (1 - f) ** 2))];
    for (let v = 0; v < 256; v++) code[v] = v < two ? 0 : v < one ? 2 : v < called ? 3 : 1;
    for (let b = 0; b < stride; b++) {
      const r = random();
      row[b] =
        code[r & 255] | (code[(r >>> 8) & 255] << 2) | (code[(r >>> 16) & 255] << 4) | (code[r >>> 24] << 6);
    }
    writeSync(bed, row);
    if (s >= causal) continue;
    const scale = 1 / Math.sqrt(2 * f * (1 - f) * causal);
    for (let i = 0; i < people; i++) {
      const c = (row[i >> 2] >> (2 * (i & 3))) & 3;
      y[i] += scale * (c === 0 ? 2 - 2 * f : c === 2 ? 1 - 2 * f : c === 3 ? -2 * f : 0);
    }
  }
  closeSync(bed);
  const noise = () => {
    let sum = 0;
    for (let k = 0; k < 12; k++) sum += random() / 2 ** 32;
    return sum - 6;
  };
  writeFileSync(
    `${prefix}.fam`,
    Array.from(y, (v, i) => `f${i} i${i} 0 0 1 ${(v + noise()).toFixed(6)}\n`).join(""),
  );
  writeFileSync(
    `${prefix}.bim`,
    Array.from({ length: snps }, (_, s) => `1\ts${s}\t0\t${s + 1}\tA\tC\n`).join(""),
  );
}
