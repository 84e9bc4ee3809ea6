/** Where in a file each modality lies: as the user says, or as found by the names people use. */
import type { ModalityKind } from "./dataset.ts";
import type { GroupNode } from "./tree.ts";

/** Where one modality lies. A text stands for `{ at: text }`. */
export interface Place {
  /** The matrix: `X`, `layers/counts`, `raw/X`, `obsm/X_atac`; in `.h5mu` files `mod/rna/X`. */
  at: string;
  /** What its numbers are; needed unless its name is `rna`, `atac` or `adt`. */
  kind?: ModalityKind;
  /** Names of its columns, e.g. `uns/atac_names`. By default the table beside the matrix, or `uns/<name>_names`. */
  features?: string;
  /** Column of `obs` that says which cells were measured; by default `has_<name>` where it is there, else all are. */
  available?: string;
  /** Only features whose `feature_types` (10x, muon) is this. */
  featureType?: string;
}

/** Places by name of the modality. */
export type Places = Readonly<Record<string, string | Place>>;

/** How 10x names its types of features, and what they are here. */
export const FEATURE_TYPES: Readonly<Record<string, ModalityKind>> = {
  "Gene Expression": "rna",
  Peaks: "atac",
  "Antibody Capture": "adt",
};

/** Names under which people keep a modality in `obsm`. */
const OBSM: Readonly<Record<string, readonly string[]>> = {
  atac: ["X_atac", "atac", "atac_counts", "peaks"],
  adt: ["X_adt", "adt", "protein_expression", "protein", "protein_counts", "prot"],
};

/** Names of modalities in `.h5mu` files. */
const MUDATA: Readonly<Record<string, ModalityKind>> = {
  rna: "rna",
  gex: "rna",
  expression: "rna",
  atac: "atac",
  peaks: "atac",
  adt: "adt",
  prot: "adt",
  protein: "adt",
  cite: "adt",
};

/** The kind that a modality of this name in a `.h5mu` file is taken for. */
export function mudataKind(name: string): ModalityKind | undefined {
  return MUDATA[name.toLowerCase()];
}

/** Places as given, each as an object. */
export function fullPlaces(places: Places): [name: string, place: Place][] {
  return Object.entries(places).map(([name, place]) => [
    name,
    typeof place === "string" ? { at: place } : place,
  ]);
}

/** Names where the columns of an `obsm` matrix may be listed. */
export function nameLists(name: string, at: string): string[] {
  const key = at.split("/").at(-1)!;
  const stems = [
    ...new Set([
      key,
      key.replace(/^X_/, ""),
      name,
      ...(name === "adt" ? ["protein"] : []),
      ...(name === "atac" ? ["peak"] : []),
    ]),
  ];
  return stems.flatMap((stem) => [`uns/${stem}_names`, `uns/${stem}_features`, `uns/${stem}_var_names`]);
}

/**
 * Looks for modalities where people keep them. `X` is RNA, unless the flags in `obs` say that no cell has RNA: then it
 * is the modality that is measured and lies nowhere else.
 */
export async function findPlaces(
  root: GroupNode,
  featureTypes: readonly string[],
  measured: (name: string) => boolean | undefined,
): Promise<Places> {
  const places: Record<string, Place> = {};
  for (const [name, keys] of Object.entries(OBSM)) {
    for (const key of keys) {
      if (!places[name] && (await root.get(`obsm/${key}`))) places[name] = { at: `obsm/${key}` };
    }
  }
  const main = (await root.get("layers/counts")) ? "layers/counts" : (await root.get("X")) ? "X" : undefined;
  if (main === undefined) return places;
  const types = [...new Set(featureTypes)].filter((type) => Object.hasOwn(FEATURE_TYPES, type));
  if (types.length > 1) {
    const split = types.map((type) => [FEATURE_TYPES[type]!, { at: main, featureType: type }] as const);
    return { ...Object.fromEntries(split), ...places };
  }
  const other = ["atac", "adt"].find((name) => measured(name) && !places[name]);
  const kind = types[0] ? FEATURE_TYPES[types[0]]! : measured("rna") === false && other ? other : "rna";
  return { [kind]: { at: main }, ...places };
}
