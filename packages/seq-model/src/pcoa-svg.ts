import type { Pcoa } from "./pcoa.ts";
import type { MetadataColumn } from "./read-metadata.ts";

/** Options of {@link pcoaSvg}. */
export interface PcoaSvgOptions {
  /** Colours the points: numbers from dark to light, at most ten classes. In the order of `pcoa.ids`. */
  colour?: MetadataColumn;
  /** What the colours stand for. */
  label?: string;
  /** Accessible name. */
  title?: string;
  /** Which two axes, from 1; 1 and 2 by default. */
  axes?: readonly [x: number, y: number];
}

const [WIDTH, HEIGHT] = [560, 420];
const BOX = { left: 50, right: 420, top: 16, bottom: 376 };
const CLASSES = [
  "#1f6f8b",
  "#d1495b",
  "#edae49",
  "#66a182",
  "#7b5ea7",
  "#8d6a4f",
  "#4f9dd6",
  "#c06c9b",
  "#9aa83a",
  "#6c757d",
];
/** Ends of the scale for numbers. */
const [LOW, HIGH] = [
  [33, 59, 110],
  [242, 193, 78],
];

/** Samples on two principal coordinates, as an SVG string with its own style; readable in print and in the dark. */
export function pcoaSvg(pcoa: Pcoa, options: PcoaSvgOptions = {}): string {
  const [a, b] = options.axes ?? [1, 2];
  const at =
    (axis: number) =>
    (s: number): number =>
      axis <= pcoa.axes ? pcoa.coordinates[s * pcoa.axes + axis - 1]! : 0;
  const [x, y] = [
    scale(pcoa.ids.length, at(a), BOX.left, BOX.right),
    scale(pcoa.ids.length, at(b), BOX.bottom, BOX.top),
  ];
  const colours = colouring(options.colour);
  const dots = pcoa.ids.map((id, s) => {
    const fill = colours.of(s);
    return `<circle cx="${x(s)}" cy="${y(s)}" r="3.5" fill="${fill}"><title>${escapeXml(id)}</title></circle>`;
  });
  const axis = (n: number): string => {
    const share = pcoa.explained[n - 1];
    return `axis ${n}${share === undefined ? "" : ` (${(100 * share).toFixed(1)} %)`}`;
  };
  const title = escapeXml(options.title ?? "Principal coordinates");
  const middle = (BOX.top + BOX.bottom) / 2;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="xo" viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" height="${HEIGHT}" role="img" aria-label="${title}"><title>${title}</title>`,
    "<style>.xo{font:12px system-ui,sans-serif;max-width:100%;height:auto}.xo text{fill:#1d2733}.xo path{stroke:#66717f;fill:none}.xo circle{fill-opacity:.85}",
    "@media screen and (prefers-color-scheme:dark){.xo text{fill:#e7ebf0}.xo path{stroke:#97a3b0}}</style>",
    `<path d="M${BOX.left} ${BOX.top}V${BOX.bottom}H${BOX.right}"/>`,
    ...dots,
    `<text x="${(BOX.left + BOX.right) / 2}" y="${HEIGHT - 12}" text-anchor="middle">${axis(a)}</text>`,
    `<text transform="translate(20 ${middle})rotate(-90)" text-anchor="middle">${axis(b)}</text>`,
    ...legend(colours, options.label),
    "</svg>",
  ].join("");
}

function scale(n: number, of: (s: number) => number, from: number, to: number): (s: number) => string {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let s = 0; s < n; s++) [least, most] = [Math.min(least, of(s)), Math.max(most, of(s))];
  const size = most > least ? most - least : 1;
  // A margin of a twentieth keeps dots off the axes.
  return (s) => (from + (to - from) * (0.05 + (0.9 * (of(s) - least)) / size)).toFixed(1);
}

interface Colours {
  of(sample: number): string;
  readonly entries: readonly (readonly [text: string, colour: string])[];
}

function colouring(column: MetadataColumn | undefined): Colours {
  if (!column) return { of: () => CLASSES[0]!, entries: [] };
  const missing = "#b6bdc6";
  if (column.kind === "categorical") {
    const classes = [...new Set(column.values.filter((v) => v !== null))].sort();
    const colour = (v: string | null): string =>
      v === null ? missing : CLASSES[Math.min(9, classes.indexOf(v))]!;
    const named = classes
      .slice(0, 10)
      .map((c, k) => (k === 9 && classes.length > 10 ? `${c} and others` : c));
    return { of: (s) => colour(column.values[s] ?? null), entries: named.map((c, k) => [c, CLASSES[k]!]) };
  }
  const numbers = column.values.filter((v) => v !== null);
  const [least, most] = [Math.min(...numbers), Math.max(...numbers)];
  const colour = (v: number | null): string => {
    if (v === null) return missing;
    const t = most > least ? (v - least) / (most - least) : 0.5;
    return `rgb(${LOW!.map((low, k) => Math.round(low + t * (HIGH![k]! - low))).join(",")})`;
  };
  const marks = [least, (least + most) / 2, most].map(
    (v) => [Number(v.toPrecision(3)).toString(), colour(v)] as const,
  );
  return { of: (s) => colour(column.values[s] ?? null), entries: numbers.length > 0 ? marks : [] };
}

function legend(colours: Colours, label: string | undefined): string[] {
  if (colours.entries.length === 0) return [];
  const head =
    label === undefined ? [] : [`<text x="436" y="28" font-weight="600">${escapeXml(label)}</text>`];
  return [
    ...head,
    ...colours.entries.map(([text, colour], k) => {
      const y = 48 + 20 * k;
      return `<circle cx="442" cy="${y - 4}" r="5" fill="${colour}"/><text x="454" y="${y}">${escapeXml(text.slice(0, 16))}</text>`;
    }),
  ];
}

function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);
}
