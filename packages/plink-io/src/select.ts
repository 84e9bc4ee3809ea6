import { type XError, xError } from "@x/core/base";
import { chromosomeKey } from "./chromosomes.ts";
import type { BimColumns, FamColumns, SelectOptions } from "./types.ts";

/**
 * .bim rows that meet every condition, rising.
 *
 * @throws XError OPTION_RANGE (a range or row outside the file, a region that cannot be read), NO_VARIANTS_AFTER_FILTER.
 */
export function selectVariants(bim: BimColumns, options: SelectOptions): Uint32Array {
  const p = bim.pos.length;
  const { range, rows, ids, chrom, region } = options;
  const [from, to] = range ?? [0, p];
  if (!Number.isInteger(from) || !Number.isInteger(to) || from < 0 || to > p || from >= to)
    throw outside("range", `[${from}, ${to})`, `0 ≤ from < to ≤ ${p}`);
  let kept = rows === undefined ? span(from, to) : checkedRows(rows, from, to, p);
  if (ids !== undefined) {
    const wanted = new Set(ids);
    kept = kept.filter((j) => wanted.has(bim.id[j]!));
  }
  if (chrom !== undefined) {
    const wanted = new Set((typeof chrom === "string" ? [chrom] : chrom).map(chromosomeKey));
    const keys = keysByName(bim);
    kept = kept.filter((j) => wanted.has(keys.get(bim.chrom[j]!)!));
  }
  if (region !== undefined) {
    const { key, start, end } = parseRegion(region);
    const keys = keysByName(bim);
    kept = kept.filter((j) => keys.get(bim.chrom[j]!) === key && bim.pos[j]! >= start && bim.pos[j]! <= end);
  }
  if (kept.length === 0)
    throw xError("NO_VARIANTS_AFTER_FILTER", `none of the ${p} variants is left by ${describe(options)}.`, {
      details: { variants: p },
    });
  return kept;
}

/** The whole numbers from `from` up to `to`. */
export function span(from: number, to: number): Uint32Array {
  const rows = new Uint32Array(to - from);
  for (let k = 0; k < rows.length; k++) rows[k] = from + k;
  return rows;
}

function checkedRows(rows: ArrayLike<number>, from: number, to: number, p: number): Uint32Array {
  const kept = new Uint32Array(rows);
  for (let k = 0; k < kept.length; k++)
    if (rows[k] !== kept[k] || kept[k]! >= p || (k > 0 && kept[k]! <= kept[k - 1]!))
      throw outside("rows", `${rows[k]} at place ${k}`, `whole numbers from 0 to ${p - 1}, rising`);
  return from === 0 && to === p ? kept : kept.filter((j) => j >= from && j < to);
}

function keysByName(bim: BimColumns): Map<string, string> {
  return new Map([...new Set(bim.chrom)].map((name) => [name, chromosomeKey(name)]));
}

function parseRegion(region: string): { key: string; start: number; end: number } {
  const match = /^([^:]+)(?::(\d[\d,]*)(-)?(\d[\d,]*)?)?$/.exec(region.trim());
  if (match === null)
    throw outside("region", JSON.stringify(region), "CHROM, CHROM:POS, CHROM:FROM- or CHROM:FROM-TO");
  const [, name, first, dash, last] = match;
  const number = (text: string): number => Number(text.replaceAll(",", ""));
  const start = first === undefined ? Number.NEGATIVE_INFINITY : number(first);
  const end =
    last !== undefined ? number(last) : dash || first === undefined ? Number.POSITIVE_INFINITY : start;
  if (end < start) throw outside("region", JSON.stringify(region), "FROM not beyond TO");
  return { key: chromosomeKey(name!), start, end };
}

function describe(options: SelectOptions): string {
  const parts = [];
  if (options.range) parts.push(`range [${options.range.join(", ")})`);
  if (options.ids) parts.push("ids");
  if (options.chrom !== undefined) parts.push(`chrom ${options.chrom}`);
  if (options.region !== undefined) parts.push(`region ${options.region}`);
  if (options.rows) parts.push("rows");
  return parts.join(" and ");
}

/**
 * Sample indices to keep, in the order asked for; undefined when nobody is left out and the order is the file's.
 *
 * @throws XError SAMPLE_UNKNOWN, SAMPLE_AMBIGUOUS, DUP_SAMPLE, OPTION_RANGE, NO_SAMPLES_AFTER_FILTER.
 */
export function selectSamples(fam: FamColumns, samples: SelectOptions["samples"]): Uint32Array | undefined {
  if (samples === undefined) return undefined;
  const n = fam.iid.length;
  if (samples.length === 0)
    throw xError("NO_SAMPLES_AFTER_FILTER", `none of the ${n} samples is left.`, { details: { samples: n } });
  const keep =
    typeof samples[0] === "string"
      ? byName(fam, samples as readonly string[])
      : Uint32Array.from(samples as ArrayLike<number>);
  const seen = new Uint8Array(n);
  keep.forEach((i, k) => {
    if (i >= n || (typeof samples[k] === "number" && samples[k] !== i))
      throw outside("samples", String(samples[k]), `whole numbers from 0 to ${n - 1}`);
    if (seen[i] === 1)
      throw xError("DUP_SAMPLE", `sample ${fam.fid[i]} ${fam.iid[i]} is asked for twice.`, {
        details: { index: i },
      });
    seen[i] = 1;
  });
  return keep.length === n && keep.every((i, k) => i === k) ? undefined : keep;
}

function byName(fam: FamColumns, names: readonly string[]): Uint32Array {
  const index = sampleIndex(fam);
  return Uint32Array.from(names, (name) => {
    const found = index.get(name.replace(/[ \t]+/, "\t"));
    if (found === undefined)
      throw xError("SAMPLE_UNKNOWN", `sample ${JSON.stringify(name)} is not in the .fam.`, {
        details: { name },
      });
    if (found < 0)
      throw xError(
        "SAMPLE_AMBIGUOUS",
        `individual ${JSON.stringify(name)} is in several families. Write "FID IID".`,
        { details: { name } },
      );
    return found;
  });
}

/** Index of each sample under `FID⇥IID` and under `IID`; −1 where an IID belongs to several families. */
export function sampleIndex(fam: FamColumns): Map<string, number> {
  const index = new Map<string, number>();
  fam.iid.forEach((iid, i) => {
    index.set(iid, index.has(iid) ? -1 : i);
  });
  fam.iid.forEach((iid, i) => {
    index.set(`${fam.fid[i]}\t${iid}`, i);
  });
  return index;
}

function outside(option: string, found: string, expected: string): XError {
  return xError("OPTION_RANGE", `${option}: found ${found}, expected ${expected}.`, {
    usage: true,
    details: { option },
  });
}
