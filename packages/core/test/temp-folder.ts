import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

import { afterAll } from "vitest";

/** A folder that goes when the test file has run. */
export function tempFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "x-core-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Where the sources are, for scripts of child processes. */
export const SRC: string = fileURLToPath(new URL("../src/", import.meta.url));

/** What a child process left. */
export interface Exit {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  seconds: number;
}

/** A child process under way. */
export interface Child {
  kill(signal: NodeJS.Signals): void;
  /** Resolves once stdout or stderr holds the text. */
  said(text: string): Promise<void>;
  exit: Promise<Exit>;
}

/** Runs a TypeScript module (Node 24 strips the types), imports relative to `src` as `$SRC/…`. */
export function runScript(
  folder: string,
  code: string,
  options: { shell?: string; args?: string[] } = {},
): Child {
  const file = join(folder, `script-${Math.random().toString(36).slice(2)}.ts`);
  writeFileSync(file, code.replaceAll("$SRC/", SRC));
  const command = options.shell
    ? ["sh", "-c", options.shell.replaceAll("$SCRIPT", `'${process.execPath}' '${file}'`)]
    : [process.execPath, file, ...(options.args ?? [])];
  return runCommand(command);
}

/** Runs a command and collects what it says. */
export function runCommand(command: readonly string[], env: NodeJS.ProcessEnv = process.env): Child {
  const { NODE_OPTIONS: _, VITEST: __, ...clean } = env;
  const started = performance.now();
  const child = spawn(command[0]!, command.slice(1), { env: clean, stdio: ["ignore", "pipe", "pipe"] });
  const said = { stdout: "", stderr: "" };
  let waiting: (() => void)[] = [];
  for (const name of ["stdout", "stderr"] as const) {
    child[name].on("data", (chunk) => {
      said[name] += chunk;
      const now = waiting;
      waiting = [];
      for (const check of now) check();
    });
  }
  const exit = new Promise<Exit>((done, fail) => {
    child.on("error", fail);
    child.on("close", (code, signal) =>
      done({ code, signal, ...said, seconds: (performance.now() - started) / 1000 }),
    );
  });
  return {
    exit,
    kill: (signal) => void child.kill(signal),
    said: (text) =>
      new Promise((done) => {
        const check = (): void => {
          if ((said.stdout + said.stderr).includes(text)) done();
          else waiting.push(check);
        };
        check();
      }),
  };
}

/** Matches an `XError` of this code. */
export function code(name: string): { code: string } {
  return { code: name };
}
