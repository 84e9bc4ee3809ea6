// npm run bench                     every benchmark; npm run bench lmm gram: these two
// npm run bench phaser -- --set raremulti --tool ours: a part of one that takes long; the rest of its results stays
// npm run bench -- --repeats 7 --large --scratch /fast/disk
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { describeMachine } from "./lib/machine.mjs";
import { compete } from "./lib/measure.mjs";
import { findPeers, INSTALL } from "./lib/peers.mjs";

const here = import.meta.dirname;
const known = readdirSync(here).filter((name) => existsSync(join(here, name, "bench.mjs")));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    repeats: { type: "string", default: "5" },
    large: { type: "boolean", default: false },
    scratch: { type: "string", default: tmpdir() },
    set: { type: "string", multiple: true, default: [] },
    tool: { type: "string", multiple: true, default: [] },
    threads: { type: "string", multiple: true, default: [] },
    growth: { type: "string", multiple: true, default: [] },
    results: { type: "string", default: join(here, "results") },
  },
});
const unknown = positionals.filter((name) => !known.includes(name));
const { set, tool, threads, growth } = values;
const only = { set, tool, threads, growth };
const repeats = Number(values.repeats);
if (unknown.length > 0 || !(repeats >= 1)) {
  console.error(
    unknown.length > 0
      ? `no benchmark ${unknown.join(", ")}; there are ${known.join(", ")}`
      : "--repeats wants 1 or more",
  );
  process.exit(2);
}

const peers = findPeers();
for (const [name, hint] of Object.entries(INSTALL))
  if (!peers[name]) console.log(`· ${name} is not here and is left out (${hint})`);

for (const name of positionals.length > 0 ? positionals : known) {
  const { default: bench } = await import(`./${name}/bench.mjs`);
  const machine = describeMachine(peers);
  const scratch = mkdtempSync(join(values.scratch, `bench-${name}-`));
  console.log(`\n# ${name}: ${bench.title}\n`);
  try {
    const log = (text) => process.stderr.isTTY && process.stderr.write(`\r\x1b[K· ${text}`);
    const race = (contenders, options) => compete(contenders, { repeats, log, ...options });
    const notes = [];
    const note = (text) => {
      notes.push(text);
      console.log(`· ${text}`);
    };
    const found = await bench.run({ peers, scratch, race, note, repeats, large: values.large, only });
    const file = join(values.results, `${name}.json`);
    // A benchmark that runs in parts makes its tables of all parts measured so far.
    const data = bench.tables
      ? merge(existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).data : {}, found.data)
      : found.data;
    const tables = bench.tables ? bench.tables(data) : found.tables;
    log("");
    for (const table of tables) console.log(`${table}\n`);
    for (const { what, value, limit, ok } of bench.floors?.(data) ?? []) {
      console.log(`${ok ? "ok  " : "FAIL"} ${what}: ${value} (${limit})`);
      if (!ok) process.exitCode = 1;
    }
    for (const [title, message] of failures(data)) console.log(`· ${title} did not run: ${message}`);
    if (tables.length > 0) {
      mkdirSync(values.results, { recursive: true });
      writeFileSync(
        file,
        `${JSON.stringify({ name, title: bench.title, machine, repeats, notes, tables, data }, drop, 2)}\n`,
      );
    }
  } catch (error) {
    // What could not be measured is not judged.
    console.log(`· ${name} could not run: ${error.message}`);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Objects key by key, anything else by the new value. */
function merge(old, found) {
  const plain = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  if (!plain(old) || !plain(found)) return found;
  const out = { ...old };
  for (const [key, value] of Object.entries(found)) out[key] = key in old ? merge(old[key], value) : value;
  return out;
}

function* failures(data, path = "") {
  for (const [key, value] of Object.entries(data ?? {})) {
    if (value?.failed) yield [path + key, value.failed];
    else if (value && typeof value === "object" && !Array.isArray(value))
      yield* failures(value, `${path}${key}: `);
  }
}

/** What commands printed is read by the benchmark and not worth keeping. */
function drop(key, value) {
  return key === "outputs" ? undefined : value;
}
