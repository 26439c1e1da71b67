// Owns the cause bad-deployment: what was deployed turned a healthy app into a failing one.
import { afterChange, changeFacts } from './after-change.ts';
import { clock, effectText, oneLine, type CauseRule, type Claim } from './cause.ts';

export const badDeployment: CauseRule = {
  id: 'bad-deployment', about: 'a deployment', explains: ['broke', 'refused', 'answered', 'unstartable', 'invalid', 'slow'], needs: ['deployments', 'exits'], collect: ['deployments', 'changes'],
  judge(scene): Claim[] {
    const found = afterChange(scene, 'deployment');
    if (!found) return [];
    const { change, rows, weights, mechanism } = found;
    return [{
      cause: 'bad-deployment', key: String(change.at), rows, weights, incidents: 1, since: change.at, for: changeFacts(found), against: [],
      chain: [{ at: change.at, what: change.said, part: 'root' }, ...(mechanism === undefined ? [] : [{ what: 'An error comes with it', detail: mechanism, part: 'link' as const }]), { at: rows[0]?.at ?? change.at, what: 'Requests fail that went well before', part: 'effect' }],
      title: (t) => `${oneLine(change.said, 100)} at ${clock(change.at)} broke the app${mechanism === undefined ? '' : ` (\`${oneLine(mechanism, 140)}\`)`}: ${effectText(t, '')} since, hardly any before.`,
      advice: ['Stop it now: swap back, or deploy the version before.', mechanism === undefined ? 'Find it: compare what was deployed with the version before, the failing routes first.' : 'Fix the error that came with it, and test that route before the next deployment.', 'Be safe: deploy to a slot, warm it up, then swap.'],
    }];
  },
  excludes: (scene) => (!scene.has.has('deployments') ? undefined : !scene.lives.changes.some((c) => c.kind === 'deployment') ? 'nothing was deployed in this time' : 'the failures do not begin with a deployment'),
};
