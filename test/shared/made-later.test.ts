// Owns the tests of values made at their first use: one making, every look passed on, and schemas that work behind it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { madeLater } from '../../src/shared/made-later.ts';

test('it is made once, at the first look', () => {
  let made = 0;
  const later = madeLater(() => { made += 1; return { a: 1, get twice() { return this.a * 2; } }; });
  assert.equal(made, 0);
  assert.deepEqual([later.a, later.twice, 'a' in later, 'b' in later, Object.keys(later), { ...later }], [1, 2, true, false, ['a', 'twice'], { a: 1, twice: 2 }]);
  later.a = 4;
  assert.deepEqual([later.twice, made], [8, 1]);
});

test('a schema that is made later is one in every place', () => {
  const Name = madeLater(() => z.enum(['shop', 'cart']));
  const Item = madeLater(() => z.object({ name: Name, parts: z.array(Name).optional(), of: z.union([Name, z.number()]) }).describe('an item'));
  const More = madeLater(() => Item.extend({ n: Name.default('cart') }));
  const Kinds = z.discriminatedUnion('kind', [madeLater(() => z.object({ kind: z.literal('a'), item: More })), madeLater(() => z.object({ kind: z.literal('b') }))]);
  assert.deepEqual(Kinds.parse({ kind: 'a', item: { name: 'shop', of: 3 } }), { kind: 'a', item: { name: 'shop', of: 3, n: 'cart' } });
  assert.equal(Kinds.safeParse({ kind: 'a', item: { name: 'house', of: 'cart' } }).error?.issues[0]?.path.join('.'), 'item.name');
  assert.deepEqual([Name.options, Object.keys(More.shape), Item instanceof z.ZodObject, Item.description], [['shop', 'cart'], ['name', 'parts', 'of', 'n'], true, 'an item']);
  assert.deepEqual(Object.keys(z.toJSONSchema(More).properties ?? {}), ['name', 'parts', 'of', 'n']);
});
