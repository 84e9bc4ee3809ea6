import { dictionaryVector, tableFromColumns, utf8Vector } from "@x/core";
import type { Data, Table } from "apache-arrow";
import type { FeatureTable } from "./feature-table.ts";

/** Entries of a table, one a row. */
export function arrowOfTable(table: FeatureTable): Table {
  const sample: string[] = [];
  for (let s = 0; s < table.sampleIds.length; s++) {
    for (let at = table.indptr[s]!; at < table.indptr[s + 1]!; at++) sample.push(table.sampleIds[s]!);
  }
  const feature = Array.from(table.indices, (f) => table.featureIds[f]!);
  return tableFromColumns({
    sample: dictionaryVector(sample),
    feature: dictionaryVector(feature),
    count: table.values,
  });
}

/** A text column as the data of a batch. */
export function utf8Column(values: readonly string[]): Data {
  return utf8Vector(values).data[0]!;
}
