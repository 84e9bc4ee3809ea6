import { spawnSync } from "node:child_process";

/** First line of what a command says, or null when it cannot be run. GEMMA answers on stdout and with odd exit codes. */
function says(command, args, pattern) {
  const { error, stdout, stderr } = spawnSync(command, args, { encoding: "utf8", timeout: 30_000 });
  if (error) return null;
  return pattern.exec(`${stdout}\n${stderr}`)?.[1]?.trim() ?? null;
}

function python(module) {
  return says(
    "python3",
    ["-c", `import ${module}; print("version", ${module}.__version__)`],
    /^version (.+)$/m,
  );
}

/** A python package without `__version__`. */
function pythonPackage(name, module) {
  const code = `import ${module}; from importlib.metadata import version; print("version", version("${name}"))`;
  return says("python3", ["-c", code], /^version (.+)$/m);
}

/** Reference tools on this machine: `{ command, version }` by name; a tool that is not here is missing. */
export function findPeers() {
  const found = {
    gemma: { command: "gemma", version: says("gemma", ["-h"], /(GEMMA \d[\d.]*)/) },
    jamma: { command: "jamma", version: says("jamma", ["--version"], /(JAMMA version \d\S*)/) },
    plink1: plink1(),
    plink2: { command: "plink2", version: says("plink2", ["--version"], /(PLINK v2\S+.*)/) },
    ssu: { command: "ssu", version: ssu() },
    scikitBio: { command: "python3", version: python("skbio") },
    numpy: { command: "python3", version: python("numpy") },
    scipy: { command: "python3", version: python("scipy") },
    bedReader: { command: "python3", version: pythonPackage("bed-reader", "bed_reader") },
    shapeit4: { command: "shapeit4", version: says("shapeit4", [], /Version\s*:\s*(\S+)/) },
    beagle: { command: "beagle", version: says("beagle", [], /(beagle\.\S+|version \S+)/i) },
    mgcv: {
      command: "Rscript",
      version: says("Rscript", ["-e", 'cat("mgcv", format(packageVersion("mgcv")))'], /(mgcv \d\S*)/),
    },
  };
  return Object.fromEntries(Object.entries(found).filter(([, peer]) => peer?.version));
}

/** Its program does not say its version, Debian's package does. */
function ssu() {
  return says("dpkg-query", ["-W", "-f", "${Package} ${Version}", "unifrac-tools"], /(unifrac-tools \S+)/);
}

/** Debian calls it plink1.9, most other places plink. */
function plink1() {
  for (const command of ["plink1.9", "plink"]) {
    const version = says(command, ["--version"], /(PLINK v1\.9\S*.*)/);
    if (version) return { command, version };
  }
  return null;
}

export const INSTALL = {
  gemma: "Debian: apt-get install gemma",
  jamma: "pip install jamma",
  plink1: "Debian: apt-get install plink1.9",
  plink2: "Debian: apt-get install plink2",
  ssu: "Debian: apt-get install unifrac-tools",
  scikitBio: "pip install scikit-bio biom-format",
  numpy: "pip install numpy",
  scipy: "pip install scipy",
  bedReader: "pip install bed-reader",
  shapeit4: "Debian: apt-get install shapeit4",
  beagle: "Debian: apt-get install beagle",
  mgcv: "Debian: apt-get install r-cran-mgcv",
};
