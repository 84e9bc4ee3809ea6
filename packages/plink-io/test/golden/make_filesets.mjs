// Writes the small filesets of this folder, the same bytes every time: node make_filesets.mjs <folder>
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const folder = process.argv[2] ?? import.meta.dirname;
mkdirSync(folder, { recursive: true });

/** Park-Miller generator: plain, and the same everywhere. */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

/** Codes of one variant: 0 hom A1, 1 missing, 2 het, 3 hom A2. */
function codes(random, n, frequency, missing, kind) {
  return Array.from({ length: n }, () => {
    const first = random() < frequency;
    const second = random() < frequency;
    if (random() < missing || kind === "all-missing") return 1;
    if (kind === "all-het") return 2;
    if (kind === "mono-a1") return 0;
    if (kind === "mono-a2") return 3;
    return first && second ? 0 : first || second ? 2 : 3;
  });
}

function pack(rows, n) {
  const bytes = Math.ceil(n / 4);
  const bed = Buffer.alloc(3 + rows.length * bytes);
  bed.set([0x6c, 0x1b, 0x01]);
  rows.forEach((row, j) => {
    row.forEach((code, i) => {
      bed[3 + j * bytes + (i >> 2)] |= code << ((i & 3) * 2);
    });
  });
  return bed;
}

function write(name, fam, bim, rows) {
  writeFileSync(join(folder, `${name}.fam`), `${fam.map((f) => f.join(" ")).join("\n")}\n`);
  writeFileSync(join(folder, `${name}.bim`), `${bim.map((b) => b.join("\t")).join("\n")}\n`);
  writeFileSync(join(folder, `${name}.bed`), pack(rows, fam.length));
}

const bases = ["A", "C", "G", "T"];
function variant(random, chrom, index, id) {
  const a1 = bases[Math.floor(random() * 4)];
  const a2 = bases[(bases.indexOf(a1) + 1 + Math.floor(random() * 3)) % 4];
  return [chrom, id ?? `snp${index}`, index / 10, 1000 + index * 7, a1, a2];
}

function fileset(name, { seed, n, chroms, perChrom, person, edges = true, missing = 0.05 }) {
  const random = generator(seed);
  const fam = Array.from({ length: n }, (_, i) => person(i, random));
  const bim = [];
  const rows = [];
  const kinds = edges ? ["all-missing", "all-het", "mono-a1", "mono-a2"] : [];
  for (const chrom of chroms) {
    for (let k = 0; k < perChrom; k++) {
      const row = variant(random, chrom, bim.length);
      bim.push(row);
      rows.push(codes(random, n, random(), random() < 0.3 ? 0 : random() * 2 * missing, kinds[k]));
    }
  }
  return { name, fam, bim, rows, random };
}

// Chromosomes of every kind, three sexes, founders and children, cases and controls, awkward alleles and positions.
const edge = fileset("edge", {
  seed: 20240711,
  n: 97,
  chroms: ["0", "1", "2", "22", "X", "Y", "XY", "MT"],
  perChrom: 9,
  person: (i, random) => {
    const child = i % 7 === 3;
    const sex = [1, 2, 1, 2, 0][Math.floor(random() * 5)];
    const phenotype = [1, 2, 1, 2, -9, 0][Math.floor(random() * 6)];
    return [`F${i >> 1}`, `I${i}`, child ? `I${i - 1}` : 0, child && i % 2 ? `I${i - 2}` : 0, sex, phenotype];
  },
});
edge.bim[10][4] = "0";
edge.bim[11][4] = "0";
edge.bim[12][5] = "0";
edge.bim[14][4] = "ACGTACGT";
edge.bim[15][5] = "ACCCT";
edge.bim[16][1] = "a_rather_long_variant_name:1:2:A:C";
edge.bim[13][3] = -9;
edge.bim[24][3] = -1;
edge.bim[23][3] = 0;
write(edge.name, edge.fam, edge.bim, edge.rows);

// Everybody a founder, a quantitative phenotype with gaps, family names of many lengths.
const quant = fileset("quant", {
  seed: 77,
  n: 64,
  chroms: ["3", "chr4", "23"],
  perChrom: 40,
  missing: 0.1,
  person: (i, random) => [
    i % 5 === 0 ? `family_with_long_name_${i}` : i + 1,
    `P${i}`,
    0,
    0,
    1 + (i % 2),
    random() < 0.1 ? "-9" : (random() * 4 - 2).toFixed(4),
  ],
});
write(quant.name, quant.fam, quant.bim, quant.rows);

// No phenotype at all, one person, allele frequencies of exactly one half.
const none = fileset("none", {
  seed: 5,
  n: 8,
  chroms: ["5", "24", "26"],
  perChrom: 12,
  missing: 0.1,
  person: (i) => ["0", `S${i}`, 0, 0, i % 3, -9],
});
none.rows[6] = [0, 3, 2, 2, 1, 0, 3, 2];
none.rows[7] = [0, 3, 2, 2, 2, 0, 0, 2];
write(none.name, none.fam, none.bim, none.rows);
