/** The one thread that talks to onnxruntime: `run` there blocks its thread until the native call is over. */
import { parentPort } from "node:worker_threads";
import type * as Ort from "onnxruntime-node";
import type { Feeds, Reply, Request, SparseRows, Values } from "./messages.ts";

const sessions = new Map<number, Ort.InferenceSession>();
/** Values that stay here between calls: weights and moments. */
const slots = new Map<string, Ort.Tensor>();
/** Memory of compressed inputs by session and name: fresh pages in each call would cost more than what is written to them. */
const spread = new Map<number, Map<string, Float32Array>>();
let ort: typeof Ort | undefined;
let next = 1;

parentPort!.on("message", (request: Request) => {
  queue = queue.then(() => answer(request));
});
let queue: Promise<void> = Promise.resolve();

async function answer(request: Request): Promise<void> {
  const reply: Reply = { id: request.id };
  try {
    Object.assign(reply, await handle(request));
  } catch (e) {
    const { message, code } = e as { message?: string; code?: string };
    reply.error = { message: message ?? String(e), code };
  }
  const buffers = Object.values(reply.values ?? {}).map((v) => v.data.buffer as ArrayBuffer);
  parentPort!.postMessage(reply, [...new Set(buffers)]);
}

async function handle(request: Request): Promise<Partial<Reply>> {
  ort ??= await import("onnxruntime-node");
  const { InferenceSession, Tensor } = ort;
  const wrap = ({ dtype, dims, data }: Values[string]): Ort.Tensor =>
    new Tensor(dtype as "float32", data as Float32Array, dims);
  switch (request.kind) {
    case "create": {
      const made = await InferenceSession.create(
        request.model,
        request.options as Ort.InferenceSession.SessionOptions,
      );
      sessions.set(next, made);
      return { session: next++ };
    }
    case "run": {
      const session = sessions.get(request.session)!;
      const feeds: Record<string, Ort.Tensor> = {};
      for (const [name, value] of Object.entries(request.feeds))
        feeds[name] = wrap(value.sparse ? dense(request.session, name, value) : value);
      for (const [name, slot] of Object.entries(request.read)) feeds[name] = slots.get(slot)!;
      const out = await session.run(feeds, request.outputs);
      for (const [name, slot] of Object.entries(request.write)) slots.set(slot, out[name]!);
      const back = request.outputs.filter((name) => !Object.hasOwn(request.write, name));
      return { values: unwrap(back.map((name) => [name, out[name]!])) };
    }
    case "set":
      for (const [name, value] of Object.entries(request.values)) slots.set(name, wrap(value));
      return {};
    case "get":
      return { values: unwrap(request.names.map((name) => [name, slots.get(name)!])) };
    case "release": {
      for (const name of request.slots) slots.delete(name);
      const session = sessions.get(request.session);
      sessions.delete(request.session);
      spread.delete(request.session);
      await session?.release();
      return {};
    }
    case "profile":
      sessions.get(request.session)!.endProfiling();
      return {};
  }
}

/** Compressed rows as the numbers they stand for. */
function dense(
  session: number,
  name: string,
  { dims, sparse }: Feeds[string] & { sparse: readonly SparseRows[] },
): Values[string] {
  const memory = spread.get(session) ?? new Map<string, Float32Array>();
  spread.set(session, memory);
  const size = dims.reduce((a, b) => a * b, 1);
  let all = memory.get(name);
  if (!all || all.length < size) {
    all = new Float32Array(size);
    memory.set(name, all);
  }
  let base = 0;
  for (const { columns, indptr, indices, values } of sparse)
    for (let row = 1, j = 0; row < indptr.length; row++, base += columns) {
      // Cleared and filled while it is in the nearest cache.
      all.fill(0, base, base + columns);
      for (const end = indptr[row]!; j < end; j++) all[base + indices[j]!]! += values[j]!;
    }
  return { dtype: "float32", dims, data: all.subarray(0, size) };
}

/** Copies: what onnxruntime allocated cannot be handed to another thread. */
function unwrap(entries: readonly (readonly [string, Ort.Tensor])[]): Values {
  return Object.fromEntries(
    entries.map(([name, t]) => [
      name,
      { dtype: t.type as Values[string]["dtype"], dims: t.dims, data: (t.data as Float32Array).slice() },
    ]),
  );
}
