// Owns the look at an applicationHost.xdt before it is uploaded: what would take both sites down, with its line.
import { SaxesParser } from 'saxes';

export interface XdtFault { readonly line: number; readonly why: string }

interface Element {
  readonly name: string;
  readonly line: number;
  readonly attributes: ReadonlyMap<string, string>;
  readonly transform: string | undefined;
  readonly locator: string | undefined;
  readonly parent: Element | undefined;
  readonly children: Element[];
}

const XDT = 'http://schemas.microsoft.com/XML-Document-Transform';
/** Transforms of the engine (Microsoft.Web.XmlTransform), and whether they take arguments. */
const TRANSFORMS: Readonly<Record<string, 'none' | 'needed' | 'optional'>> = {
  Insert: 'none', InsertIfMissing: 'none', InsertAll: 'none', InsertBefore: 'needed', InsertAfter: 'needed', Remove: 'none', RemoveAll: 'none', Replace: 'none', RemoveAttributes: 'optional', SetAttributes: 'optional',
};
const LOCATORS: readonly string[] = ['Match', 'Condition', 'XPath'];
/** What the platform puts in place; XDT_… of another name stays in the text as it is. */
const VARIABLES: readonly string[] = ['XDT_SITENAME', 'XDT_SCMSITENAME', 'XDT_APPPOOLNAME', 'XDT_EXTENSIONPATH', 'XDT_PRELOADENABLED'];
/** An extension's transform is a few hundred bytes; what is longer was not meant. */
const MAX_CHARS = 256 * 1024;
const MAX_DEPTH = 64;

/** Empty: nothing found that would take the site down. In the order of lines. */
export function lintXdt(text: string): XdtFault[] {
  if (text.length > MAX_CHARS) return [{ line: 1, why: `the file has more than ${MAX_CHARS} characters` }];
  const { root, fault } = treeOf(text.replace(/^\ufeff/, ''));
  if (fault) return [fault];
  if (!root) return [{ line: 1, why: 'there is no element in it' }];
  const faults: XdtFault[] = [];
  const say = (line: number, why: string): void => { faults.push({ line, why }); };
  if (root.name !== 'configuration') say(root.line, `the first element is <${root.name}>; it must be <configuration>, as in applicationHost.config`);
  const all = [...walk(root)];
  if (!all.some((one) => one.transform !== undefined)) say(root.line, `no element has a transform: xmlns:xdt="${XDT}" and xdt:Transform say what to change`);
  for (const element of all) for (const rule of RULES) rule(element, say);
  return faults.sort((a, b) => a.line - b.line);
}

type Rule = (element: Element, say: (line: number, why: string) => void) => void;

const RULES: readonly Rule[] = [knownTransform, knownLocator, plainContent, sitesByName, removedFirst, wholeApplication, guardedVariable, knownVariables];

function* walk(element: Element): Generator<Element> {
  yield element;
  for (const child of element.children) yield* walk(child);
}

const wordOf = (call: string): { word: string; args: string | undefined } => {
  const found = /^\s*([\w.]+)\s*(?:\((.*)\))?\s*$/s.exec(call);
  return { word: found?.[1] ?? call.trim(), args: found?.[2]?.trim() };
};

function knownTransform({ transform, line, name }: Element, say: (line: number, why: string) => void): void {
  if (transform === undefined) return;
  const { word, args } = wordOf(transform);
  const takes = TRANSFORMS[word];
  if (takes === undefined) { say(line, `"${transform}" is no transform of the engine; they are ${Object.keys(TRANSFORMS).join(', ')}`); return; }
  if (takes === 'needed' && !args) say(line, `${word} needs an XPath in brackets`);
  if (takes === 'none' && args) say(line, `${word} takes nothing in brackets`);
  if (word === 'Replace' && /^(configuration|system\.applicationHost|sites|site|system\.webServer|runtime|environmentVariables)$/.test(name)) say(line, `Replace on <${name}> throws away what the platform and other extensions have in it`);
}

function knownLocator(element: Element, say: (line: number, why: string) => void): void {
  const { locator, line, attributes, transform } = element;
  const removes = transform !== undefined && /^Remove(All)?\b/.test(transform);
  if (locator === undefined) {
    if (removes) say(line, `${transform} without xdt:Locator removes by the name of the element only: it may be the platform's own`);
    return;
  }
  const { word, args } = wordOf(locator);
  if (!LOCATORS.includes(word)) { say(line, `"${locator}" is no locator of the engine; they are ${LOCATORS.map((l) => `${l}(…)`).join(', ')}`); return; }
  if (!args) { say(line, `${word} needs something in brackets`); return; }
  if (word !== 'Match') return;
  for (const attribute of args.split(',').map((a) => a.trim())) if (!attributes.has(attribute)) say(line, `Match(${args}) compares the attribute ${attribute}, which the element does not have`);
}

/** The engine puts an inserted element in with all that it holds; transforms below it do not run on the way in, and what they stand on becomes content. */
function plainContent(element: Element, say: (line: number, why: string) => void): void {
  const { transform, name, line } = element;
  if (transform === undefined || !/^(Insert|Replace)/.test(transform)) return;
  for (const below of element.children.flatMap((child) => nearest(child))) say(below.line, `it stands in <${name}> of line ${line}, which is inserted with all it holds: this element would become content of it, and its ${below.transform ?? ''} be done a second time`);
}

/** The first elements with a transform on each way down. */
function nearest(element: Element): Element[] {
  return element.transform === undefined ? element.children.flatMap((child) => nearest(child)) : [element];
}

/** <site> without a locator is the first one, whichever that is; a name written out is another site's tomorrow. */
function sitesByName({ name, parent, line, locator, transform, attributes }: Element, say: (line: number, why: string) => void): void {
  if (name !== 'site' || parent?.name !== 'sites') return;
  if (transform !== undefined) { say(line, `${transform} on a whole site`); return; }
  if (locator === undefined || wordOf(locator).word !== 'Match') { say(line, '<site> needs xdt:Locator="Match(name)": without it any site may be changed'); return; }
  if (!/^%XDT_(SCM)?SITENAME%$/.test(attributes.get('name') ?? '')) say(line, `the site is named "${attributes.get('name') ?? ''}"; %XDT_SCMSITENAME% is the SCM site, %XDT_SITENAME% the main one`);
}

/** The same path twice, and IIS refuses the whole file: the transform of an older version may have run, ours may run again. */
function removedFirst(element: Element, say: (line: number, why: string) => void): void {
  const { name, parent, transform, line, attributes } = element;
  if (name !== 'application' || parent?.name !== 'site' || transform === undefined || !transform.startsWith('Insert')) return;
  const path = attributes.get('path') ?? '';
  if (!/^\/[^\s/]/.test(path)) { say(line, `"${path}" is the path of the site itself, or no path: an application of an extension is mounted at a name, such as /diag`); return; }
  const before = parent.children.slice(0, parent.children.indexOf(element)).filter((one) => one.name === name && one.attributes.get('path') === path);
  if (before.some((one) => one.transform !== undefined && one.transform.startsWith('Insert'))) { say(line, `${path} is inserted a second time`); return; }
  if (transform === 'InsertIfMissing') { if (element.locator === undefined) say(line, `InsertIfMissing without Match(path) looks for any application, and always finds one`); return; }
  const removed = before.some((one) => one.transform !== undefined && /^Remove(All)?$/.test(one.transform) && wordOf(one.locator ?? '').word === 'Match' && /\bpath\b/.test(one.locator ?? ''));
  if (!removed) say(line, `${path} is inserted without being removed first (xdt:Locator="Match(path)" xdt:Transform="Remove"): where it is already, both sites go down`);
}

function wholeApplication({ name, parent, transform, line, attributes, children }: Element, say: (line: number, why: string) => void): void {
  if (name !== 'application' || parent?.name !== 'site' || transform === undefined || !transform.startsWith('Insert')) return;
  if (attributes.get('applicationPool') !== undefined && attributes.get('applicationPool') !== '%XDT_APPPOOLNAME%') say(line, `the application pool is "${attributes.get('applicationPool') ?? ''}"; only %XDT_APPPOOLNAME% is there on every worker`);
  const roots = children.filter((one) => one.name === 'virtualDirectory' && one.attributes.get('path') === '/');
  if (roots.length !== 1) { say(line, `the application has ${roots.length} virtual directories at "/"; it needs one`); return; }
  const folder = roots[0]?.attributes.get('physicalPath') ?? '';
  if (!/^%(XDT_EXTENSIONPATH|HOME)%(\\|\/|$)/.test(folder)) say(roots[0]?.line ?? line, `the folder is "${folder}"; it must begin with %XDT_EXTENSIONPATH% or %HOME%: a drive letter is another one tomorrow`);
}

/** A variable twice is a duplicate key, which IIS refuses as it does a path. */
function guardedVariable(element: Element, say: (line: number, why: string) => void): void {
  const { name, parent, transform, line, attributes } = element;
  if (name !== 'add' || parent?.name !== 'environmentVariables' || transform === undefined) return;
  const variable = attributes.get('name') ?? '';
  const word = wordOf(transform).word;
  if (word === 'InsertIfMissing' && element.locator === undefined) say(line, 'InsertIfMissing without Match(name) looks for any variable');
  if (word === 'Insert' || word === 'InsertBefore' || word === 'InsertAfter') {
    const before = parent.children.slice(0, parent.children.indexOf(element));
    if (!before.some((one) => one.attributes.get('name') === variable && /^Remove(All)?$/.test(one.transform ?? '') && wordOf(one.locator ?? '').word === 'Match')) say(line, `${variable} is inserted without being removed first: a second one is refused by IIS`);
  }
  const value = attributes.get('value') ?? '';
  if (variable === 'NODE_OPTIONS' && /%XDT_EXTENSIONPATH%[\\/]/.test(value)) say(line, 'NODE_OPTIONS names a file in the folder of the extension: when that is removed while the site runs, its Node does not start again; name one that stays');
  if (variable === 'NODE_OPTIONS' && word.startsWith('Insert') && !value.includes('%NODE_OPTIONS%')) say(line, 'NODE_OPTIONS is set without %NODE_OPTIONS%: what the app has in it is lost');
}

function knownVariables({ line, attributes }: Element, say: (line: number, why: string) => void): void {
  for (const value of attributes.values()) {
    for (const [, variable = ''] of value.matchAll(/%(XDT_\w*)%/gi)) if (!VARIABLES.includes(variable)) say(line, `%${variable}% is no variable of the platform; there are ${VARIABLES.map((v) => `%${v}%`).join(', ')}`);
    if ((value.match(/%/g)?.length ?? 0) % 2 === 1) say(line, `"${value}" has a single %: a variable is not closed`);
  }
}

/** The tree of elements with their lines; the first thing that is not well-formed ends it. */
function treeOf(text: string): { root?: Element; fault?: XdtFault } {
  const parser = new SaxesParser({ xmlns: true, position: true });
  let root: Element | undefined;
  let fault: XdtFault | undefined;
  const open: Element[] = [];
  parser.on('error', (error) => { fault ??= { line: parser.line, why: `it is not well-formed XML: ${error.message.replace(/^\d+:\d+: /, '')}` }; });
  parser.on('doctype', () => { fault ??= { line: parser.line, why: 'a document type is of no use here, and may read other files' }; });
  parser.on('opentag', (tag) => {
    const attributes = Object.values(tag.attributes);
    const ours = (name: string): string | undefined => attributes.find((one) => one.uri === XDT && one.local === name)?.value;
    const parent = open.at(-1);
    const plain = new Map(attributes.filter((one) => one.uri === '').map((one) => [one.name, one.value]));
    const element: Element = { name: tag.name, line: parser.line, attributes: plain, transform: ours('Transform')?.trim(), locator: ours('Locator'), parent, children: [] };
    for (const one of attributes) if (one.uri === XDT && !['Transform', 'Locator', 'SupressWarnings'].includes(one.local)) fault ??= { line: parser.line, why: `xdt:${one.local} is neither xdt:Transform nor xdt:Locator` };
    if (open.length >= MAX_DEPTH) fault ??= { line: parser.line, why: `elements stand more than ${MAX_DEPTH} deep` };
    parent?.children.push(element);
    root ??= element;
    open.push(element);
  });
  parser.on('closetag', () => { open.pop(); });
  parser.write(text).close();
  return { ...(root ? { root } : {}), ...(fault ? { fault } : {}) };
}
