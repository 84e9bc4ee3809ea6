#!/bin/sh
# What GEMMA 0.98.5 and PLINK 2 say about inputs other than a fileset and its kinship. Run where both are installed, with
# python3 and numpy:
#   sh packages/lmm/test/golden/inputs/make.sh
# Files are the tools' exact bytes but for *.lower.txt.gz: row i holds the first i values of row i.
set -eu
cd "$(dirname "$0")"
export OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1 LC_ALL=C
tiny=../../../../../fixtures/tiny
mod2=$tiny/mod2/mod2
node generate.mjs
rm -rf output && rm -f ./*.gz ./*.eigenvec ./*.eigenval
lower() { awk -F'\t' '{ for (i = 1; i < NR; i++) printf "%s\t", $i; print $NR }' "output/$1" | gzip -9 -n > "$1.lower.gz"; }
keep() { gzip -9 -n -c "output/$1" > "$1.gz"; }
{
  # Standardised kinship and its association.
  gemma -bfile "$mod2" -gk 2 -o mod2_gk2
  lower mod2_gk2.sXX.txt
  gemma -bfile "$mod2" -k output/mod2_gk2.sXX.txt -lmm 1 -o mod2_sXX
  keep mod2_sXX.assoc.txt
  # GEMMA 0.98.5 lists -ksnps and does not know it: -snps with -gk is the same.
  awk 'NR % 3 == 0 { print $2 }' "$mod2.bim" > ksnps.txt
  gemma -bfile "$mod2" -gk 1 -snps ksnps.txt -o mod2_ksnps
  lower mod2_ksnps.cXX.txt
  # A decomposition, and an association from it.
  gemma -bfile "$mod2" -gk 1 -o mod2_gk1
  gemma -bfile "$mod2" -k output/mod2_gk1.cXX.txt -eigen -o mod2_eigen
  keep mod2_eigen.eigenD.txt
  keep mod2_eigen.eigenU.txt
  gemma -bfile "$mod2" -d output/mod2_eigen.eigenD.txt -u output/mod2_eigen.eigenU.txt -lmm 1 -o mod2_du
  keep mod2_du.assoc.txt
  # BIMBAM.
  bimbam="-g dosage.geno.txt -p dosage.pheno.txt"
  gemma $bimbam -a dosage.anno.txt -gk 1 -o dosage_gk1
  lower dosage_gk1.cXX.txt
  gemma $bimbam -a dosage.anno.txt -gk 2 -o dosage_gk2
  lower dosage_gk2.sXX.txt
  k="-k output/dosage_gk1.cXX.txt"
  gemma $bimbam -a dosage.anno.txt $k -lmm 1 -o dosage_lmm1
  keep dosage_lmm1.assoc.txt
  gemma $bimbam -a dosage.anno.txt $k -c dosage.covar.txt -lmm 1 -o dosage_cov
  keep dosage_cov.assoc.txt
  gemma $bimbam $k -c dosage.dummies.txt -lmm 1 -o dosage_dummies
  keep dosage_dummies.assoc.txt
  gemma $bimbam $k -hwe 0.001 -lmm 1 -o dosage_hwe
  keep dosage_hwe.assoc.txt
  gemma $bimbam $k -notsnp -hwe 0.001 -miss 0.02 -lmm 1 -o dosage_notsnp
  keep dosage_notsnp.assoc.txt
  # Principal components: PLINK 2 where no call is missing, numpy with missing calls at their mean.
  plink2 --bfile "$mod2" --geno 0 --maf 0.01 --nonfounders --bad-freqs --pca 5 --out output/pca
  cp output/pca.eigenvec mod2.plink2.eigenvec
  cp output/pca.eigenval mod2.plink2.eigenval
  python3 pca.py "$mod2" > mod2.numpy.json
} > make.log 2>&1
rm -rf output make.log
