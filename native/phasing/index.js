// Finds the compiled kernels: a local build first, then the platform package that npm installed beside us.
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { arch, env, platform } from "node:process";

const require = createRequire(import.meta.url);

const LEVELS = ["scalar", "avx2", "avx512", "neon"];

/** A misspelt level would compare the fastest path with itself. */
function checkLevel() {
  if (!env.X_SIMD || LEVELS.includes(env.X_SIMD)) return;
  const error = new Error(`X_SIMD must be one of ${LEVELS.join(", ")}, got ${JSON.stringify(env.X_SIMD)}`);
  error.code = "OPTION_RANGE";
  throw error;
}

/** Names napi gives this platform's builds, likeliest first: a glibc binary does not load on musl, nor the reverse. */
function platformNames() {
  if (platform === "linux") return [`linux-${arch}-gnu`, `linux-${arch}-musl`];
  return [platform === "win32" ? `win32-${arch}-msvc` : `${platform}-${arch}`];
}

function load() {
  const causes = [];
  for (const name of platformNames()) {
    const local = `./phasing.${name}.node`;
    try {
      return require(existsSync(new URL(local, import.meta.url)) ? local : `@x/native-phasing-${name}`);
    } catch (cause) {
      causes.push(cause);
    }
  }
  const packages = platformNames().map((name) => `@x/native-phasing-${name}`);
  const error = new Error(
    `@x/native-phasing found no compiled kernels for this machine (${platform} ${arch}). ${packages.join(" or ")} ` +
      "should have been installed with it; npm leaves it out under --omit=optional or with a lock file made on " +
      `another platform. Fix: npm install ${packages[0]}, or delete node_modules and the lock file and install again.`,
    { cause: new AggregateError(causes) },
  );
  error.code = "NATIVE_MISSING";
  throw error;
}

checkLevel();
export default load();
