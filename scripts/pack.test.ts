// Packs every published package with this machine's kernels, installs the tarballs with npm into an empty TypeScript
// project outside the repository, type-checks and runs each README's first example there, then each bin.
import { execFileSync, spawnSync } from "node:child_process";
import {
  cpSync,
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
import { afterAll, beforeAll, expect, test } from "vitest";
// @ts-expect-error plain JavaScript without declarations
import { doors, publishedPackages, quoted, root, shell } from "./packages.mjs";

interface Package {
  folder: string;
  manifest: { name: string; bin?: Record<string, string>; peerDependencies?: Record<string, string> };
}

const packages: Package[] = publishedPackages();
const pnpm = join(root, ".cache/tools/node_modules/.bin/pnpm");
const node = process.execPath;
let project: string;

/** A newcomer's environment: pnpm's bin wrappers set NODE_PATH, through which the workspace would shine through. */
const { NODE_PATH: _, ...env } = process.env;
const run = (args: string[]) => spawnSync(node, args, { cwd: project, encoding: "utf8", env });

/** The kernels built here, e.g. `linux-x64-gnu`. */
const platform = readdirSync(join(root, "native/linalg"))
  .map((file) => /^linalg\.(.+)\.node$/.exec(file)?.[1])
  .find((name) => name !== undefined);

function pack(folder: string, into: string): string {
  const before = new Set(readdirSync(into));
  execFileSync(quoted(pnpm), ["pack", "--pack-destination", quoted(into)], {
    cwd: folder,
    shell,
    stdio: ["ignore", "ignore", "inherit"],
  });
  const made = readdirSync(into).find((file) => !before.has(file));
  if (!made) throw new Error(`pnpm pack wrote nothing for ${folder}`);
  return join(into, made);
}

function firstExample(folder: string): string | undefined {
  const readme = join(root, folder, "README.md");
  return existsSync(readme) ? /```ts\n([\s\S]*?)```/.exec(readFileSync(readme, "utf8"))?.[1] : undefined;
}

beforeAll(() => {
  project = mkdtempSync(join(tmpdir(), "x-pack-"));
  const tarballs = join(project, "tarballs");
  mkdirSync(tarballs);
  const made = packages.map(({ folder }) => pack(join(root, folder), tarballs));
  // The platform package is packed from a copy, so that the binary never lands in the source tree.
  for (const door of doors as string[]) {
    const binary = `${door.replace("native/", "")}.${platform}.node`;
    const platformFolder = join(project, "platform", door);
    cpSync(join(root, door, "npm", platform!), platformFolder, { recursive: true });
    cpSync(join(root, door, binary), join(platformFolder, binary));
    made.push(pack(platformFolder, tarballs));
  }

  writeFileSync(
    join(project, "package.json"),
    JSON.stringify({ name: "newcomer", private: true, type: "module" }),
  );
  const catalog = readFileSync(join(root, "pnpm-workspace.yaml"), "utf8");
  const version = (name: string) => new RegExp(`"?${name}"?: (\\S+)`).exec(catalog)![1];
  const args = [
    "install",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    "--omit=optional",
    ...made.map((tarball): string => quoted(tarball)),
  ];
  args.push(`apache-arrow@${version("apache-arrow")}`, `@types/node@${version("@types/node")}`);
  // An optional peer, which a user installs too; its script would fetch CUDA libraries.
  const runtime = readFileSync(join(root, "packages/onnx-train/package.json"), "utf8");
  args.push(`onnxruntime-node@${/"onnxruntime-node": "(\d[^"]*)"/.exec(runtime)![1]}`);
  const skip = { ...process.env, ONNXRUNTIME_NODE_INSTALL: "skip" };
  execFileSync("npm", args, { cwd: project, shell, env: skip, stdio: ["ignore", "ignore", "inherit"] });
  for (const set of ["fixtures/demo", "fixtures/gam", "fixtures/seq"])
    cpSync(join(root, set), join(project, set), { recursive: true });
  writeFileSync(
    join(project, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        module: "nodenext",
        target: "es2023",
        lib: ["es2024", "esnext.disposable"],
        strict: true,
        noEmit: true,
        types: ["node"],
      },
      include: ["*.ts"],
    }),
  );
  for (const { folder } of packages) {
    const code = firstExample(folder);
    if (code) writeFileSync(join(project, `${folder.replaceAll("/", "-")}.ts`), code);
  }
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

test("nothing of ours compiles or runs a script on install", () => {
  for (const { manifest } of packages) {
    const scripts = (manifest as { scripts?: Record<string, string> }).scripts ?? {};
    expect(Object.keys(scripts).filter((name) => /install|prepare/.test(name))).toEqual([]);
  }
});

test("every README example type-checks against the installed packages", () => {
  const { status, stdout } = run([join(root, "node_modules/@typescript/native/bin/tsc"), "-p", "."]);
  expect(stdout).toBe("");
  expect(status).toBe(0);
});

test.each(packages.filter(({ folder }) => folder.startsWith("packages/")).map(({ folder }) => [folder]))(
  "the README example of %s runs",
  (folder) => {
    const file = `${folder.replaceAll("/", "-")}.ts`;
    expect(existsSync(join(project, file)), "README opens with a ts example").toBe(true);
    const { status, stderr } = run([file]);
    expect(stderr).not.toMatch(/Error/);
    expect(status).toBe(0);
  },
);

/** What npm's wrapper of a bin runs; on Windows the wrapper itself is no JavaScript. */
function installedBin(bin: string): string {
  if (!shell) return join(project, "node_modules/.bin", bin);
  const { manifest } = packages.find((one) => one.manifest.bin?.[bin])!;
  return join(project, "node_modules", manifest.name, manifest.bin![bin]!);
}

const bins = packages.flatMap(({ manifest }) => Object.keys(manifest.bin ?? {}));
test.each(bins.map((bin) => [bin]))("%s --help and --version run from node_modules/.bin", (bin) => {
  const path = installedBin(bin);
  const help = run([path, "--help"]);
  expect(help.status).toBe(0);
  expect(help.stdout).toMatch(new RegExp(bin));
  const version = run([path, "--version"]);
  expect(version.stdout).toMatch(/^\D*\d+\.\d+\.\d+/);
});

test("without the platform package the loader names it and the fix", () => {
  rmSync(join(project, "node_modules", "@x", `native-linalg-${platform}`), { recursive: true, force: true });
  const bin = installedBin("plink-io");
  const { status, stderr } = run([bin, "freq", "--bfile", "fixtures/demo/demo", "--out", "freq"]);
  expect(status).toBe(1);
  expect(stderr).toContain("NATIVE_MISSING");
  expect(stderr).toContain(`npm install @x/native-linalg-${platform}`);
  expect(stderr).not.toMatch(/\n\s+at /);
});
