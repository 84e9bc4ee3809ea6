// A made-up population with linkage: every haplotype is a mosaic of a few ancestral ones, so that there is something to
// phase by. The same seed gives the same people.

/** Positions and haplotypes; codes as the reader numbers them (0 REF, ALTs in the order C, G, T). */
export interface Population {
  readonly samples: string[];
  readonly positions: number[];
  /** ALTs of each position. */
  readonly alts: string[][];
  /** Two codes a sample, position by position. */
  readonly codes: Uint8Array[];
  /** `kid father mother` of the trios. */
  readonly pedigree: { child: string; father: string; mother: string }[];
}

/** Whole numbers below n, always the same ones. */
export function dice(seed: number): (n: number) => number {
  let state = (seed * 2654435761 + 88675123) >>> 0 || 1;
  return (n) => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % n;
  };
}

export function simulate(o: {
  people: number;
  positions: number;
  seed: number;
  trios?: number;
  /** Every so many positions have two or three ALTs; 0: none. */
  multi?: number;
}): Population {
  const { people, positions, seed, trios = 0, multi = 6 } = o;
  const roll = dice(seed);
  const ancestors = 12;
  const alts = Array.from({ length: positions }, (_, l) =>
    ["C", "G", "T"].slice(0, multi > 0 && l % multi === multi - 1 ? 2 + roll(2) : 1),
  );
  const ancestral = Array.from({ length: ancestors }, () =>
    alts.map((a, l) => (roll(8) <= l % 6 ? 1 + roll(a.length) : 0)),
  );
  const mosaic = (): number[] => {
    let from = roll(ancestors);
    return alts.map((_, l) => {
      if (roll(60) === 0) from = roll(ancestors);
      return ancestral[from]![l]!;
    });
  };
  const child = (a: number[], b: number[]): number[] => {
    let side = roll(2) === 0;
    return a.map((code, l) => {
      if (roll(200) === 0) side = !side;
      return side ? code : b[l]!;
    });
  };
  const haplotypes: number[][] = [];
  const samples: string[] = [];
  const pedigree: Population["pedigree"] = [];
  for (let t = 0; t < trios; t++) {
    const [a, b, c, d] = [mosaic(), mosaic(), mosaic(), mosaic()];
    haplotypes.push(a, b, c, d, child(a, b), child(c, d));
    samples.push(`dad${t}`, `mum${t}`, `kid${t}`);
    pedigree.push({ child: `kid${t}`, father: `dad${t}`, mother: `mum${t}` });
  }
  while (samples.length < people) {
    haplotypes.push(mosaic(), mosaic());
    samples.push(`s${samples.length}`);
  }
  return {
    samples,
    positions: Array.from({ length: positions }, (_, l) => 10_000 + 20_000 * l + roll(9000)),
    alts,
    codes: alts.map((_, l) => Uint8Array.from(haplotypes, (h) => h[l]!)),
    pedigree,
  };
}

export interface Written {
  /** With bars; without, the lower allele first, as a caller writes it. */
  readonly phased?: boolean;
  /** One call in so many is missing, and one row of a position in so many; 0: none. */
  readonly missing?: number;
  /** Multiallelic positions as rows of one ALT (default), as one record, or both in turn. */
  readonly rows?: "split" | "joined" | "mixed";
  /** Rows of a position in the opposite order. */
  readonly reversed?: boolean;
  /** Samples with one haplotype, the first of two, written with one allele. */
  readonly haploids?: readonly string[];
  readonly chrom?: string;
  /** Only these samples, positions by index. */
  readonly samples?: readonly string[];
  readonly keep?: (locus: number) => boolean;
}

/** Text of a VCF. */
export function toVcf(p: Population, o: Written = {}): string {
  const { phased = false, missing = 0, rows = "split", chrom = "20", keep = () => true } = o;
  const roll = dice(99);
  const names = o.samples ?? p.samples;
  const columns = names.map((name) => p.samples.indexOf(name));
  const lines: string[] = [];
  for (const [l, alts] of p.alts.entries()) {
    if (!keep(l)) continue;
    const joined = alts.length > 1 && (rows === "joined" || (rows === "mixed" && l % 2 === 0));
    const gone = columns.map(() => missing > 0 && roll(missing) === 0);
    const records = (joined ? [alts] : alts.map((alt) => [alt])).map((list) => {
      const cells = columns.map((s, i) => {
        const absent = gone[i] || (missing > 0 && roll(2 * missing) === 0);
        const seen = [0, 1].map((h) => list.indexOf(alts[p.codes[l]![2 * s + h]! - 1] ?? "") + 1);
        if (o.haploids?.includes(p.samples[s]!)) return absent ? "." : String(seen[0]);
        if (absent) return "./.";
        return phased ? seen.join("|") : seen.sort().join("/");
      });
      const site = [chrom, p.positions[l], `r${l}`, "A", list.join(","), ".", "PASS", "DP=7", "GT"];
      return [...site, ...cells].join("\t");
    });
    lines.push(...(o.reversed ? records.reverse() : records));
  }
  const head = [
    "##fileformat=VCFv4.2",
    `##contig=<ID=${chrom},length=63025520>`,
    '##INFO=<ID=DP,Number=1,Type=Integer,Description="Depth">',
    '##FORMAT=<ID=GT,Number=1,Type=String,Description="Genotype">',
    `#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t${names.join("\t")}`,
  ];
  return `${[...head, ...lines].join("\n")}\n`;
}
