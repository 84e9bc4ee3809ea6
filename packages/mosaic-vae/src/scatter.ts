/** A scatter plot as SVG. */

const SIZE = 420;
const COLOURS = [
  "#4477aa",
  "#ee6677",
  "#228833",
  "#ccbb44",
  "#66ccee",
  "#aa3377",
  "#999933",
  "#882255",
  "#44aa99",
  "#ddaa33",
  "#117733",
  "#cc6677",
  "#332288",
  "#bbbbbb",
];

/** Points (x, y, x, y …) coloured by a label each, with a legend. */
export function scatterSvg(at: ArrayLike<number>, labels: readonly string[], title: string): string {
  const n = labels.length;
  const range = (offset: number): [number, number] => {
    let [low, high] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    for (let i = 0; i < n; i++) {
      low = Math.min(low, at[2 * i + offset]!);
      high = Math.max(high, at[2 * i + offset]!);
    }
    return [low, high - low || 1];
  };
  const [[x0, w], [y0, h]] = [range(0), range(1)];
  const names = [...new Set(labels)].sort();
  const groups = names.map((name, c) => {
    let path = "";
    for (let i = 0; i < n; i++) {
      if (labels[i] !== name) continue;
      const x = 8 + ((SIZE - 16) * (at[2 * i]! - x0)) / w;
      const y = 8 + ((SIZE - 16) * (at[2 * i + 1]! - y0)) / h;
      path += `M${x.toFixed(1)} ${y.toFixed(1)}h0`;
    }
    return `<path d="${path}" stroke="${COLOURS[c % COLOURS.length]}" stroke-width="3" stroke-linecap="round" fill="none"/>`;
  });
  const legend = names.slice(0, 20).map((name, c) => {
    const y = 20 + 18 * c;
    return `<circle cx="${SIZE + 12}" cy="${y - 4}" r="5" fill="${COLOURS[c % COLOURS.length]}"/><text x="${SIZE + 22}" y="${y}">${escapeXml(name)}</text>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${SIZE + 170} ${SIZE}" role="img" aria-label="${escapeXml(title)}" font-family="system-ui,sans-serif" font-size="12" fill="#66717f">${groups.join("")}${legend.join("")}</svg>`;
}

/** Text as it may stand in XML. */
export function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]!);
}
