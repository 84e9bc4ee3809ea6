/** log Γ(x + 1) for whole x from 0, by a table, then Stirling's series. */
export function logFactorial(n: number): number {
  if (n < TABLE.length) return TABLE[n]!;
  const z = n + 1;
  return (z - 0.5) * Math.log(z) - z + 0.9189385332046727 + 1 / (12 * z) - 1 / (360 * z ** 3);
}

const TABLE = new Float64Array(256);
for (let n = 2; n < TABLE.length; n++) TABLE[n] = TABLE[n - 1]! + Math.log(n);
