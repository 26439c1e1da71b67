// Owns whether two texts name the same host.

/** "127.0.0.1:5432" and "127.0.0.1:5432", or the host alone. */
export function sameHost(a: string, b: string): boolean {
  const plain = (t: string): string => t.replace(/^\w+:\/\//, '').replace(/\/.*$/, '').toLowerCase();
  const [x, y] = [plain(a), plain(b)];
  return x === y || x.replace(/:\d+$/, '') === y || y.replace(/:\d+$/, '') === x;
}
