// Owns the golden text of published material: of each folder what the causes and the findings say, in the order of the report.
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { analyzers } from '../src/analyze/analyzers/index.ts';
import { analyzeMaterial } from '../src/analyze/offline.ts';
import { systemClock } from '../src/platform/clock.ts';
import type { Report } from '../src/shared/model.ts';

const FOLDER = join(resolve(import.meta.dirname, '..'), 'test', 'fixtures', 'published');

/** @throws what an analyzer throws: published material must not break one */
export async function publishedText(): Promise<string> {
  const temp = await mkdtemp(join(tmpdir(), 'published-'));
  const parts: string[] = [];
  try {
    const folders = (await readdir(FOLDER, { withFileTypes: true })).filter((entry) => entry.isDirectory()).map(({ name }) => name).sort();
    for (const name of folders) {
      const { report } = await analyzeMaterial([join(FOLDER, name)], { analyzers, toolVersion: '0', reportCss: '', clock: systemClock, signal: new AbortController().signal, temp });
      parts.push(`== ${name}\n${told(report)}`);
    }
  } finally {
    await rm(temp, { recursive: true, force: true });
  }
  return `${parts.join('\n\n')}\n`;
}

function told({ causes, accounting, findings, headline }: Report): string {
  const found = causes.filter((c) => c.verdict === 'found');
  return [
    headline.text,
    accounting === undefined ? 'no accounting' : `${accounting.requests} requests, ${accounting.failed} failed, ${accounting.explained} explained, from ${accounting.from}`,
    ...found.map((c) => `found ${c.id} (${c.confidence?.word} ${c.confidence?.score}): ${c.title}\n${c.confidence?.reasons.map((r) => `    ${r}`).join('\n')}`),
    `cannot tell: ${causes.filter((c) => c.verdict === 'cannot-tell').map((c) => c.id).join(', ') || 'nothing'}`,
    ...findings.map((f) => `finding ${f.severity}: ${f.title}`),
  ].join('\n');
}
