// Owns the comparison of two kept environments: what differs, what only one has, and what cannot be told; a hidden value is never needed for it.
import type { ComparedEntry, Difference } from '../shared/environment.ts';
import type { KeptEntry, KeptEnvironment } from '../store/environments.ts';

/** Variables that name the machine, the process or the moment: two healthy instances differ in them. */
const EXPECTED = /^(?:WEBSITE_INSTANCE_ID|WEBSITE_ROLE_INSTANCE_ID|WEBSITE_CURRENT_STAMPNAME|WEBSITE_PHYSICAL_MEMORY_MB|COMPUTERNAME|HOSTNAME|MACHINEKEY_\w+|PORT|HTTP_PLATFORM_PORT|HTTP_PLATFORM_DEBUG_MODE|ASPNETCORE_PORT|ASPNETCORE_TOKEN|APP_POOL_ID|APP_POOL_CONFIG|TEMP|TMP|TMPDIR|PWD|OLDPWD|SHLVL|_|SSH_\w+|IDENTITY_HEADER|IDENTITY_ENDPOINT|MSI_SECRET|MSI_ENDPOINT|NODE_UNIQUE_ID|NODE_CHANNEL_FD|PM2_\w+|REGION_NAME|CONTAINER_\w+|WEBSITES_INCLUDE_CLOUD_CERTS|INVOCATION_ID|JOURNAL_STREAM)$/i;

export interface Compared { readonly entries: ComparedEntry[]; readonly differing: number; readonly equal: number; readonly notes: string[] }

/** What differs first, then what only one side has; within each by group and name. `all`: equal ones too. */
export function compareEnvironments(left: KeptEnvironment, right: KeptEnvironment, all: boolean): Compared {
  const sameKey = left.keyId === right.keyId;
  const [a, b] = [byName(left.entries), byName(right.entries)];
  const entries = [...new Set([...a.keys(), ...b.keys()])].map((key) => comparedOf(a.get(key), b.get(key), sameKey));
  const differing = entries.filter(({ difference, expected }) => difference !== 'equal' && difference !== 'cannot-tell' && !expected).length;
  const shown = entries.filter(({ difference }) => all || difference !== 'equal').sort(inOrder);
  return { entries: shown, differing, equal: entries.filter(({ difference }) => difference === 'equal').length, notes: notesOf(left, right, sameKey) };
}

const GROUPS = ['setting', 'connection', 'variable'] as const;
const ORDER: readonly Difference[] = ['differs', 'only-left', 'only-right', 'cannot-tell', 'equal'];

function inOrder(a: ComparedEntry, b: ComparedEntry): number {
  return Number(a.expected) - Number(b.expected) || ORDER.indexOf(a.difference) - ORDER.indexOf(b.difference) || GROUPS.indexOf(a.group) - GROUPS.indexOf(b.group) || (a.name < b.name ? -1 : 1);
}

/** Windows' names have no case, and a setting keeps its group when its case is changed. */
const byName = (entries: readonly KeptEntry[]): Map<string, KeptEntry> => new Map(entries.map((one) => [`${one.group} ${one.name.toUpperCase()}`, one]));

function comparedOf(left: KeptEntry | undefined, right: KeptEntry | undefined, sameKey: boolean): ComparedEntry {
  const one = (left ?? right) as KeptEntry;
  return {
    group: one.group, name: one.name, difference: differenceOf(left, right, sameKey), expected: EXPECTED.test(one.name),
    ...(left === undefined ? {} : { left: { value: left.value, masked: left.masked } }),
    ...(right === undefined ? {} : { right: { value: right.value, masked: right.masked } }),
  };
}

function differenceOf(left: KeptEntry | undefined, right: KeptEntry | undefined, sameKey: boolean): Difference {
  if (left === undefined) return 'only-right';
  if (right === undefined) return 'only-left';
  if (left.mark === undefined && right.mark === undefined) return left.value === right.value ? 'equal' : 'differs';
  // One is hidden or cut, the other is not: had they been the same value under the same name, both would be.
  if (left.mark === undefined || right.mark === undefined) return 'differs';
  if (!sameKey) return 'cannot-tell';
  return left.mark === right.mark ? 'equal' : 'differs';
}

function notesOf(left: KeptEnvironment, right: KeptEnvironment, sameKey: boolean): string[] {
  return [
    ...(left.of === right.of ? [] : ['One is the environment of the app, the other that of the agent: they differ by their nature.']),
    ...(sameKey ? [] : ['Hidden values were marked with different keys, so whether they are equal cannot be told.']),
  ];
}
