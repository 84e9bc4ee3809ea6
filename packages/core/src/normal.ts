/**
 * Normal quantiles that have the same bits in every language: only + − × ÷ and square roots, which IEEE 754 defines
 * exactly, in this order. `native/crates/random/src/normal.rs` is the same text in Rust.
 */

// Wichura (1988), "The percentage points of the normal distribution", Applied Statistics 37, algorithm AS 241 (PPND16):
// three ratios of polynomials, lowest power first; relative error about 1e-16.
const CENTRE_OVER = [
  3.3871328727963665, 133.14166789178438, 1971.5909503065513, 13731.69376550946, 45921.95393154987,
  67265.7709270087, 33430.57558358813, 2509.0809287301227,
];
const CENTRE_UNDER = [
  1, 42.31333070160091, 687.1870074920579, 5394.196021424751, 21213.794301586597, 39307.89580009271,
  28729.085735721943, 5226.495278852854,
];
const TAIL_OVER = [
  1.4234371107496835, 4.630337846156546, 5.769497221460691, 3.6478483247632045, 1.2704582524523684,
  0.2417807251774506, 0.022723844989269184, 0.0007745450142783414,
];
const TAIL_UNDER = [
  1, 2.053191626637759, 1.6763848301838038, 0.6897673349851, 0.14810397642748008, 0.015198666563616457,
  0.0005475938084995345, 1.0507500716444169e-9,
];
const FAR_OVER = [
  6.657904643501103, 5.463784911164114, 1.7848265399172913, 0.29656057182850487, 0.026532189526576124,
  0.0012426609473880784, 2.7115555687434876e-5, 2.0103343992922881e-7,
];
const FAR_UNDER = [
  1, 0.599832206555888, 0.1369298809227358, 0.014875361290850615, 0.0007868691311456133,
  1.8463183175100548e-5, 1.421511758316446e-7, 2.0442631033899397e-15,
];

/** The x with Φ(x) = p, for p from 2^-1022 to 1/2. */
export function lowerNormalQuantile(p: number): number {
  const q = p - 0.5;
  if (q >= -0.425) {
    const r = 0.180625 - q * q;
    return (q * polynomial(CENTRE_OVER, r)) / polynomial(CENTRE_UNDER, r);
  }
  return tail(Math.sqrt(-naturalLog(p)));
}

/** The quantile of exp(−r²). */
function tail(r: number): number {
  if (r <= 5) return -(polynomial(TAIL_OVER, r - 1.6) / polynomial(TAIL_UNDER, r - 1.6));
  return -(polynomial(FAR_OVER, r - 5) / polynomial(FAR_UNDER, r - 5));
}

/** Below this a double keeps fewer than 53 bits. */
const SMALLEST_NORMAL = 2 ** -1022;

/**
 * The x with Φ(x) = p for the standard normal distribution (Wichura 1988, AS 241, relative error about 1e-16), the same
 * bits on every machine: −∞ at 0, ∞ at 1, NaN outside and for NaN.
 */
export function normalQuantile(p: number): number {
  if (!(p >= 0 && p <= 1)) return Number.NaN;
  if (p === 0.5) return 0;
  if (p > 0.5) return p === 1 ? Number.POSITIVE_INFINITY : -lowerNormalQuantile(1 - p);
  if (p >= SMALLEST_NORMAL) return lowerNormalQuantile(p);
  return p === 0 ? Number.NEGATIVE_INFINITY : tail(Math.sqrt(54 * Math.LN2 - naturalLog(p * 2 ** 54)));
}

function polynomial(coefficients: readonly number[], x: number): number {
  let sum = 0;
  for (let i = 7; i >= 0; i--) sum = sum * x + coefficients[i]!;
  return sum;
}

const bits: DataView = new DataView(new ArrayBuffer(8));

/**
 * ln x of a normal positive double: x = m · 2^e with m in [√½, √2), ln m = 2 artanh((m − 1) / (m + 1)) by its power
 * series. `Math.log` may differ between machines in the last bit.
 */
export function naturalLog(x: number): number {
  bits.setFloat64(0, x);
  const high = bits.getUint32(0);
  let e = (high >>> 20) - 1022;
  bits.setUint32(0, (high & 0x000fffff) | 0x3fe00000);
  let m = bits.getFloat64(0);
  if (m < Math.SQRT1_2) {
    m *= 2;
    e -= 1;
  }
  const s = (m - 1) / (m + 1);
  const z = s * s;
  let series = 0;
  for (let k = 23; k >= 1; k -= 2) series = series * z + 1 / k;
  return e * Math.LN2 + 2 * s * series;
}
