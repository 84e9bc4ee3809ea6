# One fit of mgcv's: Rscript fit.R data.csv family gam|bam|discrete. Prints CPU and wall seconds of the fit alone.
suppressMessages(library(mgcv))
a <- commandArgs(TRUE)
d <- read.csv(a[1])
f <- y ~ s(x0, bs = "cr", k = 10) + s(x1, bs = "cr", k = 10) + s(x2, bs = "cr", k = 10) + s(x3, bs = "cr", k = 10)
rss <- function(what) as.numeric(sub("\\D*(\\d+).*", "\\1", grep(what, readLines("/proc/self/status"), value = TRUE))) * 1024
before <- rss("VmRSS")
t <- system.time(m <- switch(a[3],
  gam = gam(f, family = a[2], data = d, method = "REML"),
  bam = bam(f, family = a[2], data = d, method = "fREML"),
  discrete = bam(f, family = a[2], data = d, method = "fREML", discrete = TRUE, nthreads = 1)))
cat(sprintf('{"cpu":%.6g,"wall":%.6g,"peak":%.0f,"criterion":%.10g,"edf":%.8g}\n', sum(t[1:2]), t[3], rss("VmHWM") - before, as.numeric(m$gcv.ubre), sum(m$edf)))
