import {
  Binary,
  type Data,
  Dictionary,
  Field,
  FixedSizeBinary,
  FixedSizeList,
  Float32,
  Float64,
  Int8,
  Int32,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  type Table,
  Utf8,
} from "apache-arrow";

import { xError } from "./errors.ts";
import { type NumericArray, numericData } from "./vectors.ts";

/** How genotypes lie in a batch: PLINK's two bits, or one number a person. */
export type GenotypeForm = "packed" | "int8" | "float32" | "float64";

/** The array behind each form. */
export interface GenotypeArrays {
  /** `⌈n/4⌉` bytes a variant. */
  packed: Uint8Array;
  /** Copies of A1, −127 missing. */
  int8: Int8Array;
  /** Copies of A1, NaN missing. */
  float32: Float32Array;
  /** Copies of A1, NaN missing. */
  float64: Float64Array;
}

/** What the schema of a genotype batch says about its people. */
export interface GenotypeInfo {
  /** People. */
  samples: number;
  /** How the genotypes lie. */
  form: GenotypeForm;
  /** `sampleHash` of the people, in file order; "" when unknown. */
  sampleHash: string;
}

const field = (name: string, type: Field["type"], nullable = false): Field => new Field(name, type, nullable);

/**
 * People, one a row: `fid, iid, father, mother: Utf8` (`"0"` = unknown parent), `sex: Int8` (1 male, 2 female, null
 * unknown), `phenotype: Float64` (null = missing).
 */
export const samplesSchema: Schema = samplesSchemaOf(["phenotype"]);

/** `samplesSchema` with phenotypes of these names. */
export function samplesSchemaOf(phenotypes: readonly string[]): Schema {
  return new Schema([
    ...["fid", "iid", "father", "mother"].map((name) => field(name, new Utf8())),
    field("sex", new Int8(), true),
    ...phenotypes.map((name) => field(name, new Float64(), true)),
  ]);
}

/**
 * Arrow files name dictionaries by number; Arrow's own counter depends on what else the process has made, and files of
 * the same results must have the same bytes. Large, so that it meets no number of that counter.
 */
const CHROM_DICTIONARY = 0x6368_726f;

/** The dictionary type of every `chrom` column, so that batches of one stream agree on its id. */
export const chromType: Dictionary<Utf8, Int32> = new Dictionary(new Utf8(), new Int32(), CHROM_DICTIONARY);

/**
 * Variants, one a row: `chrom: Dictionary<Utf8>`, `id: Utf8`, `cm: Float64` (centimorgan, 0 = unknown), `pos: Int32`
 * (base pairs from 1), `a1, a2: Utf8`. A1 is the counted allele.
 */
export const variantsSchema: Schema = new Schema([
  field("chrom", chromType),
  field("id", new Utf8()),
  field("cm", new Float64()),
  field("pos", new Int32()),
  field("a1", new Utf8()),
  field("a2", new Utf8()),
]);

/**
 * Association results, one variant a row, in GEMMA's units: `chrom, id, pos, n_miss, allele1, allele0, af, beta, se,
 * logl_h1, l_remle, l_mle, p_wald, p_lrt, p_score` and −log10 of the three p-values, which stay exact below 1e-308.
 * Columns of tests that were not asked for are null.
 */
export const associationSchema: Schema = new Schema([
  field("chrom", chromType),
  field("id", new Utf8()),
  field("pos", new Int32()),
  field("n_miss", new Int32()),
  field("allele1", new Utf8()),
  field("allele0", new Utf8()),
  field("af", new Float64()),
  ...["beta", "se", "logl_h1", "l_remle", "l_mle", "p_wald", "p_lrt", "p_score"].map((name) =>
    field(name, new Float64(), true),
  ),
  ...["neg_log10_p_wald", "neg_log10_p_lrt", "neg_log10_p_score"].map((name) =>
    field(name, new Float64(), true),
  ),
]);

/**
 * Variants plus their genotypes of `samples` people: `packed: FixedSizeBinary[⌈n/4⌉]` (PLINK 1 codes, SNP-major) or
 * `g: FixedSizeList<Int8|Float32|Float64>[n]` (copies of A1). Missing is −127 in int8 and NaN in floats, never a
 * validity bitmap. Metadata: `samples`, `sampleHash`, `countedAllele` = `a1`, `missing`.
 */
export function genotypeSchema(
  samples: number,
  form: GenotypeForm = "packed",
  options: { sampleHash?: string } = {},
): Schema {
  const metadata = new Map([
    ["samples", String(samples)],
    ["sampleHash", options.sampleHash ?? ""],
    ["countedAllele", "a1"],
  ]);
  if (form !== "packed") metadata.set("missing", form === "int8" ? "-127" : "NaN");
  return new Schema([...variantsSchema.fields, genotypeField(samples, form)], metadata);
}

/**
 * Variants plus the haplotypes of `samples` people, one position a row: `a2` is REF, `a1` the ALTs with commas between.
 * `h: FixedSizeBinary[⌈2n/8⌉]` one bit a haplotype, lowest first, two a person, 1 = ALT; where there are several ALTs or
 * missing alleles it is null and `code: Binary` holds one byte a haplotype: 0 REF, k the k-th ALT, 255 missing.
 * Metadata: `samples`.
 */
export function haplotypesSchema(samples: number): Schema {
  const h = field("h", new FixedSizeBinary(Math.ceil((2 * samples) / 8)), true);
  const metadata = new Map([["samples", String(samples)]]);
  return new Schema([...variantsSchema.fields, h, field("code", new Binary(), true)], metadata);
}

function genotypeField(samples: number, form: GenotypeForm): Field {
  if (form === "packed") return field("packed", new FixedSizeBinary(Math.ceil(samples / 4)));
  const value = { int8: new Int8(), float32: new Float32(), float64: new Float64() }[form];
  return field("g", new FixedSizeList(samples, field("item", value)));
}

/** What a genotype schema says; `NOT_GENOTYPES` when it is none. */
export function genotypeInfo(schema: Schema): GenotypeInfo {
  const samples = Number(schema.metadata.get("samples") ?? Number.NaN);
  const last = schema.fields.at(-1);
  const list = last?.name === "g" ? String((last.type as FixedSizeList).children[0]?.type).toLowerCase() : "";
  const form = last?.name === "packed" ? "packed" : (list as GenotypeForm);
  if (Number.isSafeInteger(samples) && ["packed", "int8", "float32", "float64"].includes(form)) {
    return { samples, form, sampleHash: schema.metadata.get("sampleHash") ?? "" };
  }
  throw xError(
    "NOT_GENOTYPES",
    "this is no genotype batch: a column packed or g and the metadata samples are needed",
  );
}

/**
 * A genotype batch that shares both the variants' columns and the genotype array, without a copy: `values` holds one
 * row a variant, `⌈n/4⌉` bytes or n numbers each. `GENOTYPE_SHAPE` when the lengths do not fit.
 */
export function genotypeBatch(
  schema: Schema,
  variants: RecordBatch | Table,
  values: NumericArray,
): RecordBatch {
  const { samples, form } = genotypeInfo(schema);
  const rows = variants.numRows;
  const width = form === "packed" ? Math.ceil(samples / 4) : samples;
  if (values.length !== rows * width) {
    const message = `${values.length} values, ${rows * width} expected for ${rows} variants × ${width} (${samples} samples)`;
    throw xError("GENOTYPE_SHAPE", message, { details: { rows, samples, found: values.length } });
  }
  const columns = variantsSchema.fields.map((f) => singleChunk(variants, f.name));
  const type = schema.fields.at(-1)!.type;
  const genotypes =
    form === "packed"
      ? makeData({ type: type as FixedSizeBinary, length: rows, nullCount: 0, data: values as Uint8Array })
      : makeData({
          type: type as FixedSizeList,
          length: rows,
          nullCount: 0,
          child: numericData((type as FixedSizeList).children[0]!.type, values),
        });
  const data = makeData({
    type: new Struct(schema.fields),
    length: rows,
    nullCount: 0,
    children: [...columns, genotypes],
  });
  return new RecordBatch(schema, data);
}

/** The genotype array of a batch, without a copy; rows follow each other. Its kind is `genotypeInfo(schema).form`. */
export function genotypeValues<F extends GenotypeForm>(batch: RecordBatch, form: F): GenotypeArrays[F] {
  const info = genotypeInfo(batch.schema);
  if (info.form !== form) {
    throw xError("GENOTYPE_FORM", `the batch holds ${info.form} genotypes, ${form} were asked for`);
  }
  const data = batch.data.children[batch.schema.fields.length - 1] as Data;
  const width = form === "packed" ? Math.ceil(info.samples / 4) : info.samples;
  const holder = form === "packed" ? data : data.children[0]!;
  return holder.values.subarray(0, batch.numRows * width) as GenotypeArrays[F];
}

function singleChunk(variants: RecordBatch | Table, name: string): Data {
  const column = variants.getChild(name);
  if (!column) throw xError("COLUMN_MISSING", `the variants have no column ${name}`);
  if (column.data.length === 1) return column.data[0]!;
  throw xError(
    "GENOTYPE_SHAPE",
    `column ${name} comes in ${column.data.length} pieces; slice it to one batch`,
  );
}
