// Owns the cause java-heap-exhausted: the heap of a JVM or of .NET is full and allocations fail.
import { bytes, count } from '../../shared/units.ts';
import { effectText, type CauseRule, type Claim } from './cause.ts';
import { signClaim, timesText } from './sign-claim.ts';

export const javaHeapExhausted: CauseRule = {
  id: 'java-heap-exhausted', about: 'an exhausted Java heap', explains: ['answered', 'silent', 'slow', 'broke'], needs: ['app-log'], collect: ['application-logs', 'java-heap-histogram'],
  judge(scene): Claim[] {
    const signs = scene.signs('java-heap', 'java-gc-limit');
    if (signs.length === 0) return [];
    const gc = signs.some((s) => s.sign === 'java-gc-limit');
    const net = signs.every((s) => /System\.OutOfMemoryException/.test(s.text));
    return signClaim(scene, {
      cause: 'java-heap-exhausted', signs, effects: ['answered', 'stopped', 'silent', 'slow', 'broke', 'gateway'], by: 0.9, says: gc ? 'the runtime said that nearly all its time goes into collecting garbage' : 'the runtime said that its heap is exhausted', crashBy: ['java-heap', 'java-gc-limit'], bad: true, what: `The ${net ? '.NET' : 'Java'} heap is full`,
      facts: net ? [] : scene.heapClasses.map((heap) => ({ text: `The heap holds ${bytes(heap.totalBytes)}, most of it ${heap.classes.slice(0, 3).map((one) => `${one.name} (${count(one.instances)} objects, ${bytes(one.bytes)})`).join(', ')}`, where: heap.where })),
      title: (t) => `The ${net ? '.NET' : 'Java'} heap is exhausted${gc ? ' (nearly all time goes into collecting)' : ''}: ${effectText(t, `the log says so ${timesText(signs)}`)}.`,
      advice: ['Find what fills it: a heap histogram twice, some minutes apart, shows the class that grows; a heap dump shows who holds it (-XX:+HeapDumpOnOutOfMemoryError).', 'If the live objects are needed: raise -Xmx as far as the plan\'s memory allows (-XX:MaxRAMPercentage).', 'Stop it now: restart; after an OutOfMemoryError a JVM is in no known state.'], mitigations: ['restart'],
    });
  },
  excludes: (scene) => (scene.has.has('app-log') && scene.signs('java-heap', 'java-gc-limit').length === 0 ? 'no log holds an OutOfMemoryError' : undefined),
};
