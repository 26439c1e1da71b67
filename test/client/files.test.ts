// Owns the tables of the page's arithmetic of places, names and tables of values.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crumbs, csvRows, formOf, isZip, joined, lastOf, parentOf, pictureType, sorted } from '../../src/client/pages/console/files/paths.ts';

test('places are joined, taken apart and walked up', () => {
  assert.deepEqual([joined('', 'a'), joined('a/b', 'c'), parentOf('a/b/c'), parentOf('a'), lastOf('a/b'), lastOf('')], ['a', 'a/b/c', 'a/b', '', 'b', '']);
  assert.deepEqual(crumbs('a/ü b'), [{ name: 'a', path: 'a' }, { name: 'ü b', path: 'a/ü b' }]);
  assert.deepEqual(crumbs(''), []);
});

test('folders come first, numbers in names by their value', () => {
  const entries = ['log10.txt', 'log2.txt', 'B', 'a'].map((name) => ({ name, kind: 'file' })).concat([{ name: 'z', kind: 'folder' }]);
  assert.deepEqual(sorted(entries).map(({ name }) => name), ['z', 'a', 'B', 'log2.txt', 'log10.txt']);
});

test('a name says its form, and nothing that is not a picture is given the type of one', () => {
  assert.deepEqual(['a.json', 'b.CSV', 'c.log', 'd'].map(formOf), ['json', 'csv', 'text', 'text']);
  assert.deepEqual(['a.PNG', 'b.svg', 'c.html', 'd.svg.html', 'png'].map(pictureType), ['image/png', 'image/svg+xml', undefined, undefined, undefined]);
  assert.deepEqual(['a.zip', 'b.nupkg', 'c.zip.txt'].map(isZip), [true, true, false]);
});

test('values with separators, quotes and line ends stay whole', () => {
  const cases: readonly [string, string, string[][]][] = [
    ['a,b\n1,2', ',', [['a', 'b'], ['1', '2']]], ['a;b\r\n"1;x";"say ""hi"""\r\n', ';', [['a', 'b'], ['1;x', 'say "hi"']]], ['"two\nlines",x', ',', [['two\nlines', 'x']]],
    ['', ',', []], ['a,,c\n\n', ',', [['a', '', 'c']]], ['"never closed,1\n2', ',', [['never closed,1\n2']]],
  ];
  for (const [text, separator, rows] of cases) assert.deepEqual(csvRows(text, separator, 10), rows, text);
  assert.equal(csvRows('x\n'.repeat(100), ',', 10).length, 10);
});
