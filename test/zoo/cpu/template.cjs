// Owns a template that is compiled anew for every page.
'use strict';
const { compileFunction } = require('node:vm');
const burn = require('./burn.cjs');
const rows = Array.from({ length: 40 }, (_, i) => ({ id: i, name: `row ${i}` }));
const source = rows.map((row) => `<li class="{{c${row.id}}}">{{n${row.id}}} ${row.name}</li>`).join('\n');
// expect: renderPage compile
function renderPage(text, round) {
  const code = `// ${round}\nlet out = ''; ${text.split(/({{\w+}})/).map((part) => (part.startsWith('{{') ? `out += scope.${part.slice(2, -2)} ?? '';` : `out += ${JSON.stringify(part)};`)).join('\n')} return out;`;
  return compileFunction(code, ['scope'])({}).length;
}
burn((round) => renderPage(source, round));
