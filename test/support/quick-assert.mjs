// Owns the failure of an assert.ok without words: Node would read the test's source for them, which takes minutes where the loader has made one long line of it.
import assert from 'node:assert';
import strict from 'node:assert/strict';

function ok(value, message) {
  if (value) return;
  if (message instanceof Error) throw message;
  throw new assert.AssertionError({ message: message ?? `${String(value)} is not true`, actual: value, expected: true, operator: '==', stackStartFn: ok });
}

assert.ok = ok;
strict.ok = ok;
