// Owns the fuzz of the web.config editor: files of the corpus damaged at random, each refused or changed rightly as another reader sees it.
import assert from 'node:assert/strict';
import { SaxesParser } from 'saxes';
import type { AutoHealRules } from '../../../src/shared/auto-heal.ts';
import { sameRules } from '../../../src/shared/auto-heal.ts';
import { openWebConfig, withRules, XmlFault } from '../../../src/mitigate/auto-heal/web-config.ts';
import { corpus } from './corpus.ts';

/** Small and repeatable: mulberry32. */
function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

const PIECES = ['<', '>', '&', '"', '\'', '/>', '</', '<!--', '-->', '<![CDATA[', ']]>', '<?', '?>', '<monitoring>', '</monitoring>', '<monitoring/>', '<triggers>', '</triggers>', '<actions value="Recycle"/>', '<system.webServer>', '</system.webServer>', '<location path=".">', '</location>', ' count="3"', '\r\n', '\n', '\t', '\u0000', '&amp;', '&#0;', '\u00fc', ' xmlns=""', '<requests count="1" timeInterval="00:00:01"/>', '<memory privateBytesInKB="200000"/>', '<statusCode>', '</statusCode>', '<add statusCode="500" subStatusCode="0" win32StatusCode="0" count="1" timeInterval="00:01:00"/>', '<!DOCTYPE x>', 'text'];

export interface Fuzzed { readonly setCount: number; readonly refusedCount: number; readonly sameCount: number }

export function fuzz({ seed, rounds }: { seed: number; rounds: number }): Fuzzed {
  const next = random(seed);
  const below = (n: number): number => Math.floor(next() * n);
  const small = corpus.filter(({ bytes }) => bytes.length < 20_000);
  let setCount = 0, refusedCount = 0, sameCount = 0;
  for (let round = 0; round < rounds; round += 1) {
    const { name, bytes } = small[below(small.length)] as (typeof small)[number];
    const damaged = damage(bytes, below(4), below);
    const wanted = rulesBy(below);
    const note = `seed ${seed}, round ${round}, ${name}`;
    try {
      const opened = openWebConfig(damaged);
      const after = withRules(opened, wanted);
      if (after === undefined) { sameCount += 1; continue; }
      check(damaged, after, wanted, opened.decoded.encoding, note);
      setCount += 1;
    } catch (error) {
      if (!(error instanceof XmlFault)) throw new Error(`${note}: ${String(error)}`, { cause: error });
      // Only a file that was no good may be refused: the proof of the result must never be what stops it.
      assert.doesNotMatch(error.message, /the changed file|would touch/, note);
      refusedCount += 1;
    }
  }
  return { setCount, refusedCount, sameCount };
}

function damage(bytes: Uint8Array, times: number, below: (n: number) => number): Uint8Array {
  let all = Buffer.from(bytes);
  const wide = all[0] === 0xff || all[0] === 0xfe;
  for (let i = 0; i < times; i += 1) {
    const at = wide ? below(all.length / 2) * 2 : below(all.length + 1), span = below(40);
    const piece = PIECES[below(PIECES.length)] ?? '';
    const put = wide ? Buffer.from(piece, 'utf16le') : Buffer.from(piece, 'utf8');
    if (all[0] === 0xfe) put.swap16();
    switch (below(5)) {
      case 0: all = Buffer.concat([all.subarray(0, at), all.subarray(at + (wide ? span * 2 : span))]); break;
      case 1: case 2: all = Buffer.concat([all.subarray(0, at), put, all.subarray(at)]); break;
      case 3: all = Buffer.concat([all.subarray(0, at), all.subarray(at, at + span * 4), all.subarray(at)]); break;
      default: if (all.length > 0) all[below(all.length)] = below(256);
    }
  }
  return all;
}

const TIMES = ['00:00:30', '00:05:00', '1.00:00:00'] as const;

function rulesBy(below: (n: number) => number): AutoHealRules {
  if (below(8) === 0) return {};
  const counted = (): { count: number; timeInterval: string } => ({ count: 1 + below(100), timeInterval: TIMES[below(3)] ?? '00:01:00' });
  const triggers = {
    ...(below(2) === 0 && { requests: counted() }), ...(below(2) === 0 && { slowRequests: { timeTaken: '00:00:20', ...counted() } }), ...(below(2) === 0 && { privateBytesInKB: 102_401 + below(1_000_000) }),
    ...(below(2) === 0 && { statusCodes: Array.from({ length: 1 + below(3) }, () => ({ status: 500 + below(4), ...(below(2) === 0 && { subStatus: 1 + below(20) }), ...counted() })) }),
  };
  const custom = { actionType: 'CustomAction' as const, customAction: { exe: `D:\\x ${'"\'<>&ü三'[below(7)]}.exe`, ...(below(2) === 0 && { parameters: '%1% "q"' }) } };
  return { ...(Object.keys(triggers).length > 0 && { triggers }), actions: below(3) === 0 ? custom : { actionType: below(2) === 0 ? 'Recycle' : 'LogEvent' } };
}

/** With eyes of its own: saxes reads both, and the bytes before and after what changed are the same. */
function check(before: Uint8Array, after: Uint8Array, wanted: AutoHealRules, encoding: string, note: string): void {
  const texts = [before, after].map((bytes) => new TextDecoder(encoding.startsWith('utf') ? encoding : 'latin1', { ignoreBOM: true }).decode(bytes));
  const [a, b] = texts.map(outsideOf);
  assert.equal(b, a, note);
  assert.ok(sameRules(openWebConfig(after).read.rules, wanted), note);
}

/** Everything that is not monitoring of the root, as saxes tells it. */
function outsideOf(text: string): string {
  const parser = new SaxesParser({ xmlns: true });
  const told: string[] = [], path: string[] = [];
  let inside = 0;
  parser.on('error', (error) => { throw error; });
  parser.on('opentag', ({ name, attributes }) => {
    path.push(name);
    const above = path.slice(0, -1).join('/');
    if (inside > 0 || (name === 'monitoring' && (above === 'configuration/system.webServer' || above === 'configuration/location/system.webServer'))) inside += 1;
    else told.push(`<${name} ${Object.values(attributes).map((one) => `${one.name}=${one.value}`).join(' ')}`);
  });
  parser.on('closetag', ({ name }) => { path.pop(); if (inside > 0) inside -= 1; else told.push(`/${name}`); });
  parser.on('text', (piece) => { if (inside === 0 && piece.trim() !== '') told.push(`t${piece.replace(/\s+/g, '')}`); });
  parser.on('cdata', (piece) => { if (inside === 0) told.push(`c${piece}`); });
  parser.on('comment', (piece) => { if (inside === 0) told.push(`!${piece}`); });
  parser.on('processinginstruction', ({ target, body }) => { if (inside === 0) told.push(`?${target} ${body}`); });
  parser.write(text).close();
  return told.join('\n').replaceAll('<system.webServer \n/system.webServer\n', '');
}
