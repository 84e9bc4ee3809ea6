import { binomial, captureArtifact, crossFit, fit, readData } from "@x/gam-warmstart";

const data = await readData(process.argv[2] ?? "fixtures/gam/visits.csv");
const formula = `responded ~ s(dose, bs="cr") + s(age) + s(subject, bs="re")`;

const model = await fit(formula, data, { family: binomial() });
console.log(model.summary());
const cv = await crossFit(formula, data, { family: binomial(), group: "subject" });
console.log(`held-out log loss ${cv.score.logLoss.toFixed(3)}`, cv.cost.warm, cv.cost.cold);
await fit(formula, data, { family: binomial(), warmStart: captureArtifact(model) });
