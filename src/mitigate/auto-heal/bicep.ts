// Owns auto-heal as Bicep: the very model of the management API as text that a template can hold.
import { plainRules, type AutoHealRules } from '../../shared/auto-heal.ts';

const API_VERSION = '2023-12-01';

/** A whole template for a site that exists; without rules it turns auto-heal off. */
export function toBicep(rules: AutoHealRules, site = 'my-app'): string {
  const plain = plainRules(rules);
  const on = plain.triggers !== undefined && plain.actions !== undefined;
  const properties = on ? { autoHealEnabled: true, autoHealRules: plain } : { autoHealEnabled: false };
  return [
    `param siteName string = ${text(site)}`, '',
    `resource site 'Microsoft.Web/sites@${API_VERSION}' existing = {`, '  name: siteName', '}', '',
    `resource web 'Microsoft.Web/sites/config@${API_VERSION}' = {`, '  parent: site', '  name: \'web\'', `  properties: ${value(properties, '  ')}`, '}', '',
  ].join('\n');
}

function value(given: unknown, indent: string): string {
  const inner = `${indent}  `;
  if (Array.isArray(given)) return ['[', ...given.map((one) => `${inner}${value(one, inner)}`), `${indent}]`].join('\n');
  if (typeof given === 'object' && given !== null) return ['{', ...Object.entries(given).filter(([, one]) => one !== undefined).map(([key, one]) => `${inner}${key}: ${value(one, inner)}`), `${indent}}`].join('\n');
  return typeof given === 'string' ? text(given) : String(given);
}

/** Bicep's single-quoted text. */
function text(given: string): string {
  return `'${given.replace(/\\/g, '\\\\').replace(/'/g, '\\\'').replace(/\$\{/g, '\\${')}'`;
}
