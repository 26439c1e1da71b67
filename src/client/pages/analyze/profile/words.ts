// Owns how the page writes amounts and places of a profile.
import type { ProfileFrame, ProfileUnit } from '../../../../shared/profile.ts';
import { bytes, count, duration } from '../../../../shared/units.ts';
import { visible } from '../../../../shared/view.ts';

const PLACE_CHARS = 160;

export function amountText(amount: number, unit: ProfileUnit): string {
  return unit === 'us' ? duration(amount / 1e3) : unit === 'bytes' ? bytes(amount) : count(Math.round(amount));
}

/** "lib/store.js:12": the last segments of the file. */
export function placeText({ file, line }: Pick<ProfileFrame, 'file' | 'line'>): string {
  if (file === undefined) return '';
  const short = file.replace(/^file:\/\/\/?/, '').split(/[\\/]/).filter((part) => part !== '').slice(-3).join('/');
  return visible(`${short}${line === undefined ? '' : `:${line}`}`).slice(0, PLACE_CHARS);
}

export const nameText = (frame: Pick<ProfileFrame, 'name'>): string => visible(frame.name).slice(0, PLACE_CHARS);
