// Owns the comparison of two profiles: by function its share of all that is not idle, before and after.
import type { ProfileReport } from '../../shared/profile.ts';
import { sums } from './owners.ts';
import { QUIET } from './owners.ts';
import { told, type Frame, type ProfileTree } from './tree.ts';

const MOST = 100;
/** Less is noise of the sampling. */
const LEAST_SHARE = 0.002;

/** Lines move between versions of a file: the name and the file are what stays. */
const key = (frame: Frame): string | undefined => (QUIET.has(frame.category) ? undefined : `${frame.name}\n${frame.url.replace(/^file:\/\//, '')}`);

export function changeOf(tree: ProfileTree, busy: number, base: { readonly tree: ProfileTree; readonly busy: number; readonly name: string }): NonNullable<ProfileReport['change']> {
  const now = sums(tree, key);
  const before = sums(base.tree, key);
  const share = (amount: number | undefined, all: number): number => (all > 0 ? (amount ?? 0) / all : 0);
  const functions = [...new Set([...now.keys(), ...before.keys()])].flatMap((one) => {
    const frame = (now.get(one) ?? before.get(one))?.frame;
    const was = share(before.get(one)?.self, base.busy), is = share(now.get(one)?.self, busy);
    return frame === undefined || Math.abs(is - was) < LEAST_SHARE ? [] : [{ ...told(frame), before: was, after: is }];
  });
  return { base: base.name, functions: functions.sort((a, b) => Math.abs(b.after - b.before) - Math.abs(a.after - a.before)).slice(0, MOST) };
}
