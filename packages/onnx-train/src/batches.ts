/** Batches: what a step is fed, checked and joined, and the noise that belongs to it. */
import { Random } from "@x/core/base";
import { type DType, emptyData, toData } from "./dtype.ts";
import { trainError } from "./errors.ts";
import type { Dim } from "./graph.ts";
import type { Feeds, SparseRows } from "./messages.ts";
import { at, type Schedule } from "./optimizer.ts";
import { ROWS, type TrainGraph } from "./train-graph.ts";

/**
 * The inputs of one step by name: flat arrays in row-major order, or compressed rows of a float32 matrix. Resident
 * inputs are left out, `rows` picks from them.
 */
export type Batch = Readonly<Record<string, ArrayLike<number> | BigInt64Array | SparseRows>>;

const isSparse = (x: Batch[string] | undefined): x is SparseRows => x !== undefined && "indptr" in x;

/** How many numbers an input stands for. */
function lengthOf(x: Batch[string] | undefined): number | undefined {
  return isSparse(x) ? (x.indptr.length - 1) * x.columns : x?.length;
}

/** What K steps are fed. */
export function joinBatches(
  graph: TrainGraph,
  batches: readonly Batch[],
  {
    step,
    seed,
    rate,
    schedules,
  }: { step: number; seed: number; rate: Schedule; schedules: Readonly<Record<string, Schedule>> },
): Feeds {
  const k = batches.length;
  const values: Feeds = {};
  const wanted = [...graph.inputs];
  const rows = graph.graph.inputs.find((t) => t.name === ROWS);
  if (rows) wanted.push({ name: ROWS, dtype: "int64", shape: rows.shape.slice(1) as number[] });
  for (const { name, dtype, shape } of wanted) {
    const size = shape.reduce((a, b) => a * b, 1);
    batches.forEach((batch, i) => {
      const length = lengthOf(batch[name]);
      if (length !== size) throw batchError(step + i, name, length, shape);
    });
    const sparse = batches.map((batch) => batch[name]).filter(isSparse);
    if (sparse.length === k && dtype === "float32") {
      values[name] = { dims: [k, ...shape], sparse };
      continue;
    }
    const all = emptyData(dtype, k * size);
    batches.forEach((batch, i) => {
      all.set(toData(dtype, plain(batch[name]!)) as never, i * size);
    });
    values[name] = { dtype, dims: [k, ...shape], data: all };
  }
  graph.noise.forEach(({ input, kind, shape }, slot) => {
    const size = shape.reduce((a, b) => a * b, 1);
    const all = new Float32Array(k * size);
    for (let i = 0; i < k; i++) {
      // A stream for each step and noise: what a step draws depends on the seed and its number alone.
      const random = new Random(seed, (BigInt(step + i) << 16n) + BigInt(slot) + NOISE);
      for (let j = 0; j < size; j++)
        all[i * size + j] = kind === "normal" ? random.normal() : random.u32() / 2 ** 32;
    }
    values[input] = { dtype: "float32", dims: [k, ...shape], data: all };
  });
  const perStep = (name: string, schedule: Schedule): void => {
    values[name] = {
      dtype: "float32",
      dims: [k],
      data: Float32Array.from({ length: k }, (_, i) => at(schedule, step + i)),
    };
  };
  perStep("rate", rate);
  for (const name of graph.schedules) perStep(`schedule.${name}`, schedules[name]!);
  return values;
}

/** The numbers themselves, where the others of a call are not compressed or not float32. */
function plain(x: Batch[string]): ArrayLike<number> | BigInt64Array {
  if (!isSparse(x)) return x;
  const { columns, indptr, indices, values } = x;
  const all = new Float32Array((indptr.length - 1) * columns);
  for (let row = 0, j = 0; row + 1 < indptr.length; row++)
    for (const end = indptr[row + 1]!; j < end; j++) all[row * columns + indices[j]!]! += values[j]!;
  return all;
}

/** Apart from the streams of first weights and shuffles. */
const NOISE = 1n << 62n;
const SHUFFLE = 1n << 61n;

function batchError(step: number, name: string, found: number | undefined, shape: readonly Dim[]): Error {
  const what = found === undefined ? "is missing" : `has ${found} numbers`;
  const message = `step ${step}: input ${name} ${what}, [${shape.join(", ")}] was expected`;
  return trainError("BATCH_SHAPE", message, { details: { step, input: name, found, shape } });
}

/** Reads the lengths that inputs leave open from the data: shapes of one evaluation. */
export function fitShapes(
  inputs: Readonly<Record<string, { readonly shape: readonly Dim[]; readonly dtype: DType }>>,
  names: readonly string[],
  batch: Batch,
): Feeds {
  const dims: Record<string, number> = {};
  const solve = (dim: Dim): number | undefined => (typeof dim === "number" ? dim : dims[dim]);
  // Inputs that are not asked for tell lengths too.
  const told = Object.keys(inputs);
  for (let round = 0; round < told.length; round++)
    for (const name of told) {
      const open = [...new Set(inputs[name]!.shape.filter((d) => solve(d) === undefined))];
      if (open.length !== 1 || batch[name] === undefined) continue;
      const known = inputs[name]!.shape.reduce<number>((n, d) => n * (solve(d) ?? 1), 1);
      dims[open[0]!] = lengthOf(batch[name])! / known;
    }
  const values: Feeds = {};
  for (const name of names) {
    const { shape, dtype } = inputs[name]!;
    const fixed = shape.map((d) => solve(d) ?? Number.NaN);
    const size = fixed.reduce((a, b) => a * b, 1);
    const given = batch[name];
    if (given === undefined || lengthOf(given) !== size) throw batchError(0, name, lengthOf(given), shape);
    if (isSparse(given) && dtype === "float32") values[name] = { dims: fixed, sparse: [given] };
    else values[name] = { dtype, dims: fixed, data: toData(dtype, plain(given)) };
  }
  return values;
}

/**
 * Row numbers of the batches from step `from` on: each epoch is a new shuffle that depends on the seed and the epoch
 * alone, so that a resumed run goes on where it was. The rest of an epoch that fills no batch is left out.
 */
export function* shuffledRows(
  rows: number,
  batch: number,
  { seed = 0, from = 0, steps }: { seed?: number; from?: number; steps: number },
): Generator<Int32Array> {
  const each = Math.floor(rows / batch);
  if (each < 1)
    throw trainError("BATCH_SHAPE", `${rows} rows do not fill a batch of ${batch}`, { usage: true });
  let epoch = -1;
  let order = new Int32Array(0);
  for (let step = from; step < from + steps; step++) {
    const now = Math.floor(step / each);
    if (now !== epoch) {
      epoch = now;
      order = new Random(seed, BigInt(epoch) + SHUFFLE).shuffle(
        Int32Array.from({ length: rows }, (_, i) => i),
      );
    }
    const start = (step % each) * batch;
    yield order.slice(start, start + batch);
  }
}
