// Owns the writing end of one step: when the step ends, its drafts go, whatever its diagnoser does later.
import { DiagError } from '../shared/errors.ts';
import type { ArtifactWriter, Draft } from '../store/store.ts';

export interface StepWriter extends ArtifactWriter {
  /** Discards what is not committed and refuses what comes later. */
  close(): Promise<void>;
}

export function stepWriter(writer: ArtifactWriter): StepWriter {
  const open = new Set<Draft>();
  let closed = false;
  const refuse = (): void => { if (closed) throw new DiagError('CANCELLED', { what: 'The step' }); };
  const guard = (draft: Draft): Draft => ({
    path: draft.path,
    stream() { refuse(); return draft.stream(); },
    async commit(extra) {
      refuse();
      const ref = await draft.commit(extra);
      open.delete(draft);
      return ref;
    },
    async discard() { open.delete(draft); await draft.discard(); },
  });
  return {
    get refs() { return writer.refs; },
    async draft(kind, name, needBytes) {
      refuse();
      const draft = await writer.draft(kind, name, needBytes);
      if (closed) { await draft.discard(); refuse(); }
      open.add(draft);
      return guard(draft);
    },
    async close() {
      closed = true;
      await Promise.all([...open].map((draft) => draft.discard()));
      open.clear();
    },
  };
}
