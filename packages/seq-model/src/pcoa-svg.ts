import { escapeXml, openSvg, px, tickStep } from "@x/core/base";
import type { Pcoa } from "./pcoa.ts";
import type { MetadataColumn } from "./read-metadata.ts";

/** Options of {@link pcoaSvg}. */
export interface PcoaSvgOptions {
  /** Colours the points: numbers from dark to light, at most ten classes. In the order of `pcoa.ids`. */
  colour?: MetadataColumn;
  /** What the colours stand for. */
  label?: string;
  /** Above the picture, and its accessible name; the metric by default, where it is known. */
  title?: string;
  /** Which two axes, from 1; 1 and 2 by default. */
  axes?: readonly [x: number, y: number];
}

const [WIDTH, HEIGHT] = [560, 420];
const BOX = { left: 64, right: 420, top: 34, bottom: 366 };
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
  const x = scale(pcoa.ids.length, at(a), BOX.left, BOX.right);
  const y = scale(pcoa.ids.length, at(b), BOX.bottom, BOX.top);
  const known = pcoa.metric === "unknown" ? "" : `, ${pcoa.metric}`;
  const title = options.title ?? `Principal coordinates${known}`;
  const colours = colouring(options.colour);
  const dots = pcoa.ids.map((id, s) => {
    const fill = colours.of(s);
    return `<circle cx="${x.place(at(a)(s))}" cy="${y.place(at(b)(s))}" r="3.5" fill="${fill}"><title>${escapeXml(id)}</title></circle>`;
  });
  const axis = (n: number): string => {
    const share = pcoa.explained[n - 1];
    return `axis ${n}${share === undefined ? "" : ` (${(100 * share).toFixed(1)} %)`}`;
  };
  const middle = (BOX.top + BOX.bottom) / 2;
  return [
    openSvg(WIDTH, HEIGHT, title),
    `<text class="t" x="16" y="18" font-weight="600">${escapeXml(title)}</text>`,
    `<path class="ax" d="M${BOX.left} ${BOX.top}V${BOX.bottom}H${BOX.right}"/>`,
    ...x.ticks.map(([place, text]) => {
      const mark = `<path class="ax" d="M${place} ${BOX.bottom}v4"/>`;
      return `${mark}<text class="l" x="${place}" y="${BOX.bottom + 17}" text-anchor="middle">${text}</text>`;
    }),
    ...y.ticks.map(([place, text]) => {
      const mark = `<path class="ax" d="M${BOX.left - 4} ${place}h4"/>`;
      return `${mark}<text class="l" x="${BOX.left - 7}" y="${Number(place) + 4}" text-anchor="end">${text}</text>`;
    }),
    ...dots,
    `<text x="${(BOX.left + BOX.right) / 2}" y="${HEIGHT - 12}" text-anchor="middle">${axis(a)}</text>`,
    `<text transform="translate(16 ${middle})rotate(-90)" text-anchor="middle">${axis(b)}</text>`,
    ...legend(colours, options.label),
    "</svg>",
  ].join("");
}

/** One axis of the picture. */
interface Scale {
  /** Where a coordinate stands. */
  place(coordinate: number): string;
  /** Where its marks stand, and what is written at them. */
  readonly ticks: readonly (readonly [place: string, text: string])[];
}

function scale(n: number, of: (s: number) => number, from: number, to: number): Scale {
  let [least, most] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (let s = 0; s < n; s++) [least, most] = [Math.min(least, of(s)), Math.max(most, of(s))];
  const size = most > least ? most - least : 1;
  // A margin of a twentieth keeps dots off the axes.
  const place = (v: number): string => px(from + (to - from) * (0.05 + (0.9 * (v - least)) / size));
  const step = tickStep(size, 5);
  const first = Math.ceil(least / step - 1e-9);
  const marks = most > least ? Math.floor(most / step + 1e-9) - first + 1 : 0;
  const ticks = Array.from({ length: marks }, (_, k) => (first + k) * step);
  return { place, ticks: ticks.map((v) => [place(v), String(Number(v.toPrecision(6)))]) };
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
