// Owns auto-heal as the management API has it, in the running agent: read, compared, written against what was read, with an audit.
import { createHash } from 'node:crypto';
import { AutoHealRules, plainRules, sameRules, type AutoHealNote, type DiffView, type PlatformHealCheck, type PlatformHealView } from '../shared/auto-heal.ts';
import { notesOn } from '../shared/auto-heal-bounds.ts';
import { DiagError, sayError } from '../shared/errors.ts';
import type { AutoHealState } from '../shared/management.ts';
import type { ProcessKey } from '../shared/model.ts';
import type { Management } from '../mitigate/management/management.ts';
import type { Parts } from './agent.ts';

const WHERE = 'The configuration of the site';
/** Of what stood there before, in the audit: the way back. */
const AUDITED_CHARS = 4_000;

export interface PlatformHeal {
  view(): Promise<PlatformHealView>;
  check(rules: AutoHealRules): Promise<PlatformHealCheck>;
  /** @throws AUTO_HEAL_CHANGED, AUTO_HEAL_BAD, AUTO_HEAL_UNREADABLE, CAPABILITY_MISSING, MANAGEMENT_FAILED */
  write(rules: AutoHealRules, etag: string, who: string): Promise<{ changed: boolean; before: AutoHealRules; diff: DiffView }>;
}

interface Known { readonly enabled: boolean; readonly rules: AutoHealRules; readonly etag: string }

/** `asked`: a process is about to end for this change. */
export function platformHealOf({ platform, observed, audit }: Pick<Parts, 'platform' | 'observed' | 'audit'>, management: Pick<Management, 'offer' | 'autoHeal' | 'setAutoHeal'>, asked: (target: ProcessKey) => void): PlatformHeal {
  const read = async (): Promise<Known | string> => knownOf(await management.autoHeal());
  const readable = async (): Promise<Known> => {
    const known = await read();
    if (typeof known === 'string') throw new DiagError('AUTO_HEAL_UNREADABLE', { file: WHERE, why: known });
    return known;
  };
  const set = async (known: Known, rules: AutoHealRules, who: string): Promise<{ changed: boolean; before: AutoHealRules; diff: DiffView }> => {
    const done = { before: known.rules, diff: await diffOf(known, rules) };
    if (!changes(known, rules)) return { ...done, changed: false };
    await management.setAutoHeal({ enabled: isOn(rules), rules });
    // The platform takes a changed configuration up by a restart: no rule shall take that for a crash.
    for (const { pid, startedAt, ours } of observed.processes()) if (ours !== true) asked({ pid, startedAt });
    const at = platform.clock.now();
    observed.publish({ id: `platform-heal:${at}`, at, kind: 'configuration', level: 'warning', title: `Auto-heal changed by ${who} through the management API`, detail: `${done.diff.added} lines more, ${done.diff.removed} lines less` });
    return { ...done, changed: true };
  };
  return {
    async view() {
      const offer = management.offer();
      if (!offer.yes) return { offer, notes: [] };
      const known = await read();
      return typeof known === 'string' ? { offer, notes: [], unreadable: known } : { offer, ...known, notes: notesOn(known.rules) };
    },
    async check(rules) {
      const known = await readable();
      return { etag: known.etag, changes: changes(known, rules), notes: notesOn(rules), diff: await diffOf(known, rules) };
    },
    async write(rules, etag, who) {
      const wrong = notesOn(rules).filter(({ level }) => level === 'error');
      if (wrong.length > 0) throw new DiagError('AUTO_HEAL_BAD', { why: wrong.map(noteWords).join(' ') });
      const known = await readable();
      if (known.etag !== etag) throw new DiagError('AUTO_HEAL_CHANGED', { file: WHERE });
      const before = `before: ${JSON.stringify(known.rules).slice(0, AUDITED_CHARS)}`;
      try {
        const done = await set(known, rules, who);
        await audit(who, 'set auto-heal', 'management API', done.changed ? before : 'nothing to change');
        return done;
      } catch (error) {
        await audit(who, 'set auto-heal', 'management API', `failed: ${sayError(error)}; ${before}`);
        throw error;
      }
    },
  };
}

const isOn = ({ triggers, actions }: AutoHealRules): boolean => triggers !== undefined && actions !== undefined;
const changes = (known: Known, rules: AutoHealRules): boolean => known.enabled !== isOn(rules) || !sameRules(known.rules, rules);
const noteWords = ({ on, says, source }: AutoHealNote): string => `${on}: ${says}${source === undefined ? '' : ` (${source})`}`;

/** What of it is not of the published form is told and never written over. */
function knownOf({ enabled, rules }: AutoHealState): Known | string {
  const parsed = AutoHealRules.safeParse(rules ?? {});
  if (!parsed.success) return `its rules are not of the known form: ${parsed.error.issues.slice(0, 3).map(({ path, message }) => `${path.join('.')}: ${message}`).join('; ')}`;
  const plain = plainRules(parsed.data);
  return { enabled, rules: plain, etag: createHash('sha256').update(JSON.stringify([enabled, plain])).digest('hex').slice(0, 32) };
}

async function diffOf(known: Known, rules: AutoHealRules): Promise<DiffView> {
  const { lineDiff } = await import('../mitigate/auto-heal/line-diff.ts');
  const text = (enabled: boolean, one: AutoHealRules): string => `${JSON.stringify({ autoHealEnabled: enabled, autoHealRules: plainRules(one) }, undefined, 2)}\n`;
  return lineDiff(text(known.enabled, known.rules), text(isOn(rules), rules));
}
