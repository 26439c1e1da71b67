// Owns the proof that what was found shows its window on the timeline: every link leads to a band that is there, over the right share of the axis.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { reportOf } from '../../scripts/golden.ts';
import { reportView } from '../../src/shared/report-view.ts';
import { windowsOf } from '../../src/shared/report-windows.ts';
import type { Element, View } from '../../src/shared/view.ts';

const all = (view: View, fits: (one: Element) => boolean): Element[] => (typeof view === 'string' ? [] : [...(fits(view) ? [view] : []), ...view.children.flatMap((child) => all(child, fits))]);

test('every window has its band, every link its place, and no place is there twice', async () => {
  const report = await reportOf(join(import.meta.dirname, '../fixtures/sessions/crash'));
  const [first] = report.causes;
  assert.ok(first);
  const twice = { ...report, causes: [first, { ...first }, ...report.causes.slice(1)] };
  for (const one of [report, twice]) {
    const tree = reportView(one);
    const ids = all(tree, (e) => e.attrs['id'] !== undefined).map((e) => String(e.attrs['id']));
    assert.equal(new Set(ids).size, ids.length, `twice: ${ids.filter((id, i) => ids.indexOf(id) !== i).join(', ')}`);
    const links = all(tree, (e) => e.tag === 'a').map((e) => String(e.attrs['href']));
    assert.deepEqual(links.filter((href) => !ids.includes(href.slice(1))), []);
    const windows = windowsOf(one);
    assert.ok(windows.length >= 2, `${windows.length} windows`);
    const bands = all(tree, (e) => e.tag === 'rect');
    assert.deepEqual(bands.map((e) => e.attrs['id']), windows.map((w) => `window-${w.id}`));
    const span = report.window.to - report.window.from;
    for (const [i, { from, to }] of windows.entries()) {
      const left = Number.parseFloat(String(bands[i]?.attrs['x'])), wide = Number.parseFloat(String(bands[i]?.attrs['width']));
      assert.ok(Math.abs(left - ((from - report.window.from) / span) * 100) < 0.7 && wide >= ((to - from) / span) * 100 - 0.1, JSON.stringify(bands[i]?.attrs));
    }
  }
});
