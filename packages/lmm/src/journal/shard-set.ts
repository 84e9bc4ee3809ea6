import { lmmError, lmmFileError } from "../errors.ts";
import { decodeFacts, type ShardFacts } from "./facts.ts";
import { readFrames } from "./frames.ts";
import { differingField, type RunIdentity } from "./identity.ts";
import { type JournalBlock, toBlock } from "./journal.ts";
import { parseShard, type Shard } from "./shard.ts";

/** A finished shard. */
export interface ReadShard {
  readonly path: string;
  readonly identity: RunIdentity;
  readonly shard: Shard;
  readonly blocks: readonly JournalBlock[];
  readonly facts: ShardFacts;
}

/** Reads a shard. @throws SHARD_HASH when it is cut, damaged or no shard. */
export async function readShard(path: string): Promise<ReadShard> {
  const { frames, good, size } = await readFrames(path);
  const [first, ...rest] = frames;
  const last = rest.pop();
  if (good !== size || !first || last?.head.end !== true)
    throw lmmFileError(
      "SHARD_HASH",
      path,
      first
        ? `the shard is whole up to byte ${good} of ${size}${good === size ? ", but its end is missing" : ""}: it was cut or damaged. Run this shard again`
        : "this is no shard of lmm gwas, or its first bytes are damaged",
      { byte: good },
    );
  const identity = first.head as unknown as RunIdentity;
  return {
    path,
    identity,
    shard: parseShard(identity.shard),
    blocks: rest.map(toBlock),
    facts: decodeFacts(last),
  };
}

/** The shards of one run in order. @throws SHARD_SET that lists what is missing, doubled or of another run. */
export function checkSet(shards: readonly ReadShard[]): readonly ReadShard[] {
  const [first] = shards;
  if (!first) throw setError("no shard is given", {});
  const { count } = first.shard;
  for (const { path, shard, identity } of shards) {
    if (shard.count !== count)
      throw setError(`${path} is one of ${shard.count} shards, ${first.path} one of ${count}`, {
        field: "shard",
      });
    const field = differingField({ ...first.identity }, identity, ["range", "shard"]);
    if (field !== undefined)
      throw setError(
        `${path} is of another run than ${first.path}: ${field} is ${identity[field]} here and ${first.identity[field]} there`,
        { field },
      );
  }
  const indices = shards.map((s) => s.shard.index);
  const all = Array.from({ length: count }, (_, i) => i + 1);
  const missing = all.filter((i) => !indices.includes(i));
  const doubled = all.filter((i) => indices.filter((k) => k === i).length > 1);
  const complaints = [
    ...(missing.length > 0 ? [`missing: ${missing.join(", ")}`] : []),
    ...(doubled.length > 0 ? [`there more than once: ${doubled.join(", ")}`] : []),
  ];
  if (complaints.length > 0)
    throw setError(`of ${count} shards ${complaints.join("; ")}`, { missing, doubled });
  return [...shards].sort((a, b) => a.shard.index - b.shard.index);
}

function setError(message: string, details: Record<string, unknown>) {
  return lmmError("SHARD_SET", `${message}. Give each shard of one run once.`, { details });
}
