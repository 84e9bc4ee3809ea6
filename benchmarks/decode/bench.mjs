import { median, saidJson } from "../lib/measure.mjs";
import { buildExample } from "../lib/rust.mjs";
import { markdown } from "../lib/tables.mjs";

const KINDS = ["i8", "f32", "f64"];

/** The example times decode and fill in turn, in one process, on buffers far larger than the caches. */
export default {
  title: "decode of 2-bit genotypes against a plain loop of streaming stores to the same bytes",
  async run({ race, note }) {
    const example = buildExample("x-genotype", "genotype", "decode");
    if (!example) {
      note("x-genotype has no example decode that builds here");
      return { tables: [], data: {} };
    }
    const data = await race([{ name: "decode", steps: [{ command: example, args: [] }] }]);
    // The first round of a process pays for page faults of both sides.
    const lines = saidJson(data.decode).filter(({ run }) => run > 0);
    const rate = (what, level) => {
      const found = lines.filter((line) => line.what === what && line.level === level);
      return median(found.map((line) => line.GB_per_s));
    };
    const rows = [];
    data.share = {};
    for (const level of new Set(lines.map((line) => line.level))) {
      for (const kind of KINDS) {
        const ours = rate(`decode_${kind}`, level);
        const fill = rate(`fill_${kind}`, level);
        if (ours === null || fill === null) continue;
        data.share[`${kind} ${level}`] = ours / fill;
        rows.push([kind, level, ours.toFixed(2), fill.toFixed(2), `${Math.round((100 * ours) / fill)} %`]);
      }
    }
    const header = ["to", "instructions", "decode, GB/s out", "fill, GB/s", "share"];
    return { tables: [markdown(header, rows)], data };
  },
};
