// What must hold of rare variants placed on a true scaffold. Chance is 50 % wrong everywhere.
const WRONG_PERCENT = {
  // Without recent relatives; upper ends by MAC bin 1, 2, 3–5, 6–10.
  raremulti: [45, 13, 8, 4],
  hardmulti: [45, 13, 8, 4],
  hardbial: [45, 13, 8, 4],
  // With them.
  multi: [5, 2, 0.5, 0.2],
  bial: [5, 2, 0.5, 0.2],
};
const CALIBRATION_ERROR = 0.02;

/** Lines that do not hold. */
export function rareFloors(study) {
  const out = [];
  for (const [i, bin] of study.byMac.entries()) {
    const most = WRONG_PERCENT[study.name][i];
    if (bin.hets > 0 && bin.percent > most) {
      out.push(
        `${study.name}: MAC ${bin.from}–${bin.to}: ${bin.percent.toFixed(2)} % wrong, at most ${most} wanted`,
      );
    }
  }
  if (study.calibrationError > CALIBRATION_ERROR)
    out.push(`${study.name}: PP is ${study.calibrationError} off`);
  if (study.violations > 0) out.push(`${study.name}: ${study.violations} haplotypes with two ALTs`);
  if (study.observedChanged > 0)
    out.push(`${study.name}: ${study.observedChanged} observed genotypes changed`);
  return out;
}
