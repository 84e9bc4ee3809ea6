import { FLOORS, GOALS } from "./floors.mjs";

/** One line of an accuracy table: the worst value seen, the floor it must stay under (null = only reported), where. */
export function result(what, worst, floor, where = "") {
  return { what, worst, floor, where, ok: floor === null ? true : worst <= floor };
}

/** Every entry of a kinship against GEMMA's, lower triangle: the relative or the absolute floor must hold. */
export function compareKinship(kinship, reference) {
  let relative = 0;
  let absolute = 0;
  let where = "";
  reference.forEach((row, i) => {
    const ours = kinship.tile(i, 1, 0, i + 1);
    for (let j = 0; j <= i; j++) {
      const difference = Math.abs(ours[j] - row[j]);
      if (difference <= FLOORS.kinshipAbsolute) {
        absolute = Math.max(absolute, difference);
        continue;
      }
      const share = difference / Math.abs(row[j]);
      // A NaN must lose, and every comparison with one is false.
      if (!(share <= relative)) {
        relative = Number.isNaN(share) ? Number.POSITIVE_INFINITY : share;
        where = `row ${i + 1}, column ${j + 1}`;
      }
    }
  });
  return [
    result("kinship, relative", relative, FLOORS.kinshipRelative, where),
    result("kinship, absolute where that is enough", absolute, FLOORS.kinshipAbsolute),
  ];
}

/**
 * Eigenvalues ascending; where GEMMA prints 0 ours must be exactly 0. Any solver moves an eigenvalue by some ε‖K‖, so in a
 * kinship of low rank those near GEMMA's cut at 1e-10 are judged by that.
 */
export function compareEigenvalues(values, reference) {
  if (values.length !== reference.length) return [result("eigenvalues, count", Number.POSITIVE_INFINITY, 0)];
  const solver = FLOORS.eigenSolver * Math.max(...reference);
  let worst = 0;
  let where = "";
  reference.forEach((expected, i) => {
    const difference = Math.abs(values[i] - expected);
    if (expected !== 0 && difference <= solver) return;
    const error = difference === 0 ? 0 : expected === 0 ? Number.POSITIVE_INFINITY : difference / expected;
    if (!(error <= worst)) {
      worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
      where = `eigenvalue ${i + 1}`;
    }
  });
  return [result("eigenvalues, relative", worst, FLOORS.eigenRelative, where)];
}

/**
 * Association rows, exact numbers against GEMMA's printed ones.
 *
 * @param rows `[{ id, beta, se, logl_H1, l_remle, p_wald, log10p }]` in file order
 * @param reference what `readAssociations` gave
 */
export function compareAssociations(rows, reference, label) {
  const worst = Object.fromEntries(
    ["beta", "se", "logl_H1", "l_remle", "p_wald"].map((name) => [name, { value: 0, where: "" }]),
  );
  const column = Object.fromEntries(reference.names.map((name, i) => [name, i]));
  const met = { beta: 0, p: 0 };
  const differ = rows.findIndex((row, i) => row.id !== reference.rows[i]?.[column.rs]);
  if (rows.length !== reference.rows.length || differ >= 0) {
    const where = `${rows.length} rows, GEMMA has ${reference.rows.length}${differ >= 0 ? `; the first other id is in row ${differ + 1}` : ""}`;
    return { results: [result(`${label}: the same SNPs`, Number.POSITIVE_INFINITY, 0, where)], met };
  }
  rows.forEach((row, i) => {
    const theirs = (name) => Number(reference.rows[i][column[name]]);
    const log10p = -Math.log10(theirs("p_wald"));
    const errors = {
      beta: Math.abs(row.beta - theirs("beta")) / theirs("se"),
      se: relative(row.se, theirs("se")),
      logl_H1: relative(row.logl_H1, theirs("logl_H1")),
      l_remle: relative(row.l_remle, theirs("l_remle")),
      p_wald: logP(row.log10p, log10p),
    };
    for (const [name, error] of Object.entries(errors)) {
      if (error <= worst[name].value) continue;
      worst[name] = { value: Number.isNaN(error) ? Number.POSITIVE_INFINITY : error, where: row.id };
    }
    if (relative(row.beta, theirs("beta")) <= GOALS.beta) met.beta++;
    if (relative(row.p_wald, theirs("p_wald")) <= GOALS.p) met.p++;
  });
  const results = [result(`${label}: the same SNPs`, 0, 0, `${rows.length} rows`)];
  for (const [name, { value, where }] of Object.entries(worst))
    results.push(result(`${label}: ${name}`, value, FLOORS[name], where));
  return { results, met };
}

/** GEMMA prints 0 below about 5e-324; ours must then be that small too. */
function logP(ours, theirs) {
  if (theirs === Number.POSITIVE_INFINITY) return ours > 307 ? 0 : Number.POSITIVE_INFINITY;
  return Math.abs(ours - theirs) / Math.max(1, theirs);
}

function relative(ours, theirs) {
  return ours === theirs ? 0 : Math.abs(ours / theirs - 1);
}

/** pve, vg and ve of the null model against the log file's six digits. */
export function compareNull(model, log, label) {
  return ["pve", "vg", "ve"].map((name) =>
    result(`${label}: null model ${name}`, relative(model[name], log[name]), FLOORS.nullModel),
  );
}

/** Our .assoc.txt against GEMMA's: header, text columns and af byte for byte, number formats by their shape. */
export function compareText(ours, theirs, label) {
  let texts =
    ours.header === theirs.header && ours.rows.length === theirs.rows.length ? 0 : Number.POSITIVE_INFINITY;
  let formats = 0;
  let where = texts === 0 ? "" : "header or count of rows";
  const shape = /^-?(?:\d\.\d{6}e[-+]\d{2,3}|nan|inf)$/;
  ours.rows.forEach((row, i) => {
    for (let c = 0; c < row.length; c++) {
      if (c < 7 && row[c] !== theirs.rows[i]?.[c]) {
        texts++;
        where ||= `row ${i + 1}, ${ours.names[c]}: ${row[c]}, GEMMA ${theirs.rows[i]?.[c]}`;
      }
      if (c >= 7 && !shape.test(row[c])) formats++;
    }
  });
  return [
    result(`${label}: text columns that differ`, texts, 0, where),
    result(`${label}: numbers of another format`, formats, 0),
  ];
}
