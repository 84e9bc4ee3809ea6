import { open, rename, rm } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { fromSystemError, type Warn } from "@x/core/base";
import type { AssociationColumns } from "../association-columns.ts";
import { type FilterCounts, noFilterCounts } from "../filter.ts";
import { packArrays, unpackArrays } from "./arrays.ts";
import { encodeFacts, type ShardFacts } from "./facts.ts";
import { encodeFrame, type Frame, readFrames } from "./frames.ts";
import { differingField, type RunIdentity } from "./identity.ts";

/** Results of the .bim rows `from` to `to`, with what the filter dropped among them. */
export interface JournalBlock {
  readonly from: number;
  readonly to: number;
  readonly columns: AssociationColumns;
  readonly filters: FilterCounts;
  readonly degenerate: number;
}

/** `.<name>.journal` beside the output. */
export function journalPath(out: string): string {
  return join(dirname(resolve(out)), `.${basename(out)}.journal`);
}

/**
 * Results as they come, so that a killed run can go on: one frame a block of variants, appended. Blocks follow each
 * other in file order from the first row of the run.
 */
export class Journal implements AsyncDisposable {
  readonly path: string;
  /** What an earlier run left, whole and of the same identity. */
  readonly blocks: readonly JournalBlock[];
  readonly #file: Awaited<ReturnType<typeof open>>;
  #at: number;

  private constructor(
    path: string,
    file: Awaited<ReturnType<typeof open>>,
    at: number,
    blocks: JournalBlock[],
  ) {
    this.path = path;
    this.#file = file;
    this.#at = at;
    this.blocks = blocks;
  }

  /** Goes on with the journal at `path` when it belongs to the same run, else begins one there. Warns JOURNAL_OTHER. */
  static async open(path: string, identity: RunIdentity, warn?: Warn): Promise<Journal> {
    const found = await readFrames(path).catch((e: { code?: string }) => {
      if (e.code === "ENOENT") return undefined;
      throw e;
    });
    const [first, ...rest] = found?.frames ?? [];
    const other = first === undefined ? undefined : differingField(first.head, identity);
    const same = first !== undefined && other === undefined;
    if (other !== undefined)
      warn?.({
        code: "JOURNAL_OTHER",
        message: `${path} was left by another run (its ${other} differs): nothing of it is used, and this run writes over it.`,
        details: { path, field: other },
      });
    try {
      const file = await open(path, same ? "r+" : "w");
      const journal = new Journal(path, file, same ? found!.good : 0, same ? rest.map(toBlock) : []);
      if (same) await file.truncate(found!.good);
      else await journal.#append({ head: { ...identity }, body: new Uint8Array() });
      return journal;
    } catch (e) {
      throw fromSystemError(e, path);
    }
  }

  async append(block: JournalBlock): Promise<void> {
    const { columns, ...rest } = block;
    const { arrays, body } = packArrays(columns);
    await this.#append({ head: { ...rest, arrays }, body });
  }

  /** Ends the journal with what the whole run knows and moves it to a final name: a shard. */
  async finish(path: string, facts: ShardFacts): Promise<void> {
    await this.#append(encodeFacts(facts));
    try {
      await this.#file.sync();
      await this.#file.close();
      await rename(this.path, path);
    } catch (e) {
      throw fromSystemError(e, path);
    }
  }

  /** The run has written its files: nothing is left to go on with. */
  async remove(): Promise<void> {
    await this.#file.close();
    await rm(this.path, { force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#file.close().catch(() => {}); // closed already by finish or remove
  }

  async #append(frame: Frame): Promise<void> {
    const bytes = encodeFrame(frame);
    try {
      for (let done = 0; done < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, this.#at + done);
        done += bytesWritten;
      }
    } catch (e) {
      throw fromSystemError(e, this.path);
    }
    this.#at += bytes.length;
  }
}

/** A block as its frame holds it. */
export function toBlock(frame: Frame): JournalBlock {
  const { from, to, filters, degenerate } = frame.head as unknown as JournalBlock;
  return { from, to, filters: { ...noFilterCounts(), ...filters }, degenerate, columns: unpackArrays(frame) };
}
