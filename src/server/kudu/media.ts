// Owns which media type a file's name stands for.

const TYPES: Readonly<Record<string, string>> = {
  txt: 'text/plain', log: 'text/plain', md: 'text/plain', ini: 'text/plain', env: 'text/plain', yml: 'text/plain', yaml: 'text/plain', cmd: 'text/plain', bat: 'text/plain', ps1: 'text/plain', sh: 'text/plain', cs: 'text/plain', ts: 'text/plain', tsx: 'text/plain', jsx: 'text/plain', py: 'text/plain', php: 'text/plain', java: 'text/plain', cshtml: 'text/plain', aspx: 'text/plain', config: 'application/xml', csproj: 'application/xml', xdt: 'application/xml', xml: 'application/xml', xsl: 'application/xml',
  htm: 'text/html', html: 'text/html', css: 'text/css', csv: 'text/csv', js: 'application/javascript', mjs: 'application/javascript', cjs: 'application/javascript', json: 'application/json', map: 'application/json',
  svg: 'image/svg+xml', png: 'image/png', jpg: 'image/jpeg', jpeg: 'image/jpeg', gif: 'image/gif', ico: 'image/x-icon', webp: 'image/webp', pdf: 'application/pdf', zip: 'application/zip', gz: 'application/gzip', wasm: 'application/wasm', woff: 'font/woff', woff2: 'font/woff2', ttf: 'font/ttf', mp4: 'video/mp4', mp3: 'audio/mpeg',
};

export const FOLDER = 'inode/directory';
export const LINK = 'inode/symlink';

export function mediaTypeOf(name: string): string {
  const ending = /\.([^.]+)$/.exec(name)?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(TYPES, ending) ? TYPES[ending] as string : 'application/octet-stream';
}
