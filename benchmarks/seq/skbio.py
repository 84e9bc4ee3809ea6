"""scikit-bio's CPU seconds for the distances alone."""

import io
import json
import sys
import time

import biom
from skbio import TreeNode
from skbio.diversity import beta_diversity

prefix, metric = sys.argv[1:3]
table = biom.load_table(f"{prefix}.biom")
tree = TreeNode.read(io.StringIO(open(f"{prefix}.nwk").read()), convert_underscores=False)
counts = table.matrix_data.T.toarray().astype(int)
ids = table.ids("sample")
options = {"unweighted": ("unweighted_unifrac", {}), "weighted-normalized": ("weighted_unifrac", {"normalized": True}), "weighted": ("weighted_unifrac", {"normalized": False})}
name, more = options[metric]
start = time.process_time()
beta_diversity(name, counts, ids, tree=tree, taxa=list(table.ids("observation")), **more)
print(json.dumps({"compute": time.process_time() - start}))
