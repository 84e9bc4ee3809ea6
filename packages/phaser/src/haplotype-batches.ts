import { haplotypesSchema, variantsSchema } from "@x/core";
import {
  Binary,
  type Data,
  Field,
  FixedSizeList,
  Float32,
  Int32,
  makeData,
  makeVector,
  RecordBatch,
  Schema,
  Struct,
  vectorFromArray,
} from "apache-arrow";
import { type GeneticMap, uniformMap } from "./genetic-map.ts";
import type { Loci } from "./loci.ts";
import { now } from "./native.ts";
import type { PhaseConfidence } from "./phased.ts";

/** Options of {@link haplotypeBatches}. */
export interface HaplotypeBatchOptions {
  /** Phased codes, two a sample, locus after locus; the calls as read by default. */
  readonly haplotypes?: Uint8Array;
  /** Loci in a batch; 1,024 by default. */
  readonly chunk?: number;
  /** Adds the columns `phase_confidence` (one float a sample) and `code_confidence` (two), NaN where there is none. */
  readonly confidence?: PhaseConfidence;
  /** For the column `cm`; 1 cM/Mb by default. */
  readonly map?: GeneticMap;
}

/**
 * Haplotypes as Arrow batches of core's haplotype schema, one locus a row: `a2` REF, `a1` the ALTs in the order of their
 * codes with commas between; `h` one bit a haplotype (lowest first, two a sample) where there is one ALT and nothing
 * is missing, else null and `code` holds one byte a haplotype (0 REF, k the k-th ALT, 255 missing).
 */
export function* haplotypeBatches(loci: Loci, options: HaplotypeBatchOptions = {}): Generator<RecordBatch> {
  const { chunk = 1024, map = uniformMap(), haplotypes = null, confidence } = options;
  const samples = loci.samples.length;
  const schema = confidence ? withConfidence(samples) : haplotypesSchema(samples);
  const chrom = loci.chrom;
  const all = loci.positions;
  const cm = map.at(all);
  for (let from = 0; from < loci.length; from += chunk) {
    const to = Math.min(loci.length, from + chunk);
    const rows = to - from;
    const packed = now(() => loci.native.haplotypes(from, to, haplotypes));
    const names = locusNames(loci, from, to);
    const columns: Data[] = [
      vectorFromArray(Array<string>(rows).fill(chrom), schema.fields[0]!.type).data[0]!,
      vectorFromArray(names.id, variantsSchema.fields[1]!.type).data[0]!,
      makeVector(cm.slice(from, to)).data[0]!,
      makeData({
        type: new Int32(),
        length: rows,
        nullCount: 0,
        data: Int32Array.from(all.subarray(from, to)),
      }),
      vectorFromArray(names.a1, variantsSchema.fields[4]!.type).data[0]!,
      vectorFromArray(names.a2, variantsSchema.fields[5]!.type).data[0]!,
      ...haplotypeColumns(packed, rows, samples, schema.fields[6]!.type),
      ...(confidence
        ? [
            floatLists(schema, 8, confidence.phase, from, to),
            floatLists(schema, 9, confidence.codes, from, to),
          ]
        : []),
    ];
    const data = makeData({ type: new Struct(schema.fields), length: rows, nullCount: 0, children: columns });
    yield new RecordBatch(schema, data);
  }
}

function withConfidence(samples: number): Schema {
  const { fields, metadata } = haplotypesSchema(samples);
  const floats = (name: string, width: number): Field =>
    new Field(name, new FixedSizeList(width, new Field("item", new Float32(), false)), false);
  const more = [floats("phase_confidence", samples), floats("code_confidence", 2 * samples)];
  return new Schema([...fields, ...more], metadata);
}

/** Rows `from … to` of a column of float lists. */
function floatLists(schema: Schema, column: number, values: Float32Array, from: number, to: number): Data {
  const type = schema.fields[column]!.type as FixedSizeList<Float32>;
  const data = values.subarray(from * type.listSize, to * type.listSize);
  const child = makeData({ type: new Float32(), length: data.length, nullCount: 0, data });
  return makeData({ type, length: to - from, nullCount: 0, child });
}

type Packed = { bits: Uint8Array; codes: Uint8Array; coded: Uint8Array };

function haplotypeColumns(packed: Packed, rows: number, samples: number, type: Data["type"]): [Data, Data] {
  const [hasBits, hasCodes] = [new Uint8Array((rows + 7) >> 3), new Uint8Array((rows + 7) >> 3)];
  const offsets = new Int32Array(rows + 1);
  let coded = 0;
  for (let i = 0; i < rows; i++) {
    const mask = packed.coded[i] ? hasCodes : hasBits;
    mask[i >> 3]! |= 1 << (i & 7);
    coded += packed.coded[i]!;
    offsets[i + 1] = offsets[i]! + packed.coded[i]! * 2 * samples;
  }
  const bits = { type, length: rows, nullCount: coded, nullBitmap: hasBits, data: packed.bits };
  const code = { type: new Binary(), length: rows, nullCount: rows - coded, nullBitmap: hasCodes };
  return [
    makeData(bits as Parameters<typeof makeData>[0]),
    makeData({ ...code, valueOffsets: offsets, data: packed.codes }),
  ];
}

/** One id, REF and list of ALTs a locus: of several rows, the longest REF, and ALTs written against it. */
function locusNames(loci: Loci, from: number, to: number): { id: string[]; a1: string[]; a2: string[] } {
  const sites = now(() => loci.native.sites(from, to));
  return { id: sites.id, a1: sites.alt, a2: sites.reference };
}
