// Every root script passes through here: set up what is missing, build what changed, then run the task.
// A warm second run costs only turbo's cache check. Plain Node 20 JavaScript, no dependencies.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const tools = join(root, ".cache", "tools");
const windows = process.platform === "win32";
const pnpm = join(tools, "node_modules", ".bin", windows ? "pnpm.cmd" : "pnpm");

/** What each task needs built and what it then runs (with the pinned Node first on PATH). */
const tasks = {
  build: { build: true },
  demo: { build: true, run: ["node", "scripts/demo.mjs"] },
  test: { build: true, run: ["node", "scripts/test.mjs"] },
  "test:scale": { build: true, run: ["node", "scripts/test.mjs", "--scale"] },
  lint: { build: true, run: ["node", "scripts/lint.mjs"] },
  docs: { build: true, run: ["node", "scripts/docs.mjs"] },
  bench: { build: true, run: ["node", "benchmarks/run.mjs"] },
  format: { run: ["biome", "check", "--write", "."] },
};

const [name, ...rest] = process.argv.slice(2);
const task = tasks[name];
if (!task) stop(`usage: node scripts/bootstrap.mjs ${Object.keys(tasks).join("|")}`, 2);
if (Number(process.versions.node.split(".")[0]) < 20) {
  stop(`set-up needs Node 20 or newer to start with (this is ${process.version})`, 2);
}

process.chdir(root);
process.env.PATH = [
  join(root, "node_modules", ".bin"),
  join(tools, "node_modules", ".bin"),
  process.env.PATH,
].join(delimiter);
// onnxruntime-node would download CUDA libraries on install; CUDA is optional and set up by hand.
process.env.ONNXRUNTIME_NODE_INSTALL = "skip";
process.env.TURBO_TELEMETRY_DISABLED = "1";
process.env.DO_NOT_TRACK = "1";

fetchPnpm();
install();
if (task.build) build();
if (task.run) run(task.run[0], [...task.run.slice(1), ...rest]);

function fetchPnpm() {
  const { packageManager } = JSON.parse(readFileSync("package.json", "utf8"));
  const version = packageManager.split("@")[1];
  const found = join(tools, "node_modules", "pnpm", "package.json");
  if (existsSync(pnpm) && JSON.parse(readFileSync(found, "utf8")).version === version) return;
  say(`fetching pnpm ${version}`);
  mkdirSync(tools, { recursive: true });
  run(
    "npm",
    ["install", "--prefix", tools, "--no-save", "--no-package-lock", "--loglevel=error", `pnpm@${version}`],
    {
      quiet: true,
    },
  );
}

/** Skipped while the lock file and every manifest are the ones installed last. */
function install() {
  const folders = readdirSync("packages").map((name) => `packages/${name}`);
  const packages = [...folders.sort(), "native/linalg", "native/phasing"].map(
    (folder) => `${folder}/package.json`,
  );
  const manifests = ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json", ...packages.filter(existsSync)];
  const hash = createHash("sha256");
  for (const file of manifests) hash.update(`${file}\n`).update(readFileSync(file));
  const want = hash.digest("hex");
  const stamp = join("node_modules", ".x-installed");
  if (existsSync(stamp) && readFileSync(stamp, "utf8") === want) return;
  say("installing dependencies");
  run(pnpm, ["install", "--frozen-lockfile", "--reporter=silent"]);
  writeFileSync(stamp, want);
}

function build() {
  const cargo = spawnSync("cargo", ["--version"], { stdio: "ignore", shell: windows });
  if (cargo.status !== 0)
    stop("the kernels need Rust 1.89 or newer (cargo was not found): install it with rustup", 2);
  const args = ["run", "build", "--output-logs=errors-only", "--log-prefix=none"];
  const result = spawnSync("turbo", args, {
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
    shell: windows,
  });
  if (result.status === 0) return;
  process.stderr.write(result.stdout ?? "");
  stop("the build failed", 1);
}

function run(command, args, { quiet = false } = {}) {
  const stdio = quiet ? ["ignore", "ignore", "inherit"] : "inherit";
  const { status, signal, error } = spawnSync(command, args, { stdio, shell: windows });
  if (error) stop(`${command}: ${error.message}`, 1);
  if (status !== 0) process.exit(status ?? (signal === "SIGINT" ? 130 : 1));
}

function say(text) {
  process.stderr.write(`· ${text}\n`);
}

function stop(text, code) {
  process.stderr.write(`${text}\n`);
  process.exit(code);
}
