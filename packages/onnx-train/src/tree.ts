/** Nested records of one kind of leaf: weights, their shapes, their tensors. */

/** A leaf, or a record of trees. */
export type Tree<T> = { readonly [name: string]: T | Tree<T> };

/** Leaves with their paths ("enc/h/w"), in the order in which they were written down. */
export function flatten<T extends object>(
  tree: Tree<T>,
  isLeaf: (x: object) => boolean = isTensorLike,
): [string, T][] {
  return Object.entries(tree).flatMap(([name, value]): [string, T][] =>
    isLeaf(value)
      ? [[name, value as T]]
      : flatten(value as Tree<T>, isLeaf).map(([path, leaf]) => [`${name}/${path}`, leaf]),
  );
}

/** A tree like `tree` with other leaves, given in the order of `flatten`. */
export function unflatten<P>(
  tree: P,
  leaves: readonly unknown[],
  isLeaf: (x: object) => boolean = isTensorLike,
): P {
  let next = 0;
  const build = (node: object): object =>
    Object.fromEntries(
      Object.entries(node).map(([name, value]) => [name, isLeaf(value) ? leaves[next++] : build(value)]),
    );
  return build(tree as object) as P;
}

/** A tensor or a description of one: both have a shape. */
function isTensorLike(x: object): boolean {
  return "shape" in x && Array.isArray(x.shape);
}
