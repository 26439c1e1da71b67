// Owns what changes in a web.config so that it says other rules: the fewest places, each by position.
import { plainRules, sameRules, type AutoHealActions, type AutoHealRules, type AutoHealTriggers, type StatusTrigger } from '../../shared/auto-heal.ts';
import { holds, type Decoded, type Encoding } from './encoding.ts';
import { Layout, type Line, type Splice } from './layout.ts';
import { attribute, type ReadConfig, type StatusPlace } from './monitoring.ts';
import type { XmlElement } from './xml-scan.ts';

type Attributes = Readonly<Record<string, string | undefined>>;

/** What to replace so that the text says these rules; nothing when it says them already. `wanted` holds only what web.config can say. */
export function changesTo({ text, encoding }: Decoded, read: ReadConfig, wanted: AutoHealRules): readonly Splice[] {
  if (sameRules(read.rules, wanted)) return [];
  return new Edit(text, encoding, read).to(plainRules(wanted));
}

class Edit {
  readonly #read: ReadConfig;
  readonly #lay: Layout;
  readonly #splices: Splice[] = [];

  constructor(text: string, encoding: Encoding, read: ReadConfig) {
    this.#read = read;
    this.#lay = new Layout(text, read.places.root, (value, quote) => escaped(value, quote, encoding));
  }

  to({ triggers, actions }: AutoHealRules): readonly Splice[] {
    const { root, webServer, monitoring } = this.#read.places;
    if (triggers === undefined && actions === undefined) { if (monitoring) this.#splices.push(this.#lay.remove(monitoring)); } else if (monitoring !== undefined) this.#monitoring(monitoring, triggers ?? {}, actions);
    else {
      const block = this.#block(triggers ?? {}, actions);
      if (webServer === undefined) this.#insert(root, [line(this.#lay.tag('system.webServer', {}, true)), ...deeper(block), line('</system.webServer>')]);
      else this.#insert(webServer, block);
    }
    return this.#splices;
  }

  #monitoring(monitoring: XmlElement, triggers: AutoHealTriggers, actions: AutoHealActions | undefined): void {
    const { places } = this.#read;
    const atEnd: Line[] = [];
    if (places.triggers !== undefined) this.#triggers(places.triggers, triggers);
    else if (Object.keys(triggers).length > 0) {
      if (places.actions !== undefined) this.#insert(monitoring, this.#triggersBlock(triggers), places.actions);
      else atEnd.push(...this.#triggersBlock(triggers));
    }
    if (places.actions !== undefined) this.#actions(places.actions, actions);
    else if (actions !== undefined) atEnd.push(...this.#actionsBlock(actions));
    if (atEnd.length > 0) this.#insert(monitoring, atEnd);
  }

  #triggers(at: XmlElement, wanted: AutoHealTriggers): void {
    const { places, rules } = this.#read;
    const added: Line[] = [];
    const one = (element: XmlElement | undefined, known: boolean, name: string, values: Attributes | undefined): void => {
      if (element !== undefined && values !== undefined) this.#set(element, values);
      else if (values !== undefined) added.push(line(this.#lay.tag(name, values)));
      else if (element !== undefined && known) this.#splices.push(this.#lay.remove(element));
    };
    one(places.requests, rules.triggers?.requests !== undefined, 'requests', wanted.requests && requestValues(wanted.requests));
    one(places.slowRequests, rules.triggers?.slowRequests !== undefined, 'slowRequests', wanted.slowRequests && slowValues(wanted.slowRequests));
    one(places.memory, rules.triggers?.privateBytesInKB !== undefined, 'memory', wanted.privateBytesInKB === undefined ? undefined : memoryValues(wanted.privateBytesInKB));
    if (places.statusCode !== undefined) this.#statuses(places.statusCode, wanted.statusCodes ?? []);
    else if (wanted.statusCodes !== undefined) added.push(...this.#statusBlock(wanted.statusCodes));
    if (added.length > 0) this.#insert(at, added);
  }

  /** What is the same at both ends stays; what lies between is changed in place, then taken away or added. */
  #statuses(container: XmlElement, wanted: readonly StatusTrigger[]): void {
    const known = this.#read.places.statuses.filter((one): one is StatusPlace & { says: StatusTrigger } => one.says !== undefined);
    if (wanted.length === 0 && known.length === this.#read.places.statuses.length && container.children.length === known.length) { this.#splices.push(this.#lay.remove(container)); return; }
    const same = (i: number, j: number): boolean => { const a = known[i], b = wanted[j]; return a !== undefined && b !== undefined && equal(statusValues(a.says), statusValues(b)); };
    let begin = 0, end = 0;
    while (same(begin, begin)) begin += 1;
    while (end < Math.min(known.length, wanted.length) - begin && same(known.length - 1 - end, wanted.length - 1 - end)) end += 1;
    const old = known.slice(begin, known.length - end), next = wanted.slice(begin, wanted.length - end);
    old.forEach(({ element }, i) => {
      const value = next[i];
      if (value === undefined) this.#splices.push(this.#lay.remove(element));
      else this.#set(element, statusValues(value));
    });
    const added = next.slice(old.length).map((value) => line(this.#lay.tag('add', statusValues(value))));
    if (added.length > 0) this.#insert(container, added, known[known.length - end]?.element);
  }

  #actions(at: XmlElement, wanted: AutoHealActions | undefined): void {
    const { customAction: custom } = this.#read.places;
    if (wanted === undefined) { if (this.#read.rules.actions !== undefined) this.#splices.push(this.#lay.remove(at)); return; }
    this.#set(at, { value: wanted.actionType, minProcessExecutionTime: wanted.minProcessExecutionTime });
    if (wanted.customAction !== undefined && custom !== undefined) this.#set(custom, customValues(wanted.customAction));
    else if (wanted.customAction !== undefined) this.#insert(at, [line(this.#lay.tag('customAction', customValues(wanted.customAction)))]);
    else if (custom !== undefined) this.#splices.push(this.#lay.remove(custom));
  }

  /** Only attributes that say something else are touched. */
  #set(element: XmlElement, values: Attributes): void {
    for (const [name, value] of Object.entries(values)) {
      const before = attribute(element, name);
      if (value === undefined ? before === undefined : saysSame(before, value)) continue;
      this.#splices.push(...this.#lay.set(element, name, value));
    }
  }

  #block(triggers: AutoHealTriggers, actions: AutoHealActions | undefined): Line[] {
    return [line(this.#lay.tag('monitoring', {}, true)), ...deeper([...this.#triggersBlock(triggers), ...(actions === undefined ? [] : this.#actionsBlock(actions))]), line('</monitoring>')];
  }

  #triggersBlock({ requests, slowRequests, privateBytesInKB, statusCodes }: AutoHealTriggers): Line[] {
    const inside = [
      ...(requests ? [line(this.#lay.tag('requests', requestValues(requests)))] : []), ...(slowRequests ? [line(this.#lay.tag('slowRequests', slowValues(slowRequests)))] : []),
      ...(privateBytesInKB === undefined ? [] : [line(this.#lay.tag('memory', memoryValues(privateBytesInKB)))]), ...(statusCodes ? this.#statusBlock(statusCodes) : []),
    ];
    return [line('<triggers>'), ...deeper(inside), line('</triggers>')];
  }

  #statusBlock(statuses: readonly StatusTrigger[]): Line[] {
    return [line('<statusCode>'), ...deeper(statuses.map((one) => line(this.#lay.tag('add', statusValues(one))))), line('</statusCode>')];
  }

  #actionsBlock({ actionType, customAction, minProcessExecutionTime }: AutoHealActions): Line[] {
    const values = { value: actionType, minProcessExecutionTime };
    if (customAction === undefined) return [line(this.#lay.tag('actions', values))];
    return [line(this.#lay.tag('actions', values, true)), ...deeper([line(this.#lay.tag('customAction', customValues(customAction)))]), line('</actions>')];
  }

  #insert(parent: XmlElement, lines: readonly Line[], before?: XmlElement): void {
    this.#splices.push(...this.#lay.insert(parent, lines, before));
  }
}

const line = (text: string): Line => ({ depth: 0, text });
const deeper = (lines: readonly Line[]): Line[] => lines.map(({ depth, text }) => ({ depth: depth + 1, text }));

const requestValues = ({ count, timeInterval }: { count: number; timeInterval: string }): Attributes => ({ count: String(count), timeInterval });
const slowValues = ({ timeTaken, ...rest }: { timeTaken: string; count: number; timeInterval: string }): Attributes => ({ timeTaken, ...requestValues(rest) });
const memoryValues = (limitKB: number): Attributes => ({ privateBytesInKB: String(limitKB) });
/** All five, as every documented sample has them: whether IIS takes fewer is not documented. */
const statusValues = ({ status, subStatus, win32Status, ...rest }: StatusTrigger): Attributes => ({ statusCode: String(status), subStatusCode: String(subStatus ?? 0), win32StatusCode: String(win32Status ?? 0), ...requestValues(rest) });
const customValues = ({ exe, parameters }: { exe: string; parameters?: string | undefined }): Attributes => ({ exe, parameters: parameters === undefined || parameters === '' ? undefined : parameters });

const equal = (a: Attributes, b: Attributes): boolean => Object.keys(b).every((key) => a[key] === b[key]);

/** "007" says 7; a number that is not named is 0. */
function saysSame(before: string | undefined, value: string): boolean {
  if (before === undefined) return false;
  return before === value || (/^\s*\d+\s*$/.test(before) && /^\d+$/.test(value) && Number(before) === Number(value));
}

function escaped(value: string, quote: string, encoding: Encoding): string {
  let text = '';
  for (const character of value) {
    const code = character.codePointAt(0) ?? 0;
    if (character === '&') text += '&amp;';
    else if (character === '<') text += '&lt;';
    else if (character === '>') text += '&gt;';
    else if (character === quote) text += quote === '"' ? '&quot;' : '&apos;';
    else text += code < 0x20 || !holds(encoding, code) ? `&#x${code.toString(16).toUpperCase()};` : character;
  }
  return text;
}
