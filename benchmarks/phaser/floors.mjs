/** Wall of ours over theirs, at most; the one-thread wall over that of two, at least; CPU with supersites over without. */
const MOST = { beagle: 0.7, shapeit4: 0.25 };
const SCALES = 1.8;
const NOISE = 1.05;
/** Sets without a position of several rows: there, supersites must cost nothing. */
const BIALLELIC = ["bial", "hardbial"];

/** What must hold of the runs there are, set by set; a comparison that was not run says nothing. */
export function phaserFloors(sets) {
  return Object.entries(sets).flatMap(([set, results]) => {
    const run = (tool, threads) => {
      const found = results[`${tool}, ${threads} thread${threads > 1 ? "s" : ""}`];
      return found && !found.failed ? found : undefined;
    };
    const lines = [];
    const atMost = (what, value, most) => line(what, value, `≤ ${most}`, value <= most);
    const line = (what, value, limit, ok) =>
      lines.push({ what: `${set}: ${what}`, value: Number(value.toFixed(4)), limit, ok });
    const one = run("ours", 1);
    const two = run("ours", 2);
    for (const [tool, most] of Object.entries(MOST)) {
      for (const threads of [1, 2]) {
        const [own, other] = [run("ours", threads), run(tool, threads)];
        if (!own || !other) continue;
        atMost(`wall of ours over ${tool}'s, threads: ${threads}`, own.wall / other.wall, most);
        atMost(`switch error beside ${tool}'s, threads: ${threads}`, own.serPercent, other.serPercent);
      }
    }
    if (one && two) {
      const gain = one.wall / two.wall;
      line("one thread over two", gain, `≥ ${SCALES}`, gain >= SCALES);
    }
    const split = run("split", 1);
    if (one && split && BIALLELIC.includes(set)) {
      atMost("CPU with supersites over rows apart", one.cpu / split.cpu, NOISE);
    }
    for (const [who, { violations = 0 }] of Object.entries(results)) {
      if (/^(ours|engine),/.test(who)) atMost(`two ALTs on a haplotype, ${who}`, violations, 0);
    }
    return lines;
  });
}
