// Owns the arithmetic of places on the page: joining, parents, crumbs, and what a name says about a file's kind.

export const joined = (path: string, name: string): string => (path === '' ? name : `${path}/${name}`);
export const parentOf = (path: string): string => path.split('/').slice(0, -1).join('/');
export const lastOf = (path: string): string => path.split('/').at(-1) ?? '';

/** Each folder on the way with its own path. */
export function crumbs(path: string): readonly { readonly name: string; readonly path: string }[] {
  const parts = path === '' ? [] : path.split('/');
  return parts.map((name, i) => ({ name, path: parts.slice(0, i + 1).join('/') }));
}

/** Types that a browser only draws. A picture that is a program elsewhere (SVG) runs nothing inside an <img>. */
const PICTURES: Readonly<Record<string, string>> = { png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', webp: 'image/webp', avif: 'image/avif', bmp: 'image/bmp', ico: 'image/x-icon', svg: 'image/svg+xml' };
const endingOf = (name: string): string => (name.includes('.') ? (name.split('.').at(-1) ?? '').toLowerCase() : '');
export const pictureType = (name: string): string | undefined => PICTURES[endingOf(name)];

export type Form = 'json' | 'csv' | 'text';
export function formOf(name: string): Form {
  const ending = endingOf(name);
  return ending === 'json' || ending === 'map' ? 'json' : ending === 'csv' || ending === 'tsv' ? 'csv' : 'text';
}
export const isZip = (name: string): boolean => ['zip', 'jar', 'war', 'nupkg'].includes(endingOf(name));

/** Folders first, then by name as people sort: 2 before 10. */
const order = new Intl.Collator(undefined, { numeric: true, sensitivity: 'base' });
export function sorted<T extends { readonly name: string; readonly kind: string }>(entries: readonly T[]): T[] {
  return [...entries].sort((a, b) => Number(b.kind === 'folder') - Number(a.kind === 'folder') || order.compare(a.name, b.name) || (a.name < b.name ? -1 : 1));
}

/** Rows of a table of comma- or tab-separated values, quotes as RFC 4180 has them; at most `max`. */
export function csvRows(text: string, separator: string, max: number): string[][] {
  const rows: string[][] = [];
  let row: string[] = [], field = '', quoted = false;
  const endField = (): void => { row.push(field); field = ''; };
  const endRow = (): void => { endField(); if (row.length > 1 || row[0] !== '') rows.push(row); row = []; };
  for (let i = 0; i < text.length && rows.length < max; i += 1) {
    const sign = text[i] ?? '';
    if (quoted) {
      if (sign !== '"') field += sign;
      else if (text[i + 1] === '"') { field += '"'; i += 1; }
      else quoted = false;
    } else if (sign === '"' && field === '') quoted = true;
    else if (sign === separator) endField();
    else if (sign === '\n') endRow();
    else if (sign !== '\r') field += sign;
  }
  if ((field !== '' || row.length > 0) && rows.length < max) endRow();
  return rows;
}
