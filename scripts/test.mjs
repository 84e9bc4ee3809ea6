// Runs vitest (tiers unit and reference; --scale runs only the scale tier) and cargo test, then prints one line
// `N passed, N failed` over both. Exits non-zero when anything failed or nothing ran.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";

const scale = process.argv.includes("--scale");
const filters = process.argv.slice(2).filter((arg) => arg !== "--scale");
const folder = mkdtempSync(join(tmpdir(), "x-test-"));
const totals = { passed: 0, failed: 0, skipped: 0 };
const failures = []; // named again at the end, below pages of output
let broken = false;

try {
  await vitest();
  if (!scale && filters.length === 0) await cargo();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
if (broken && totals.failed === 0) totals.failed = 1; // a runner that died without naming a test
for (const failure of failures) console.log(`failed: ${failure}`);
if (totals.skipped > 0) console.log(`${totals.skipped} skipped`);
console.log(`${totals.passed} passed, ${totals.failed} failed`);
process.exitCode = totals.failed > 0 || totals.passed === 0 ? 1 : 0;

async function vitest() {
  const report = join(folder, "vitest.json");
  const args = ["run", "--reporter=default", "--reporter=json", `--outputFile.json=${report}`, ...filters];
  const { code } = await run("vitest", args, { ...process.env, X_TEST_TIER: scale ? "scale" : "normal" });
  try {
    const counts = JSON.parse(readFileSync(report, "utf8"));
    totals.passed += counts.numPassedTests;
    totals.failed += counts.numFailedTests;
    totals.skipped += counts.numPendingTests + counts.numTodoTests;
    for (const file of counts.testResults) failures.push(...failuresOf(file));
  } catch {
    broken = true;
  }
  if (code !== 0) broken = true;
}

/** One line a failed test, or a failed file: where it is and what it said first. */
function failuresOf({ name, status, message, assertionResults }) {
  const file = relative(process.cwd(), name);
  const failed = assertionResults.filter((test) => test.status === "failed");
  if (status === "failed" && failed.length === 0) return [`${file}: ${firstLine(message)}`];
  return failed.map((test) => `${file} > ${test.fullName}: ${firstLine(test.failureMessages[0])}`);
}

function firstLine(text = "") {
  return text.trim().split("\n")[0].slice(0, 300);
}

/** The binding crates are left out: their Node symbols resolve only inside Node. */
async function cargo() {
  const doors = ["x-door", "x-native-linalg", "x-native-phasing"].flatMap((name) => ["--exclude", name]);
  const args = ["test", "--workspace", ...doors, "--no-fail-fast", "--quiet"];
  const { code, output } = await run("cargo", args, process.env);
  for (const [, passed, failed, ignored] of output.matchAll(
    /^test result: .*? (\d+) passed; (\d+) failed; (\d+) ignored/gm,
  )) {
    totals.passed += Number(passed);
    totals.failed += Number(failed);
    totals.skipped += Number(ignored);
  }
  for (const [, name] of output.matchAll(/^---- (\S+) stdout ----/gm)) failures.push(`cargo test ${name}`);
  if (code !== 0) broken = true;
}

/** Streams the output through and keeps it. */
function run(command, args, env) {
  return new Promise((resolve) => {
    const child = spawn(command, args, {
      env,
      stdio: ["ignore", "pipe", "inherit"],
      shell: process.platform === "win32",
    });
    let output = "";
    child.stdout.on("data", (chunk) => {
      output += chunk;
      process.stdout.write(chunk);
    });
    child.on("error", (error) => {
      console.error(`${command}: ${error.message}`);
      resolve({ code: 1, output });
    });
    child.on("close", (code) => resolve({ code, output }));
  });
}
