/** Training: K steps a call, state in the worker, everything random from a key. */
import { type Batch, fitShapes, joinBatches } from "./batches.ts";
import {
  type CheckpointLabels,
  type KeyReport,
  loadCheckpoint,
  requireAllKeys,
  saveCheckpoint,
  type TrainState,
} from "./checkpoint.ts";
import type { DeviceReport, PrecisionReport } from "./device.ts";
import type { Data } from "./dtype.ts";
import { trainError } from "./errors.ts";
import { type EvaluationSession, openEvaluation, PART } from "./evaluation-session.ts";
import type { Values } from "./messages.ts";
import type { Model } from "./model.ts";
import type { Optimizer, Schedule } from "./optimizer.ts";
import type { Layout } from "./params.ts";
import { ask, readSlots, unlessAborted } from "./runtime.ts";
import { momentName, pieceNames, type TrainGraph } from "./train-graph.ts";

/** What one step did. */
export interface Step {
  /** From 0. */
  readonly step: number;
  /** Of this step's batch, before the update. */
  readonly loss: number;
  /** The model's parts. */
  readonly parts: Readonly<Record<string, number>>;
  /** Norm of the gradient before clipping. */
  readonly gradientNorm: number;
  /** False where loss or gradient was not finite: the weights were left alone. */
  readonly applied: boolean;
  /** Names of the parts that were not finite. */
  readonly notFinite: readonly string[];
  /** Loss scale of float16. */
  readonly lossScale: number;
  /** Steps a second of the call this step was in. */
  readonly stepsPerSecond: number;
}

/** What `evaluate` finds. */
export interface Evaluation {
  /** Of the batch. */
  readonly loss: number;
  /** The model's parts. */
  readonly parts: Readonly<Record<string, number>>;
  /** The model's outputs, flat, with their shapes. */
  readonly outputs: Readonly<Record<string, NumberArray>>;
}

/** Numbers with a shape. */
export interface NumberArray<D extends Data = Data> {
  /** Lengths. */
  readonly shape: readonly number[];
  /** Row-major. */
  readonly data: D;
}

/** What a trainer was compiled into. @internal */
export interface Plan {
  readonly model: Model;
  readonly optimizer: Optimizer;
  readonly steps: TrainGraph;
  readonly trained: Layout;
  readonly frozen: Layout;
  readonly schedules: Readonly<Record<string, Schedule>>;
  readonly labels: CheckpointLabels;
  readonly stepsPerCall: number;
  readonly threads: number;
  readonly memory: "fast" | "low";
  readonly profile: boolean;
}

let trainers = 0;

/** A model in training. Dispose it (`await using`) to free its sessions. */
export class Trainer implements AsyncDisposable {
  /** Where it runs, and why there. */
  readonly device: DeviceReport;
  /** What matrix products are computed in, and why. */
  readonly precision: PrecisionReport;
  /** @internal */
  readonly plan: Plan;
  readonly #session: number;
  readonly #slot: string;
  readonly #evaluations = new Map<string, Promise<EvaluationSession>>();
  #step = 0;
  #seed = 0;
  #skipped = 0;
  #inflight: Promise<unknown> = Promise.resolve();
  #running = false;
  #unreported: Promise<readonly Step[]> | undefined;
  #closed = false;

  /** @internal */
  constructor(plan: Plan, session: number, reports: { device: DeviceReport; precision: PrecisionReport }) {
    this.plan = plan;
    this.#session = session;
    this.#slot = `${++trainers}/`;
    this.device = reports.device;
    this.precision = reports.precision;
  }

  /** Steps done so far; those of a call under way do not count yet. */
  get step(): number {
    return this.#step;
  }

  /** Steps that were left out because loss or gradient was not finite, since `compile` or `load`. */
  get skipped(): number {
    return this.#skipped;
  }

  /** Number of trained weights. */
  get size(): number {
    return this.plan.trained.places.reduce((n, p) => n + p.size, 0);
  }

  /**
   * Trains on each batch in turn and yields what each step did. The state is that after the last call of
   * `stepsPerCall` steps. After an abort (within 2 s) the call under way still counts. `BATCH_SHAPE` for a batch that
   * does not fit, `TRAINER_BUSY` while another run goes on.
   */
  async *run(
    batches: Iterable<Batch> | AsyncIterable<Batch>,
    { signal }: { signal?: AbortSignal } = {},
  ): AsyncGenerator<Step> {
    this.#open();
    if (this.#running) throw trainError("TRAINER_BUSY", "this trainer is running already");
    this.#running = true;
    const source = chunks(batches, this.plan.stepsPerCall);
    try {
      let chunk = await unlessAborted(source.next(), signal);
      while (!chunk.done) {
        const call = this.#call(chunk.value);
        // Gathered while onnxruntime is busy with the ones before.
        const following = source.next();
        following.catch(() => {});
        this.#unreported = call;
        const steps = await unlessAborted(call, signal);
        this.#unreported = undefined;
        yield* steps;
        chunk = await unlessAborted(following, signal);
      }
    } finally {
      this.#running = false;
      void source.return(undefined);
    }
  }

  /**
   * The steps of a call that was under way when `run` was aborted: they count, but `run` has not given them. Waits for
   * the call; empty where there is none.
   */
  async unreported(): Promise<readonly Step[]> {
    const call = this.#unreported;
    this.#unreported = undefined;
    return (await call) ?? [];
  }

  /** Loss, parts and outputs of one batch of any size, without noise. Resident inputs must be given here. */
  async evaluate(batch: Batch): Promise<Evaluation> {
    const { values, outputs, parts } = await this.#evaluate(batch);
    const number = (name: string): number => Number(values![name]!.data[0]);
    return {
      loss: number("loss"),
      parts: Object.fromEntries(parts.map((name) => [name.slice(PART.length), number(name)])),
      outputs: arrays(values!, outputs),
    };
  }

  /**
   * Some outputs of one batch of any size, without noise: only what they need is computed, and inputs they do not need
   * may be left out. `GRAPH_NAME` for an output the model does not have.
   */
  async compute(batch: Batch, outputs: readonly string[]): Promise<Readonly<Record<string, NumberArray>>> {
    const { values } = await this.#evaluate(batch, outputs);
    return arrays(values!, outputs);
  }

  async #evaluate(
    batch: Batch,
    chosen?: readonly string[],
  ): Promise<{ values: Values | undefined } & EvaluationSession> {
    this.#open();
    const key = chosen?.join("\n") ?? "";
    let made = this.#evaluations.get(key);
    if (!made) {
      made = openEvaluation(this.plan, this.device.used, chosen);
      this.#evaluations.set(key, made);
    }
    const found = await made;
    const feeds = fitShapes(this.plan.model.inputs, found.inputs, batch);
    const read = Object.fromEntries(found.vectors.map((name) => [name, this.#slot + name]));
    await this.#inflight.catch(() => {});
    const outputs = chosen ?? ["loss", ...found.parts, ...found.outputs];
    const reply = await ask({ kind: "run", session: found.session, feeds, read, write: {}, outputs });
    return { ...found, values: reply.values };
  }

  /** The weights by path, copied; trained and frozen. */
  async weights(): Promise<Record<string, NumberArray<Float32Array>>> {
    this.#open();
    await this.#inflight.catch(() => {});
    const { trained, frozen } = this.plan;
    const entries = [
      [trained, await this.#read("weights", trained)],
      [frozen, await this.#read("frozen", frozen)],
    ] as const;
    return Object.fromEntries(
      entries.flatMap(([{ places }, vector]) =>
        places.map(({ name, spec, offset, size }) => [
          name,
          { shape: spec.shape, data: vector.slice(offset, offset + size) },
        ]),
      ),
    );
  }

  /** The trained weights as `state` gives them, alone: moments are twice as much to copy. @internal */
  async trainedWeights(): Promise<Float32Array> {
    this.#open();
    await this.#inflight.catch(() => {});
    return this.#read("weights", this.plan.trained);
  }

  /** Puts them back, and leaves everything else as it is. @internal */
  async restoreWeights(weights: Float32Array): Promise<void> {
    this.#open();
    await this.#inflight.catch(() => {});
    await this.#write(this.#cut("weights", this.plan.trained, weights));
  }

  /**
   * Writes everything needed to go on as if nothing had happened, atomically, as `<path>.safetensors`; returns that
   * path. Waits for a call under way. `extra` is kept in its metadata as JSON, for whoever wants to find it there, and
   * `config` in place of that of `compile`.
   */
  async save(path: string, { extra, config }: { extra?: unknown; config?: unknown } = {}): Promise<string> {
    return saveCheckpoint(path, await this.state(), this.plan, {
      ...this.plan.labels,
      ...(config !== undefined && { config: JSON.stringify(config) }),
      extra: JSON.stringify(extra ?? null),
    });
  }

  /**
   * Goes on from a checkpoint: `CHECKPOINT_KEYS` with all names unless every tensor fits. With `strict: false` takes over
   * the weights that fit and leaves the rest, optimiser and step as they are, for fine-tuning. The report says what
   * went where. Other errors: `CHECKPOINT_FORMAT`, `CHECKPOINT_TRUNCATED`, `CHECKPOINT_VERSION`, `CHECKPOINT_REGISTRY`.
   */
  async load(path: string, { strict = true }: { strict?: boolean } = {}): Promise<KeyReport> {
    const { trained, frozen, optimizer, labels } = this.plan;
    const found = loadCheckpoint(path, [trained, frozen], strict ? labels.registry : undefined);
    if (strict) requireAllKeys(path, found.keys);
    const state = await this.state();
    found.fill(state.weights, trained);
    found.fill(state.frozen, frozen);
    if (!strict) {
      await this.restore(state);
      return found.keys;
    }
    if (found.labels.optimizer !== optimizer.name || !found.hasMoments(optimizer.moments))
      requireAllKeys(path, {
        ...found.keys,
        missing: optimizer.moments.map((m) => `moments ${m} of ${optimizer.name}`),
      });
    for (const name of optimizer.moments) found.fill(state.moments[name]!, trained, name);
    const { step, updates, scaler, seed } = found;
    await this.restore({ ...state, step, updates, scaler, seed });
    return found.keys;
  }

  /** A copy of everything that training carries. */
  async state(): Promise<TrainState> {
    this.#open();
    await this.#inflight.catch(() => {});
    const { optimizer, trained, frozen } = this.plan;
    const values = await readSlots(["count", "scaler"].map((name) => this.#slot + name));
    const data = (name: string): Data => values[this.#slot + name]!.data;
    const [scale, good] = data("scaler") as Float32Array;
    const moments: Record<string, Float32Array> = {};
    for (const m of optimizer.moments) moments[m] = await this.#read(momentName(m), trained);
    return {
      weights: await this.#read("weights", trained),
      frozen: await this.#read("frozen", frozen),
      moments,
      step: this.#step,
      updates: Number(data("count")[0]),
      scaler: [scale!, good!],
      seed: this.#seed,
    };
  }

  /** Puts a state back; moments left out begin at 0. */
  async restore(state: TrainState): Promise<void> {
    this.#open();
    await this.#inflight.catch(() => {});
    const { trained, frozen, optimizer } = this.plan;
    await this.#write(this.#cut("weights", trained, state.weights));
    await this.#write(this.#cut("frozen", frozen, state.frozen));
    for (const m of optimizer.moments) await this.#write(this.#cut(momentName(m), trained, state.moments[m]));
    await this.#write({
      count: { dtype: "int64", dims: [], data: BigInt64Array.of(BigInt(state.updates)) },
      scaler: { dtype: "float32", dims: [2], data: Float32Array.from(state.scaler) },
    });
    this.#step = state.step;
    this.#seed = state.seed;
    this.#skipped = 0;
  }

  /** Frees the sessions; waits for a call under way. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#inflight.catch(() => {});
    if (this.plan.profile) await ask({ kind: "profile", session: this.#session });
    const slots = [...this.#stateNames(), ...pieceNames("frozen", this.plan.frozen)];
    await ask({ kind: "release", session: this.#session, slots: slots.map((s) => this.#slot + s) });
    for (const making of this.#evaluations.values()) {
      const evaluation = await making.catch(() => undefined);
      if (evaluation) await ask({ kind: "release", session: evaluation.session, slots: [] });
    }
  }

  /** A vector, joined from the pieces in the worker. */
  async #read(name: string, layout: Layout): Promise<Float32Array> {
    const names = pieceNames(name, layout).map((piece) => this.#slot + piece);
    const values = await readSlots(names);
    const whole = new Float32Array(layout.size);
    for (const [i, { offset }] of layout.pieces.entries())
      whole.set(values[names[i]!]!.data as Float32Array, offset);
    return whole;
  }

  /** The pieces of a vector, copied; zeros where there is none. */
  #cut(name: string, layout: Layout, vector: Float32Array | undefined): Values {
    const names = pieceNames(name, layout);
    return Object.fromEntries(
      layout.pieces.map(({ offset, size, shape }, i) => [
        names[i]!,
        {
          dtype: "float32",
          dims: shape,
          data: vector ? vector.slice(offset, offset + size) : new Float32Array(size),
        },
      ]),
    );
  }

  /** Gives values to the worker. */
  async #write(values: Values): Promise<void> {
    const named = Object.entries(values).map(([name, value]) => [this.#slot + name, value]);
    const buffers = Object.values(values).map((value) => value.data.buffer as ArrayBuffer);
    await ask({ kind: "set", values: Object.fromEntries(named) }, buffers);
  }

  /** What a step carries, in the order of the graph's first inputs and outputs. */
  #stateNames(): string[] {
    const { optimizer, trained } = this.plan;
    const vectors = ["weights", ...optimizer.moments.map(momentName)];
    return [...vectors.flatMap((name) => pieceNames(name, trained)), "count", "scaler"];
  }

  #open(): void {
    if (this.#closed) throw trainError("TRAINER_CLOSED", "this trainer has been closed");
  }

  #call(batches: readonly Batch[]): Promise<Step[]> {
    const call = this.#inflight.catch(() => {}).then(() => this.#send(batches));
    this.#inflight = call;
    return call;
  }

  async #send(batches: readonly Batch[]): Promise<Step[]> {
    const { steps, schedules, optimizer, frozen } = this.plan;
    const first = this.#step;
    const feeds = joinBatches(steps, batches, {
      step: first,
      seed: this.#seed,
      rate: optimizer.rate,
      schedules,
    });
    const state = this.#stateNames();
    const outputs = steps.graph.outputs.map((t) => t.name);
    const read = Object.fromEntries(
      [...state, ...pieceNames("frozen", frozen)].map((name) => [name, this.#slot + name]),
    );
    const write = Object.fromEntries(state.map((name, i) => [outputs[i]!, this.#slot + name]));
    const buffers = Object.values(feeds).flatMap((v) => {
      if (!v.sparse) return [v.data.buffer as ArrayBuffer];
      const given = v.sparse.filter((rows) => rows.yours);
      return given.flatMap((r) => [r.indptr, r.indices, r.values].map((a) => a.buffer as ArrayBuffer));
    });
    const started = performance.now();
    const { values } = await ask(
      { kind: "run", session: this.#session, feeds, read, write, outputs },
      buffers,
    );
    const stepsPerSecond = (1000 * batches.length) / (performance.now() - started);
    this.#step += batches.length;
    const watched = outputs.slice(state.length).map((name) => values![name]!.data as Float32Array);
    const [loss, norm, ok, scale, ...rest] = watched as [
      Float32Array,
      Float32Array,
      Float32Array,
      Float32Array,
    ];
    return batches.map((_, i) => {
      const parts = Object.fromEntries(
        steps.parts.map((name, j) => [name, (rest as Float32Array[])[j]![i]!]),
      );
      if (ok[i] !== 1) this.#skipped++;
      return {
        step: first + i,
        loss: loss[i]!,
        parts,
        gradientNorm: norm[i]!,
        applied: ok[i] === 1,
        notFinite: steps.parts.filter((name) => !Number.isFinite(parts[name])),
        lossScale: scale[i]!,
        stepsPerSecond,
      };
    });
  }
}

function arrays(values: Values, names: readonly string[]): Record<string, NumberArray> {
  return Object.fromEntries(
    names.map((name) => [name, { shape: values[name]!.dims, data: values[name]!.data }]),
  );
}

/** Batches in groups of k; the last group may be smaller. */
async function* chunks(batches: Iterable<Batch> | AsyncIterable<Batch>, k: number): AsyncGenerator<Batch[]> {
  let open: Batch[] = [];
  for await (const batch of batches) {
    open.push(batch);
    if (open.length < k) continue;
    yield open;
    open = [];
  }
  if (open.length > 0) yield open;
}
