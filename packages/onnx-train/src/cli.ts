import { option, runCli, writeFileAtomic } from "@x/core/base";
import { doctor } from "./doctor.ts";
import { trainFileError } from "./errors.ts";
import { lossReportHtml, readHistory } from "./loss-report.ts";
import { VERSION } from "./version.ts";

await runCli({
  name: "onnx-train",
  version: VERSION,
  summary: "what this machine can train neural models on, and reports of training runs",
  commands: [
    {
      name: "doctor",
      summary:
        "look at onnxruntime-node, the NVIDIA driver and the CUDA libraries; say what is missing and what to do",
      options: [],
      examples: ["onnx-train doctor"],
      async run({ json, print }) {
        const findings = await doctor();
        if (json) return { findings };
        for (const { name, ok, found, advice } of findings) {
          print(`${ok ? "ok  " : "no  "} ${name}: ${found}`);
          if (advice) print(`      → ${advice}`);
        }
        return undefined;
      },
    },
    {
      name: "report",
      summary: "draw the loss curves of a run's history as one HTML page",
      options: [option.output("out", "the page", { aliases: ["-o"], required: true })],
      positionals: ["HISTORY"],
      files: [{ role: "input" }],
      examples: ["onnx-train report run/history.jsonl --out run/report.html"],
      async run({ options, positionals, signal }) {
        const path = positionals[0]!;
        const history = readHistory(path);
        if (history.length === 0) {
          const message = "holds no whole line of a training history, so there is nothing to draw";
          throw trainFileError("CHECKPOINT_FORMAT", path, message);
        }
        const page = lossReportHtml(history, { title: `Training: ${path}` });
        await writeFileAtomic(String(options.out), page, { signal });
        return { out: options.out };
      },
    },
  ],
});
