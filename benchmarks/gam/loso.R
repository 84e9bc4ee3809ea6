# Leave one subject out with mgcv, a loop of gam() from scratch: Rscript loso.R data.csv family.
suppressMessages(library(mgcv))
a <- commandArgs(TRUE)
d <- read.csv(a[1], stringsAsFactors = TRUE)
f <- y ~ s(x0, bs = "cr", k = 10) + s(x1, bs = "cr", k = 10) + s(x2, bs = "cr", k = 10) + s(x3, bs = "cr", k = 10) + s(id, bs = "re")
outer <- 0
t <- system.time({
  all <- gam(f, family = a[2], data = d, method = "REML")
  for (s in levels(d$id)) {
    m <- gam(f, family = a[2], data = d[d$id != s, ], method = "REML", drop.unused.levels = FALSE)
    outer <- outer + m$outer.info$iter
    p <- predict(m, d[d$id == s, ])
  }
})
cat(sprintf('{"cpu":%.6g,"wall":%.6g,"outer":%d}\n', sum(t[1:2]), t[3], as.integer(outer)))
