// Owns the masking of failed request traces: value by value, so that the XML stays whole and a secret is known by the name that stands in another element.
import { isSecretName, MASK } from '../shared/mask.ts';
import type { Masker } from './masker.ts';

/** Headers that hold nothing but a secret. */
const SECRET_HEADER = /^(?:set-)?cookie$|^(?:proxy-)?authorization$|^x-(?:ms-token|arr-clientcert|zumo-auth|functions-key)/i;
const DATA = /<Data Name="([^"<]{0,200})">([^<]*)<\/Data>/g;
/** How the trace writes the lines of a block of headers. */
const LINE_END = /(&#xD;&#xA;|\r?\n)/;

export function maskTrace(xml: string, mask: Masker): { readonly text: string; readonly count: number } {
  let count = 0, header = '', at = 0;
  const parts: string[] = [];
  const plain = (text: string): string => { const one = mask.text(text); count += one.count; return one.text; };
  const whole = (value: string): string => { if (value === '') return value; count += 1; return MASK; };
  for (const found of xml.matchAll(DATA)) {
    const [all, name = '', value = ''] = found;
    parts.push(plain(xml.slice(at, found.index)), `<Data Name="${name}">`);
    if (name === 'HeaderName') header = value.trim();
    const secret = name === 'HeaderValue' ? SECRET_HEADER.test(header) || isSecretName(header) : isSecretName(name);
    parts.push(secret ? whole(value) : value.split(LINE_END).map((line, i) => (i % 2 === 1 ? line : plain(line))).join(''), '</Data>');
    at = found.index + all.length;
  }
  parts.push(plain(xml.slice(at)));
  return { text: parts.join(''), count };
}
