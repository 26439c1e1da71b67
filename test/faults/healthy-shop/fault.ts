// Owns the control of an app with which nothing is wrong.
import type { LocalFault } from '../lab/fault.ts';

export const healthyShop: LocalFault = {
  name: 'healthy', cause: 'healthy', front: 'local', app: 'healthy-shop', fast: true, about: 'ordinary traffic, a few 404s',
  run: (site) => site.load({ paths: ['/', '/list', '/', '/missing'], everyMs: 20, forMs: 3_000 }),
};
