import {
  chromType,
  dictionaryVector,
  fromForeign,
  genotypeInfo,
  genotypeValues,
  isTable,
  numericVector,
  samplesSchemaOf,
  utf8Vector,
  variantsSchema,
  vectorOf,
  xError,
} from "@x/core";
import { makeData, RecordBatch, type Schema, Struct, Table, type TypeMap, type Vector } from "apache-arrow";
import type { FreqColumns } from "./frequency.ts";
import type { HardyColumns } from "./hardy.ts";
import type { SampleMissing, VariantMissing } from "./missing.ts";
import type { CountTypes, SampleTypes, VariantTypes } from "./table-types.ts";
import { StringTexts, type Texts } from "./texts.ts";
import type { BimColumns, FamColumns } from "./types.ts";
import type { GenotypeBlock } from "./write.ts";

/** `fid iid father mother sex phenotype phenotype2 …`; unknown sex and missing phenotypes are null. */
export function samplesTable(fam: FamColumns): Table<SampleTypes> {
  const names = fam.phenotypes.map((_, k) => (k === 0 ? "phenotype" : `phenotype${k + 1}`));
  const sexUnknown = fam.sex.map((sex) => (sex === 0 ? 1 : 0));
  return tableOf(samplesSchemaOf(names), fam.iid.length, [
    ...[fam.fid, fam.iid, fam.father, fam.mother].map((column) => utf8Vector(column)),
    numericVector(fam.sex, sexUnknown),
    ...fam.phenotypes.map(nullable),
  ]);
}

/** `chrom id cm pos a1 a2`, in one batch. */
export function variantsTable(bim: BimColumns): Table<VariantTypes> {
  return tableOf(variantsSchema, bim.pos.length, [
    dictionaryVector(bim.chrom, chromType),
    utf8Vector(bim.id),
    numericVector(bim.cm),
    numericVector(bim.pos),
    utf8Vector(bim.a1),
    utf8Vector(bim.a2),
  ]);
}

function tableOf(schema: Schema, length: number, columns: readonly Vector[]): Table {
  const children = columns.map((column) => column.data[0]!);
  const data = makeData({ type: new Struct(schema.fields), length, nullCount: 0, children });
  return new Table(schema, [new RecordBatch(schema, data)]);
}

/** NaN becomes null. */
function nullable(values: Float64Array): Vector {
  return numericVector(values, Array.from(values, Number.isNaN));
}

type ReportColumn = Texts | Int8Array | Int32Array | Float64Array;

/** A report: texts, whole numbers, and numbers in which NaN becomes null. */
export function reportTable<T extends TypeMap>(columns: Readonly<Record<keyof T, ReportColumn>>): Table<T> {
  const vectors = Object.entries<ReportColumn>(columns).map(([name, values]) => {
    if (values instanceof Float64Array) return [name, nullable(values)] as const;
    if (ArrayBuffer.isView(values)) return [name, vectorOf(values)] as const;
    const strings = values.strings();
    return [name, name === "chrom" ? dictionaryVector(strings) : utf8Vector(strings)] as const;
  });
  return new Table(Object.fromEntries(vectors)) as unknown as Table<T>;
}

/** The columns of variantCounts. */
export function countsTable(
  bim: BimColumns,
  rows: Uint32Array,
  counts: Uint32Array,
  hwe: Float64Array,
): Table<CountTypes> {
  const every = (column: number): Int32Array => Int32Array.from(rows, (_, k) => counts[4 * k + column]!);
  const [homA1, het, homA2, missing] = [0, 1, 2, 3].map(every) as [
    Int32Array,
    Int32Array,
    Int32Array,
    Int32Array,
  ];
  const copies = homA1.map((hom, k) => 2 * hom + het[k]!);
  const typed = homA1.map((hom, k) => hom + het[k]! + homA2[k]!);
  const pick = (column: readonly string[]): Texts => new StringTexts(Array.from(rows, (j) => column[j]!));
  return reportTable<CountTypes>({
    chrom: pick(bim.chrom),
    id: pick(bim.id),
    pos: Int32Array.from(rows, (j) => bim.pos[j]!),
    a1: pick(bim.a1),
    a2: pick(bim.a2),
    n_missing: missing,
    hom_a1: homA1,
    het,
    hom_a2: homA2,
    a1_count: copies,
    af: Float64Array.from(copies, (count, k) => count / (2 * typed[k]!)),
    hwe_p: hwe.map((p, k) => (typed[k] === 0 ? Number.NaN : p)),
  });
}

/** Genotypes of a record batch of core's schema. */
export function batchGenotypes(batch: RecordBatch): GenotypeBlock {
  const { form } = genotypeInfo(batch.schema);
  const values = genotypeValues(batch, form);
  if (form === "packed") return { rows: batch.numRows, packed: values as Uint8Array };
  return { rows: batch.numRows, dosages: values as Int8Array | Float32Array | Float64Array };
}

/** Plain variant columns of a table or batch; plain columns come back as they are. */
export function bimColumns(variants: Table | RecordBatch | BimColumns): BimColumns {
  if (!("schema" in variants)) return variants;
  const table = isTable(variants) ? fromForeign(variants) : variants;
  return {
    chrom: texts(table, "chrom"),
    id: texts(table, "id"),
    cm: numbers(table, "cm"),
    pos: Int32Array.from(numbers(table, "pos")),
    a1: texts(table, "a1"),
    a2: texts(table, "a2"),
  };
}

/** Plain sample columns of a table; null phenotypes become NaN, null sex 0. */
export function famColumns(samples: Table | FamColumns): FamColumns {
  if (!("schema" in samples)) return samples;
  const table = fromForeign(samples);
  const known = new Set(["fid", "iid", "father", "mother", "sex"]);
  const phenotypes = table.schema.fields.map((field) => field.name).filter((name) => !known.has(name));
  return {
    fid: texts(table, "fid"),
    iid: texts(table, "iid"),
    father: texts(table, "father"),
    mother: texts(table, "mother"),
    sex: Int8Array.from(numbers(table, "sex"), (sex) => (Number.isNaN(sex) ? 0 : sex)),
    phenotypes: phenotypes.map((name) => numbers(table, name)),
  };
}

/** Table of `freq` back to plain columns. */
export function freqColumns(table: Table): FreqColumns {
  return {
    ...named(table, ["chrom", "id", "a1", "a2"]),
    maf: numbers(table, "maf"),
    nchrobs: Int32Array.from(numbers(table, "nchrobs")),
  };
}

/** Variant table of `missing` back to plain columns. */
export function variantMissing(table: Table): VariantMissing {
  return { ...named(table, ["chrom", "id"]), ...missingColumns(table) };
}

/** Sample table of `missing` back to plain columns. */
export function sampleMissing(table: Table): SampleMissing {
  const missPheno = Int8Array.from(numbers(table, "miss_pheno"));
  return { ...named(table, ["fid", "iid"]), miss_pheno: missPheno, ...missingColumns(table) };
}

/** Table of `hardy` back to plain columns. */
export function hardyColumns(table: Table): HardyColumns {
  const whole = (name: string): Int32Array => Int32Array.from(numbers(table, name));
  return {
    ...named(table, ["chrom", "id", "test", "a1", "a2"]),
    hom_a1: whole("hom_a1"),
    het: whole("het"),
    hom_a2: whole("hom_a2"),
    o_het: numbers(table, "o_het"),
    e_het: numbers(table, "e_het"),
    p: numbers(table, "p"),
  };
}

function named<K extends string>(table: Table, names: readonly K[]): Record<K, Texts> {
  const columns = names.map((name) => [name, new StringTexts(texts(table, name))] as const);
  return Object.fromEntries(columns) as unknown as Record<K, Texts>;
}

function missingColumns(table: Table): Pick<VariantMissing, "n_miss" | "n_geno" | "f_miss"> {
  const [missing, total] = [numbers(table, "n_miss"), numbers(table, "n_geno")];
  return {
    n_miss: Int32Array.from(missing),
    n_geno: Int32Array.from(total),
    f_miss: numbers(table, "f_miss"),
  };
}

function column(table: Table | RecordBatch, name: string): Vector {
  const found = table.getChild(name);
  if (found) return found;
  const names = table.schema.fields.map((field) => field.name).join(", ");
  throw xError("COLUMN_MISSING", `the table has no column ${name} (it has ${names}).`, {
    details: { column: name },
  });
}

function texts(table: Table | RecordBatch, name: string): string[] {
  return Array.from(column(table, name), (value) => String(value));
}

function numbers(table: Table | RecordBatch, name: string): Float64Array {
  return Float64Array.from(column(table, name), (value) => (value === null ? Number.NaN : Number(value)));
}
