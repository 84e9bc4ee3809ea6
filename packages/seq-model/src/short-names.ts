/** Names that are too long for a picture, cut so that they still tell apart. */

/** Ways to cut a text to `most` letters, the usual one first: its beginning, both ends, its end. */
const CUTS: readonly ((text: string, most: number) => string)[] = [
  (text, most) => `${text.slice(0, most - 1)}…`,
  (text, most) => `${text.slice(0, most >> 1)}…${text.slice(text.length - ((most - 1) >> 1))}`,
  (text, most) => `…${text.slice(1 - most)}`,
];

/**
 * Each name in at most `most` letters (8 or more). Names whose beginnings are the same, as those of sequences often are,
 * are cut elsewhere; where no cut tells them apart, they are numbered. The same name always gives the same text.
 */
export function shortNames(names: readonly string[], most: number): string[] {
  const shown = new Map<string, string>();
  for (const name of names) shown.set(name, name.length > most ? CUTS[0]!(name, most) : name);
  for (const cut of CUTS.slice(1)) for (const name of alike(shown)) shown.set(name, cut(name, most));
  for (const [name, cut] of middles(alike(shown), shown, most)) shown.set(name, cut);
  for (const [k, name] of alike(shown).entries()) {
    const number = `…${k + 1}`;
    shown.set(name, name.slice(0, most - number.length) + number);
  }
  return names.map((name) => shown.get(name)!);
}

/** Names with the same text, cut to begin where they first differ. */
function middles(
  names: readonly string[],
  shown: ReadonlyMap<string, string>,
  most: number,
): [string, string][] {
  const texts = [...new Set(names.map((name) => shown.get(name)!))];
  return texts.flatMap((text) => {
    const group = names.filter((name) => shown.get(name) === text);
    const [first = ""] = group;
    let at = 0;
    while (at < first.length && group.every((name) => name[at] === first[at])) at++;
    return group.map((name): [string, string] => {
      const from = Math.min(at, name.length - (most - 2));
      return [name, `…${name.slice(from, from + most - 2)}…`];
    });
  });
}

/** Cut names whose text another name has too. */
function alike(shown: ReadonlyMap<string, string>): string[] {
  const times = new Map<string, number>();
  for (const text of shown.values()) times.set(text, (times.get(text) ?? 0) + 1);
  return [...shown].flatMap(([name, text]) => (text !== name && times.get(text)! > 1 ? [name] : []));
}
