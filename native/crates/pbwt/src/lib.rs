//! Positional Burrows–Wheeler transform (Durbin 2014, Bioinformatics 30:1266) over haplotypes with any number of codes a locus.
