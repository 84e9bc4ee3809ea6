import { checkOptions, checkRange, escapeXml, openSvg, px } from "@x/core/base";
import type { FeatureImportance } from "./explain.ts";
import type { Tree } from "./read-newick.ts";
import { shortNames } from "./short-names.ts";

/** Options of {@link importanceTreeSvg}. */
export interface ImportanceSvgOptions {
  /** Tips drawn: those that matter most, 60 by default. */
  most?: number;
  /** What a tip is called, e.g. its taxonomy; its feature's id by default. Cut to 24 letters that still tell tips apart. */
  nameOf?: (feature: string) => string;
  /** Accessible name. */
  title?: string;
}

const [WIDTH, ROW, TOP, FOOT] = [760, 14, 34, 30];
const TREE = { left: 16, right: 330 };
const BARS = { left: 372, right: 552 };
const NAMES = 560;

/** A node that is drawn. */
interface Drawn {
  readonly x: number;
  y: number;
  readonly parent: number;
  readonly strength: number;
  readonly signed: number;
  readonly feature: number;
}

/**
 * Importances on the tree, as an SVG string: the features that matter most at their tips with a bar each (to the left
 * where they lower the prediction), and every branch as thick as all features below it matter together, those not drawn
 * included. Blue raises, red lowers; both shades differ in lightness too. Errors: `TREE_TIP`.
 */
export function importanceTreeSvg(
  tree: Tree,
  importance: FeatureImportance,
  options: ImportanceSvgOptions = {},
): string {
  checkOptions(options, ["most", "nameOf", "title"], "importanceTreeSvg");
  const most = checkRange("most", options.most ?? 60, { min: 1, max: 2000, integer: true });
  const nodes = layout(tree, importance, most);
  const tips = [...nodes.values()].filter(({ feature }) => feature >= 0);
  const height = TOP + ROW * tips.length + FOOT;
  const title = options.title ?? `Features that matter most (${importance.method.replace("-", " ")})`;
  const nameOf = options.nameOf ?? ((id: string) => id);
  return [
    openSvg(WIDTH, height, title),
    `<text class="t" x="16" y="18" font-weight="600">${escapeXml(title)}</text>`,
    ...branches(nodes),
    ...bars(tips, importance, nameOf),
    `<text x="${(BARS.left + BARS.right) / 2}" y="${height - 10}" text-anchor="middle">${caption(importance, tips)}</text>`,
    "</svg>",
  ].join("");
}

function caption(importance: FeatureImportance, tips: readonly Drawn[]): string {
  const largest = Math.max(0, ...tips.map(({ strength }) => strength));
  const shown = Number(largest.toPrecision(3));
  if (importance.method === "attention") return `mean weight, up to ${shown}`;
  if (importance.method === "permutation") return `growth of the error, up to ${shown}`;
  return `← lowers · raises →, up to ${shown}`;
}

/** The tips that matter most, the nodes where their ways part, and where they all stand. */
function layout(tree: Tree, importance: FeatureImportance, most: number): Map<number, Drawn> {
  const { featureIds, values, signed } = importance;
  const tips = tree.tipsOf(featureIds);
  const chosen = Array.from(values, (_, f) => f)
    .filter((f) => values[f]! > 0)
    .sort((a, b) => values[b]! - values[a]! || a - b)
    .slice(0, most);
  const [parents, lengths] = [tree.parents(), tree.lengths()];
  const root = tree.nodes - 1;
  const [strength, direction, below, x] = Array.from({ length: 4 }, () => new Float64Array(tree.nodes)) as [
    Float64Array,
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  const featureOf = new Int32Array(tree.nodes).fill(-1);
  tips.forEach((tip, f) => {
    strength[tip] = Math.max(0, values[f]!);
    direction[tip] = signed[f]!;
  });
  for (const f of chosen) {
    featureOf[tips[f]!] = f;
    below[tips[f]!] = 1;
  }
  // Children come before their parents; `ways` counts the children that lead to chosen tips.
  const ways = new Uint32Array(tree.nodes);
  for (let node = 0; node < root; node++) {
    const parent = parents[node]!;
    strength[parent]! += strength[node]!;
    direction[parent]! += direction[node]!;
    if (below[node]! > 0) ways[parent]! += 1;
    below[parent]! += below[node]!;
  }
  for (let node = root - 1; node >= 0; node--) x[node] = x[parents[node]!]! + (lengths[node]! || 0);
  const kept = (node: number): boolean => featureOf[node]! >= 0 || ways[node]! > 1;
  const longest = Math.max(...chosen.map((f) => x[tips[f]!]!), 0) || 1;
  const drawn = new Map<number, Drawn>();
  let row = 0;
  for (let node = 0; node <= root; node++) {
    if (!kept(node)) continue;
    let parent = node === root ? -1 : parents[node]!;
    while (parent >= 0 && !kept(parent)) parent = parent === root ? -1 : parents[parent]!;
    drawn.set(node, {
      x: TREE.left + ((TREE.right - TREE.left) * x[node]!) / longest,
      y: featureOf[node]! >= 0 ? TOP + ROW * (row++ + 0.5) : Number.NaN,
      parent,
      strength: strength[node]!,
      signed: direction[node]!,
      feature: featureOf[node]!,
    });
  }
  placeInner(drawn);
  return drawn;
}

/** An inner node stands in the middle of its children. */
function placeInner(nodes: Map<number, Drawn>): void {
  const spans = new Map<number, [number, number]>();
  for (const [node, drawn] of nodes) {
    const own = spans.get(node);
    if (own) drawn.y = (own[0] + own[1]) / 2;
    const [low, high] = spans.get(drawn.parent) ?? [drawn.y, drawn.y];
    spans.set(drawn.parent, [Math.min(low, drawn.y), Math.max(high, drawn.y)]);
  }
}

const colour = ({ signed }: Drawn): string => (signed < 0 ? "var(--hit)" : "var(--a)");

function branches(nodes: Map<number, Drawn>): string[] {
  const total = Math.max(...[...nodes.values()].map(({ strength }) => strength), Number.MIN_VALUE);
  const lines: string[] = [];
  for (const node of nodes.values()) {
    const parent = nodes.get(node.parent);
    const from = parent?.x ?? TREE.left - 8;
    const width = 0.8 + 5.2 * Math.sqrt(node.strength / total);
    const up = parent ? `M${px(parent.x)} ${px(parent.y)}V${px(node.y)}` : `M${px(from)} ${px(node.y)}`;
    // The corner in a thin grey line, so that thick branches stand apart.
    if (parent) lines.push(`<path d="${up}" fill="none" stroke="var(--soft)" stroke-width=".8"/>`);
    const stroke = `stroke="${colour(node)}" stroke-width="${px(width)}"`;
    lines.push(
      `<path d="M${px(from)} ${px(node.y)}H${px(Math.max(node.x, from + 0.5))}" fill="none" ${stroke}/>`,
    );
  }
  return lines;
}

function bars(
  tips: readonly Drawn[],
  importance: FeatureImportance,
  nameOf: (feature: string) => string,
): string[] {
  const largest = Math.max(...tips.map(({ strength }) => strength), Number.MIN_VALUE);
  const both = tips.some(({ signed }) => signed < 0);
  const zero = both ? (BARS.left + BARS.right) / 2 : BARS.left;
  const reach = BARS.right - zero;
  const names = tips.map((tip) => nameOf(importance.featureIds[tip.feature]!));
  const short = shortNames(names, 24);
  return [
    `<path class="ax" d="M${zero} ${TOP}V${TOP + ROW * tips.length}"/>`,
    ...tips.flatMap((tip, t) => {
      const name = names[t]!;
      const width = Math.max(0.5, (reach * tip.strength) / largest);
      const left = tip.signed < 0 ? zero - width : zero;
      const about = `${name}: ${Number(tip.strength.toPrecision(3))}`;
      return [
        `<path class="g" stroke-dasharray="1 3" d="M${px(tip.x)} ${px(tip.y)}H${px(left)}"/>`,
        `<rect x="${px(left)}" y="${px(tip.y - 4.5)}" width="${px(width)}" height="9" fill="${colour(tip)}"><title>${escapeXml(about)}</title></rect>`,
        `<text class="l" x="${NAMES}" y="${px(tip.y + 4)}">${escapeXml(short[t]!)}</text>`,
      ];
    }),
  ];
}
