/** The name of a column that its file does not name. */
export function columnAt(column: number, path: string): string {
  return `column ${column} of ${path}`;
}

/** Such a name, perhaps with a level. A header may say anything ("years of education") and is left as it is. */
const BY_POSITION = /^(column \d+(?:=.*?)?)( of .*)$/s;

/** A name without the path of its file. */
export function shortName(name: string): string {
  return name.replace(BY_POSITION, "$1");
}

/** The name of a category's column for one level. */
export function levelName(name: string, level: string): string {
  const [, column, path] = BY_POSITION.exec(name) ?? [];
  return column === undefined ? `${name}=${level}` : `${column}=${level}${path}`;
}
