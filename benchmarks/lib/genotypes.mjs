import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

/** Rows of a VCF(.gz) of diploid 0/1 genotypes: position and one byte an allele, 255 where missing. */
export function readGenotypes(path) {
  const bytes = readFileSync(path);
  const text = (bytes[0] === 0x1f ? gunzipSync(bytes) : bytes).toString("latin1");
  let samples = [];
  const rows = [];
  for (const line of text.split("\n")) {
    if (line.startsWith("#CHROM")) samples = line.split("\t").slice(9);
    if (line === "" || line.startsWith("#")) continue;
    const fields = line.split("\t");
    const alleles = new Uint8Array(2 * samples.length);
    for (let s = 0; s < samples.length; s++) {
      const call = fields[9 + s];
      alleles[2 * s] = allele(call[0]);
      alleles[2 * s + 1] = allele(call[2]);
    }
    rows.push({ position: Number(fields[1]), alleles });
  }
  return { samples, rows };
}

const allele = (letter) => (letter === "." ? 255 : Number(letter));

/** Observed genotypes that came back as others: as many alleles of a kind must come out as went in. */
export function changedGenotypes(observed, estimate) {
  let changed = 0;
  observed.rows.forEach(({ alleles }, i) => {
    const found = estimate.rows[i].alleles;
    for (let h = 0; h < alleles.length; h += 2) {
      const [a, b] = [alleles[h], alleles[h + 1]];
      if (a !== 255 && b !== 255 && a + b !== found[h] + found[h + 1]) changed++;
    }
  });
  return changed;
}

/** Imputed against true genotypes at missing entries: their number, concordance and squared correlation. */
export function masked(observed, estimate, truth) {
  let [n, same, x, y, xx, yy, xy] = [0, 0, 0, 0, 0, 0, 0];
  observed.rows.forEach(({ alleles }, i) => {
    const [found, right] = [estimate.rows[i].alleles, truth.rows[i].alleles];
    for (let h = 0; h < alleles.length; h += 2) {
      if (alleles[h] !== 255) continue;
      const [a, b] = [found[h] + found[h + 1], right[h] + right[h + 1]];
      n++;
      same += a === b ? 1 : 0;
      [x, y, xx, yy, xy] = [x + a, y + b, xx + a * a, yy + b * b, xy + a * b];
    }
  });
  const r2 = (n * xy - x * y) ** 2 / ((n * xx - x * x) * (n * yy - y * y));
  return n === 0 ? null : { entries: n, concordance: same / n, r2 };
}

/** Codes by position and haplotype: 0 or the number of the row whose ALT is carried. */
function byPosition({ samples, rows }) {
  const positions = new Map();
  for (const { position, alleles } of rows) {
    const place = positions.get(position) ?? { rows: 0, codes: new Uint8Array(2 * samples.length) };
    positions.set(position, place);
    place.rows++;
    alleles.forEach((allele, h) => {
      if (allele === 255) place.codes[h] = 255;
      else if (allele === 1) place.codes[h] = place.rows;
    });
  }
  return positions;
}

/**
 * Children's hets that their parents resolve (one of them is homozygous), and at how many of these the estimate has the
 * father's allele in the wrong place. Truth has the father's haplotype first.
 */
export function resolvedByParents(observed, estimate, truth, trios) {
  const at = (name) => observed.samples.indexOf(name);
  const [seen, found, right] = [observed, estimate, truth].map(byPosition);
  let [resolved, wrong] = [0, 0];
  for (const [child, ...parents] of trios.map((trio) => trio.map(at))) {
    for (const [position, { codes }] of seen) {
      const [a, b] = [codes[2 * child], codes[2 * child + 1]];
      const clear = (p) => p >= 0 && codes[2 * p] !== 255 && codes[2 * p] === codes[2 * p + 1];
      const t = right.get(position).codes;
      if (a === 255 || b === 255 || t[2 * child] === t[2 * child + 1] || !parents.some(clear)) continue;
      resolved++;
      if (found.get(position).codes[2 * child] !== t[2 * child]) wrong++;
    }
  }
  return { resolved, wrong };
}
