import { normalQuantile, openSvg, px, tickStep } from "@x/core/base";
import { dots, MINUS_LOG10_P, yAxis } from "./svg.ts";

/** Size and title of {@link qqSvg}. */
export interface QqOptions {
  /** Pixels. Default 400. */
  readonly width?: number;
  /** Pixels. Default 400. */
  readonly height?: number;
  /** Accessible name. */
  readonly title?: string;
}

/**
 * Genomic inflation λGC: the median of the 1-df chi-square values that the p values correspond to, divided by the
 * median of that distribution (Devlin & Roeder 1999). NaN without any finite value.
 */
export function genomicInflation(negLog10P: ArrayLike<number>): number {
  const sorted = finite(negLog10P);
  if (sorted.length === 0) return Number.NaN;
  const middle = sorted.length / 2;
  const median =
    sorted.length % 2 === 1 ? sorted[Math.floor(middle)]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  const z = normalQuantile(10 ** -median / 2);
  return (z * z) / 0.454936423119572;
}

/** QQ plot of −log₁₀ p with its pointwise 95 % band and λGC, as an SVG string with its own style. */
export function qqSvg(negLog10P: ArrayLike<number>, options: QqOptions = {}): string {
  const width = options.width ?? 400;
  const height = options.height ?? 400;
  const box = { left: 46, right: width - 14, top: 16, bottom: height - 44 };
  const sorted = finite(negLog10P).reverse();
  const m = sorted.length;
  const expected = (rank: number): number => -Math.log10((rank - 0.5) / m);
  const xTop = Math.max(1, m > 0 ? expected(1) : 1) * 1.04;
  const yTop = Math.max(xTop, m > 0 ? sorted[0]! : 1) * 1.05;
  const x = (v: number): number => box.left + ((box.right - box.left) * v) / xTop;
  const y = (v: number): number => box.bottom - ((box.bottom - box.top) * v) / yTop;

  const points: Array<[number, number]> = [];
  const seen = new Set<number>();
  for (let i = 0; i < m; i++) {
    const px_ = x(expected(i + 1));
    const py = y(sorted[i]!);
    const key = Math.round(px_ * 2) * 20_000 + Math.round(py * 2);
    if (seen.has(key)) continue;
    seen.add(key);
    points.push([px_, py]);
  }
  const step = Math.max(1, tickStep(xTop, 6));
  let ticks = "";
  for (let v = 0; v <= xTop; v += step)
    ticks += `<text x="${px(x(v))}" y="${box.bottom + 17}" text-anchor="middle">${v}</text>`;
  const lambda = genomicInflation(negLog10P);
  const diagonal = Math.min(xTop, yTop);
  return [
    openSvg(width, height, options.title ?? "QQ plot"),
    yAxis(yTop, y, { left: box.left, right: box.right }),
    band(m, x, y, expected),
    `<path d="M${px(x(0))} ${px(y(0))}L${px(x(diagonal))} ${px(y(diagonal))}" style="stroke:var(--soft)"/>`,
    dots(points, 1.7, "--a"),
    `<path class="ax" d="M${box.left} ${box.bottom}H${box.right}"/>`,
    ticks,
    `<text class="t" x="${(box.left + box.right) / 2}" y="${height - 6}" text-anchor="middle">expected ${MINUS_LOG10_P}</text>`,
    `<text class="t" transform="translate(13 ${(box.top + box.bottom) / 2})rotate(-90)" text-anchor="middle">observed ${MINUS_LOG10_P}</text>`,
    `<text class="t" x="${box.left + 14}" y="${box.top + 16}" style="font-size:14px">λ<tspan dy="3" style="font-size:10px">GC</tspan><tspan dy="-3"> = ${Number.isNaN(lambda) ? "–" : lambda.toFixed(3)}</tspan></text>`,
    "</svg>",
  ].join("");
}

/** Rank i of m uniform values is Beta(i, m − i + 1): its 2.5 % and 97.5 % points at ranks spread evenly on the axis. */
function band(
  m: number,
  x: (v: number) => number,
  y: (v: number) => number,
  expected: (rank: number) => number,
): string {
  if (m < 2) return "";
  const ranks: number[] = [];
  for (let step = 0; step <= 60; step++) {
    const rank = Math.max(1, Math.round(m ** (step / 60)));
    if (ranks.at(-1) !== rank) ranks.push(rank);
  }
  const point = (rank: number, z: number): string => {
    const p = betaQuantile(rank, m - rank + 1, z);
    return `${px(x(expected(rank)))} ${px(y(-Math.log10(p)))}`;
  };
  const upper = ranks.map((r) => point(r, -1.959963984540054));
  const lower = ranks.map((r) => point(r, 1.959963984540054)).reverse();
  return `<path d="M${[...upper, ...lower].join("L")}Z" style="fill:var(--band)"/>`;
}

/** Beta quantile at a normal score through Wilson and Hilferty's cube-root approximation of the two gammas (a drawing aid). */
export function betaQuantile(a: number, b: number, z: number): number {
  if (a === 1) return 1 - (1 - (z < 0 ? 0.025 : 0.975)) ** (1 / b);
  const ua = 1 / (9 * a);
  const ub = 1 / (9 * b);
  // Root of the quadratic that equates the difference of both cube roots to z standard deviations (Paulson 1942).
  const A = (1 - ub) ** 2 - z * z * ub;
  const B = (1 - ua) * (1 - ub);
  const C = (1 - ua) ** 2 - z * z * ua;
  const root = (B + Math.sign(z) * Math.sqrt(Math.max(0, B * B - A * C))) / A;
  const f = Math.max(0, root) ** 3;
  return (a * f) / (a * f + b);
}

/** Finite values, smallest first. */
export function finite(values: ArrayLike<number>): Float64Array {
  return Float64Array.from(values).filter(Number.isFinite).sort();
}
