import { spawnSync } from "node:child_process";
import { join } from "node:path";

const BIN = join(import.meta.dirname, "../../bin/plink-io.mjs");

/** What a run of the real program left. */
export interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

/** Runs bin/plink-io.mjs with this Node. */
export function plinkIo(args: readonly string[], { cwd, uid }: { cwd?: string; uid?: number } = {}): Ran {
  const result = spawnSync(process.execPath, [BIN, ...args], {
    encoding: "utf8",
    timeout: 30_000,
    ...(cwd && { cwd }),
    ...(uid !== undefined && { uid, gid: uid }),
  });
  return { status: result.status, stdout: result.stdout, stderr: result.stderr };
}

export { BIN };
