import type { AssociationRun } from "../associate.ts";
import { type AssociationColumns, concatColumns } from "../association-columns.ts";
import { noWork } from "../association-pass.ts";
import { addFilterCounts, type FilterCounts, noFilterCounts } from "../filter.ts";
import type { Journal } from "./journal.ts";

/** An association whose blocks go through a journal. */
export interface ResumableRun extends Pick<AssociationRun, "filters" | "degenerate" | "work" | "columns"> {
  /** Variants whose results an earlier run had left. */
  readonly resumed: number;
}

/**
 * The results of the .bim rows of `range`: those of the journal first, the others from `start`, written to the journal as they
 * come. What comes out is the same whether anything was in the journal or not.
 */
export function resumable(
  start: (range: readonly [number, number]) => AssociationRun,
  [from, to]: readonly [number, number],
  journal: Journal,
): ResumableRun {
  const next = journal.blocks.at(-1)?.to ?? from;
  let filters = journal.blocks.reduce((sum, block) => addFilterCounts(sum, block.filters), noFilterCounts());
  let degenerate = journal.blocks.reduce((sum, block) => sum + block.degenerate, 0);
  const before = { filters, degenerate };
  let run: AssociationRun | undefined;

  async function* columns(): AsyncGenerator<AssociationColumns> {
    for (const block of journal.blocks) if (block.columns.index.length > 0) yield block.columns;
    if (next === to) return;
    const testing = start([next, to]);
    run = testing;
    let done: { filters: FilterCounts; degenerate: number } = { filters: noFilterCounts(), degenerate: 0 };
    const record = async (block: AssociationColumns): Promise<void> => {
      const now = { filters: testing.filters, degenerate: testing.degenerate };
      await journal.append({
        from: next + done.filters.total,
        to: next + now.filters.total,
        columns: block,
        filters: addFilterCounts(now.filters, done.filters, -1),
        degenerate: now.degenerate - done.degenerate,
      });
      done = now;
      filters = addFilterCounts(before.filters, now.filters);
      degenerate = before.degenerate + now.degenerate;
    };
    for await (const block of testing.columns()) {
      await record(block);
      yield block;
    }
    // Variants at the end of which the filter kept none.
    if (done.filters.total < to - next) await record(concatColumns([]));
  }

  return {
    get filters() {
      return filters;
    },
    get degenerate() {
      return degenerate;
    },
    get work() {
      return run?.work ?? noWork();
    },
    resumed: next - from,
    columns,
  };
}
