import { spawnSync } from "node:child_process";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { ours, root } from "../lib/paths.mjs";
import { raceTable } from "../lib/tables.mjs";

const REPORTS = { freq: "--freq", missing: "--missing", hardy: "--hardy" };

export default {
  title: "reports and reading of a .bed, whole commands, against PLINK and bed-reader",
  async run({ peers, scratch, race, note, large }) {
    const [people, snps] = large ? [20_000, 100_000] : [5_000, 50_000];
    const prefix = join(scratch, "sim");
    const size = ["--people", people, "--snps", snps, "--families", people / 10, "--chromosomes", 20].map(
      String,
    );
    spawnSync(process.execPath, [join(root, "fixtures/generate.mjs"), "--out", prefix, ...size], {
      stdio: "inherit",
    });
    const threads = String(availableParallelism());

    const tables = [];
    const data = { people, snps };
    for (const [report, flag] of Object.entries(REPORTS)) {
      const contenders = [];
      for (const peer of ["plink1", "plink2"]) {
        if (!peers[peer]) continue;
        const { command, version } = peers[peer];
        const args = ["--bfile", prefix, flag, "--threads", threads, "--out", join(scratch, peer)];
        contenders.push({ name: version.split(" ").slice(0, 2).join(" "), steps: [{ command, args }] });
      }
      const args = [report, prefix, "--out", join(scratch, "ours"), "--threads", threads];
      contenders.push({ name: "plink-io", steps: [ours("plink-io", args)] });
      data[report] = await race(contenders);
      tables.push(raceTable(`${report}: ${people} people × ${snps} variants`, data[report], ["plink-io"]));
    }

    if (!peers.bedReader) note("without bed-reader only our own reading is timed");
    for (const as of ["int8", "float32"]) {
      const contenders = [];
      if (peers.bedReader) {
        const args = [join(import.meta.dirname, "read_all.py"), `${prefix}.bed`, as, threads];
        contenders.push({ name: "bed-reader", steps: [{ command: "python3", args }] });
      }
      const args = [join(import.meta.dirname, "read-all.mjs"), prefix, as, threads];
      contenders.push({ name: "plink-io", steps: [{ command: process.execPath, args }] });
      data[as] = await race(contenders);
      tables.push(
        raceTable(`read everything as ${as} (bed-reader keeps it all, we stream)`, data[as], ["plink-io"]),
      );
    }
    return { tables, data };
  },
};
