# Writes edges.json from more.csv: mgcv's numbers where a default or a rare combination decides: sizes of bases by default, products with a
# random margin (nested too), smooths that share a basis (id), log likelihoods under GCV, gamma beside REML and ML, links whose domain ends. `Rscript make_edges.R` in this folder (R 4.2.2, mgcv 1.8-41).
suppressMessages(library(mgcv))
d <- read.csv("more.csv", stringsAsFactors = TRUE)
ctl <- gam.control(epsilon = 1e-11, maxit = 400, newton = list(conv.tol = 1e-9, maxNstep = 5, maxSstep = 2, maxHalf = 30, use.svd = FALSE))
m <- function(formula, family = "gaussian", method = "REML", ours = family, gamma = 1) list(formula, family, method, ours, gamma)
cr <- 's(x, bs="cr", k=6)'
models <- list(
  m('normal ~ s(x, m=1)'), m('normal ~ s(x, m=3)'), m('normal ~ s(x, z, m=3)'), m('normal ~ s(x, z, positive)'),
  m('normal ~ s(x, bs="gp", m=-3)'), m('normal ~ s(x, z, bs="gp", m=-3)'),
  m(paste("positive ~", cr), "Gamma(link=log)", "GCV.Cp"), m(paste("positive ~", cr), "inverse.gaussian(link=log)", "GCV.Cp"), m(paste("positive ~", cr), "gaussian", "GCV.Cp"),
  m('normal ~ ti(x, g, bs=c("cr","re"))'), m('normal ~ ti(g, x, bs=c("re","cr"))'), m('normal ~ te(x, g, bs=c("cr","re"))'),
  m('normal ~ ti(x, z, bs=c("cr","re"))'), m('normal ~ te(x, z, bs=c("cr","re"))'),
  m(paste("positive ~", cr), "inverse.gaussian"), m("positive ~ z", "inverse.gaussian"), m(paste("count ~", cr), "poisson(link=identity)"), m("count ~ x", "poisson(link=identity)"),
  m(paste("count ~", cr), "quasipoisson(link=identity)"), m("yes ~ x", "binomial(link=log)"), m(paste("beta ~", cr), "quasi(link=logit)"), m(paste("count ~", cr), "quasi(link=sqrt)"),
  m('normal ~ s(x, bs="cr", k=6, id=1) + s(positive, bs="cr", k=6, id=1)'), m('normal ~ s(x, k=6, id=1) + s(positive, k=6, id=1)'), m('normal ~ s(x, bs="ps", k=7, id=1) + s(positive, bs="cr", k=5, id=1)'),
  m('normal ~ te(x, z, k=4, id=1) + te(positive, beta, k=4, id=1)'), m('normal ~ g + s(x, by=g, bs="cr", k=5, id=1)'), m('count ~ s(x, bs="ds", k=6, id=1) + s(positive, bs="ds", k=6, id=1)', "poisson"),
  m('normal ~ s(x) + ti(x, g, bs=c("cr","re"))'), m('normal ~ s(x, bs="cr") + ti(x, g, bs=c("cr","re"))'),
  m('normal ~ s(x) + te(x, g, bs=c("cr","re"))'), m('normal ~ s(x) + s(g, bs="re") + ti(x, g, bs=c("cr","re"))'),
  m(paste("normal ~", cr, '+ s(z, bs="cr", k=6)'), gamma = 1.5), m(paste("normal ~", cr), method = "ML", gamma = 1.5), m(paste("count ~", cr, '+ s(g, bs="re")'), "poisson", gamma = 2), m(paste("count ~", cr), "poisson", "ML", gamma = 2),
  m(paste("positive ~", cr), "Gamma(link=log)", gamma = 1.5), m(paste("positive ~", cr), "Gamma(link=log)", "ML", gamma = 0.7), m(paste("count ~", cr), "nb", gamma = 1.5), m(paste("normal ~", cr), method = "GCV.Cp", gamma = 1.4))
rows <- c(1, 50, 101, 152, 203, 254)
out <- lapply(models, function(m) tryCatch({
  b <- gam(as.formula(m[[1]]), family = eval(parse(text = m[[2]])), data = d, method = m[[3]], gamma = m[[5]], control = ctl)
  p <- predict(b, d[rows, ], se.fit = TRUE)
  list(formula = m[[1]], family = m[[4]], method = sub(".Cp", "", m[[3]], fixed = TRUE), gamma = m[[5]], coefficients = length(coef(b)), deviance = b$deviance, edf = sum(b$edf), scale = b$sig2,
    criterion = as.numeric(b$gcv.ubre), logLik = as.numeric(logLik(b)), link = as.numeric(p$fit), se = as.numeric(p$se.fit))
}, error = function(e) { message(m[[1]], " ", m[[2]], ": ", conditionMessage(e)); NULL }))
out <- Filter(Negate(is.null), out)
num <- function(x) paste(ifelse(is.finite(x), sprintf("%.15g", x), "null"), collapse = ",")
one <- function(v) if (is.character(v)) sprintf('"%s"', gsub('"', '\\\\"', v)) else if (length(v) == 1) num(v) else sprintf("[%s]", num(v))
object <- function(l) sprintf("{%s}", paste(sprintf('"%s":%s', names(l), vapply(l, one, "")), collapse = ","))
writeLines(sprintf('{"rows":[%s],"models":[\n%s]}', num(rows), paste(vapply(out, object, ""), collapse = ",\n")), "edges.json")
