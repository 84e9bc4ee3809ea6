/** 12.3 s, 45 ms: three figures, so that a table does not promise more than a clock gives. */
export function seconds(value) {
  if (value === null || value === undefined) return "–";
  return value < 1 ? `${(value * 1000).toPrecision(3)} ms` : `${value.toPrecision(3)} s`;
}

export function megabytes(value) {
  return value === null || value === undefined ? "–" : `${Math.round(value / 2 ** 20)} MB`;
}

export function ratio(reference, ours) {
  return typeof reference !== "number" || !(ours > 0) ? "–" : `${(reference / ours).toFixed(2)}×`;
}

/** A Markdown table whose columns line up, so that one text serves the terminal and the README. */
export function markdown(header, rows) {
  const all = [header, ...rows].map((row) => row.map(String));
  const widths = header.map((_, column) => Math.max(3, ...all.map((row) => row[column].length)));
  const line = (row) => `| ${row.map((cell, column) => cell.padEnd(widths[column])).join(" | ")} |`;
  return [
    line(all[0]),
    `|${widths.map((width) => "-".repeat(width + 2)).join("|")}|`,
    ...all.slice(1).map(line),
  ].join("\n");
}

/**
 * The usual table of a race: everyone's wall, CPU and peak, and how many times longer each takes than our runs.
 *
 * @param results what `compete` gave
 * @param ours names of our contenders, each a column of ratios
 */
export function raceTable(title, results, ours) {
  const columns = ours.filter((name) => results[name] && !results[name].failed);
  const header = ["run", "wall", "CPU", "peak", ...columns.map((name) => `wall ÷ ${name}`)];
  const rows = Object.entries(results).map(([name, result]) =>
    result.failed
      ? [name, "failed", "–", "–", ...columns.map(() => "–")]
      : [
          name,
          seconds(result.wall),
          seconds(result.cpu),
          megabytes(result.peak),
          ...columns.map((column) => ratio(result.wall, results[column].wall)),
        ],
  );
  return `${title}\n\n${markdown(header, rows)}`;
}
