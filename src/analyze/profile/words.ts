// Owns how a profile speaks: a function with its place, amounts by their unit.
import type { ProfileFrame, ProfileUnit } from '../../shared/profile.ts';
import { bytes, duration, plural } from '../../shared/units.ts';
import { oneLine } from '../parse/words.ts';
import { shortPlace } from './category.ts';

/** "`checkEmail` in `lib/user.js:12`". */
export function placeText(frame: { readonly name: string; readonly url?: string; readonly file?: string; readonly line?: number }, line = frame.line): string {
  const url = frame.url ?? frame.file ?? '';
  const name = `\`${oneLine(frame.name, 80).replaceAll('`', "'")}\``;
  return url === '' ? name : `${name} in \`${oneLine(shortPlace(url), 100).replaceAll('`', "'")}${line === undefined || line === 0 ? '' : `:${line}`}\``;
}

export function amountText(amount: number, unit: ProfileUnit): string {
  return unit === 'us' ? duration(amount / 1e3) : unit === 'bytes' ? bytes(amount) : plural(Math.round(amount), 'sample');
}

export function stackText(frame: ProfileFrame): string {
  return oneLine(`${frame.name}${frame.file === undefined ? '' : ` (${shortPlace(frame.file)}${frame.line === undefined ? '' : `:${frame.line}`})`}`, 200);
}
