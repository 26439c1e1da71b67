// Owns where auto-heal stands in a web.config, and what it says there: triggers and actions with their places, and what of it is not understood.
import { ACTION_TYPES, type AutoHealActions, type AutoHealNote, type AutoHealRules, type AutoHealTriggers, type StatusTrigger } from '../../shared/auto-heal.ts';
import { seconds } from '../../shared/auto-heal-bounds.ts';
import { XmlFault } from './xml-fault.ts';
import { lineAt, scan, type XmlElement } from './xml-scan.ts';
import type { Decoded } from './encoding.ts';

const WEB_SERVER = 'system.webServer', MONITORING = 'monitoring';

/** The elements of one trigger list with what each says; undefined: it is not understood and left as it is. */
export interface StatusPlace { readonly element: XmlElement; readonly says: StatusTrigger | undefined }

export interface Places {
  readonly root: XmlElement;
  /** Where monitoring stands or would be put; absent: it has to be made below the root. */
  readonly webServer?: XmlElement;
  readonly monitoring?: XmlElement;
  readonly triggers?: XmlElement;
  readonly requests?: XmlElement;
  readonly slowRequests?: XmlElement;
  readonly memory?: XmlElement;
  readonly statusCode?: XmlElement;
  readonly statuses: readonly StatusPlace[];
  readonly actions?: XmlElement;
  readonly customAction?: XmlElement;
}

export interface ReadConfig {
  readonly rules: AutoHealRules;
  readonly places: Places;
  /** What is not understood and stays as it is. */
  readonly notes: readonly AutoHealNote[];
  readonly iisnode?: { readonly devErrors: boolean };
}

/** @throws XmlFault where the file cannot be read, or says auto-heal in a way that must not be changed */
export function readConfig({ text }: Pick<Decoded, 'text'>): ReadConfig {
  const root = scan(text);
  if (root.name !== 'configuration') throw new XmlFault(lineAt(text, root.start), `its root is ${root.name}, not configuration`);
  return new Reader(text).read(root);
}

class Reader {
  readonly #text: string;
  readonly #notes: AutoHealNote[] = [];

  constructor(text: string) {
    this.#text = text;
  }

  read(root: XmlElement): ReadConfig {
    const { servers, elsewhere } = serversOf(root);
    for (const { path, at } of elsewhere) this.#note('monitoring', `The monitoring element of location "${path}" (line ${this.#line(at)}) counts for nothing: auto-heal reads the root only.`);
    const found = servers.flatMap((server) => server.children.filter(({ name }) => name === MONITORING).map((monitoring) => ({ server, monitoring })));
    if (found.length > 1) throw this.#fault(found[1]?.monitoring as XmlElement, 'a second monitoring element: IIS takes one');
    const [one] = found;
    const iisnode = servers.flatMap(({ children }) => children).find(({ name }) => name === 'iisnode');
    const rest = iisnode === undefined ? {} : { iisnode: { devErrors: attribute(iisnode, 'devErrorsEnabled') !== 'false' } };
    const webServer = one?.server ?? servers.find((server) => root.children.includes(server));
    if (one === undefined) return { rules: {}, places: { root, statuses: [], ...(webServer && { webServer }) }, notes: this.#notes, ...rest };
    return { ...this.#monitoring(one.monitoring, { root, webServer: one.server }), notes: this.#notes, ...rest };
  }

  #monitoring(monitoring: XmlElement, above: Pick<Places, 'root' | 'webServer'>): Pick<ReadConfig, 'rules' | 'places'> {
    for (const name of ['configSource', 'childSource']) if (attribute(monitoring, name) !== undefined) throw this.#fault(monitoring, `monitoring stands in another file: ${attribute(monitoring, name)}`);
    if (attribute(monitoring, 'configProtectionProvider') !== undefined || monitoring.children.some(({ name }) => name === 'EncryptedData')) throw this.#fault(monitoring, 'monitoring is encrypted');
    const triggers = this.#only(monitoring, 'triggers'), actions = this.#only(monitoring, 'actions');
    this.#others(monitoring, ['triggers', 'actions'], []);
    const places: Places = { ...above, monitoring, statuses: [], ...(triggers && { triggers }), ...(actions && { actions }) };
    const [told, triggerPlaces] = triggers === undefined ? [undefined, { statuses: [] }] : this.#triggers(triggers);
    const [does, custom] = actions === undefined ? [undefined, undefined] : this.#actions(actions);
    const rules: AutoHealRules = { ...(told !== undefined && Object.keys(told).length > 0 ? { triggers: told } : {}), ...(does === undefined ? {} : { actions: does }) };
    return { rules, places: { ...places, ...triggerPlaces, ...(custom && { customAction: custom }) } };
  }

  #triggers(triggers: XmlElement): [AutoHealTriggers, Pick<Places, 'requests' | 'slowRequests' | 'memory' | 'statusCode' | 'statuses'>] {
    const requests = this.#only(triggers, 'requests'), slowRequests = this.#only(triggers, 'slowRequests'), memory = this.#only(triggers, 'memory'), statusCode = this.#only(triggers, 'statusCode');
    this.#others(triggers, ['requests', 'slowRequests', 'memory', 'statusCode'], []);
    const statuses = statusCode === undefined ? [] : statusCode.children.flatMap((element): StatusPlace[] => (element.name === 'add' ? [{ element, says: this.#status(element) }] : []));
    if (statusCode !== undefined) this.#others(statusCode, ['add', 'clear', 'remove'], []);
    const known = statuses.flatMap(({ says }) => (says === undefined ? [] : [says]));
    const counted = requests && this.#counted(requests, []), slow = slowRequests && this.#slow(slowRequests), kb = memory && this.#number(memory, 'privateBytesInKB');
    if (memory) this.#others(memory, [], ['privateBytesInKB']);
    return [
      { ...(counted && { requests: counted }), ...(slow && { slowRequests: slow }), ...(kb !== undefined && { privateBytesInKB: kb }), ...(known.length > 0 && { statusCodes: known }) },
      { statuses, ...(requests && { requests }), ...(slowRequests && { slowRequests }), ...(memory && { memory }), ...(statusCode && { statusCode }) },
    ];
  }

  #counted(element: XmlElement, more: readonly string[]): { count: number; timeInterval: string } | undefined {
    this.#others(element, [], ['count', 'timeInterval', ...more]);
    const count = this.#number(element, 'count'), timeInterval = this.#time(element, 'timeInterval');
    return count === undefined || timeInterval === undefined ? undefined : { count, timeInterval };
  }

  #slow(element: XmlElement): { timeTaken: string; count: number; timeInterval: string } | undefined {
    const counted = this.#counted(element, ['timeTaken']), timeTaken = this.#time(element, 'timeTaken');
    return counted === undefined || timeTaken === undefined ? undefined : { timeTaken, ...counted };
  }

  #status(element: XmlElement): StatusTrigger | undefined {
    const counted = this.#counted(element, ['statusCode', 'subStatusCode', 'win32StatusCode']);
    const status = this.#number(element, 'statusCode');
    const subStatus = attribute(element, 'subStatusCode') === undefined ? 0 : this.#number(element, 'subStatusCode'), win32Status = attribute(element, 'win32StatusCode') === undefined ? 0 : this.#number(element, 'win32StatusCode');
    if (counted === undefined || status === undefined || status > 999 || subStatus === undefined || win32Status === undefined) return undefined;
    return { status, ...(subStatus > 0 && { subStatus }), ...(win32Status > 0 && { win32Status }), ...counted };
  }

  #actions(actions: XmlElement): [AutoHealActions | undefined, XmlElement | undefined] {
    const custom = this.#only(actions, 'customAction');
    this.#others(actions, ['customAction'], ['value', 'minProcessExecutionTime']);
    if (custom) this.#others(custom, [], ['exe', 'parameters']);
    const value = attribute(actions, 'value');
    const actionType = ACTION_TYPES.find((one) => one === value);
    const least = attribute(actions, 'minProcessExecutionTime') === undefined ? undefined : this.#time(actions, 'minProcessExecutionTime');
    if (actionType === undefined) { this.#note('actions', `Line ${this.#line(actions)}: the action ${value === undefined ? 'has no value' : `"${value}" is not known`}.`); return [undefined, custom]; }
    const exe = custom && (attribute(custom, 'exe') ?? ''), parameters = custom && attribute(custom, 'parameters');
    const customAction = exe === undefined ? undefined : { exe, ...(parameters && { parameters }) };
    return [{ actionType, ...(customAction && actionType === 'CustomAction' && { customAction }), ...(least !== undefined && { minProcessExecutionTime: least }) }, custom];
  }

  #only(parent: XmlElement, name: string): XmlElement | undefined {
    const [one, second] = parent.children.filter((child) => child.name === name);
    if (second !== undefined) throw this.#fault(second, `a second ${name} element: IIS takes one`);
    return one;
  }

  #number(element: XmlElement, name: string): number | undefined {
    const text = attribute(element, name)?.trim();
    if (text !== undefined && /^\d{1,10}$/.test(text) && Number(text) <= 2_147_483_647) return Number(text);
    this.#note(element.name, `Line ${this.#line(element)}: ${name} of ${element.name} is ${text === undefined ? 'missing' : `"${text.slice(0, 40)}", no whole number`}; this trigger is left as it is.`);
    return undefined;
  }

  #time(element: XmlElement, name: string): string | undefined {
    const text = attribute(element, name)?.trim();
    if (seconds(text) !== undefined && /^(\d{1,4}\.)?\d{1,2}:[0-5]?\d:[0-5]?\d$/.test(text ?? '')) return text;
    this.#note(element.name, `Line ${this.#line(element)}: ${name} of ${element.name} is ${text === undefined ? 'missing' : `"${text.slice(0, 40)}", no time as 00:05:00`}; it is left as it is.`);
    return undefined;
  }

  /** Children and attributes that are documented for nothing here. */
  #others(element: XmlElement, children: readonly string[], attributes: readonly string[]): void {
    for (const child of element.children) if (!children.includes(child.name)) this.#note(element.name, `Line ${this.#line(child)}: ${child.name} inside ${element.name} is not documented; IIS may refuse the whole file for it, and it is left as it is.`);
    if (attributes.length > 0) for (const { name } of element.attributes) if (!attributes.includes(name) && !IIS_OWN.test(name)) this.#note(element.name, `Line ${this.#line(element)}: the attribute ${name} of ${element.name} is not documented; it is left as it is.`);
    if (element.hasText) this.#note(element.name, `Line ${this.#line(element)}: ${element.name} holds text; it is left as it is.`);
  }

  #note(on: string, says: string): void { this.#notes.push({ level: 'warning', on: `file.${on}`, says }); }
  #line(element: XmlElement): number { return lineAt(this.#text, element.start); }
  #fault(element: XmlElement, why: string): XmlFault { return new XmlFault(this.#line(element), why); }
}

/** Attributes that every section of IIS takes, and those of XML and its transforms. */
const IIS_OWN = /^(lock(Attributes|Elements|AllAttributesExcept|AllElementsExcept|Item)|xmlns|xmlns:.*|xml:.*|xdt:.*)$/;

export function attribute(element: XmlElement, name: string): string | undefined {
  return element.attributes.find((one) => one.name === name)?.value;
}

/** The system.webServer elements that count for the root: those of the root, and those of a location that names no place below. */
function serversOf(root: XmlElement): { servers: XmlElement[]; elsewhere: { path: string; at: XmlElement }[] } {
  const servers: XmlElement[] = [], elsewhere: { path: string; at: XmlElement }[] = [];
  for (const child of root.children) {
    if (child.name === WEB_SERVER) servers.push(child);
    if (child.name !== 'location') continue;
    const path = attribute(child, 'path') ?? '';
    const inside = child.children.filter(({ name }) => name === WEB_SERVER);
    if (path === '' || path === '.') servers.push(...inside);
    else for (const server of inside) elsewhere.push(...server.children.filter(({ name }) => name === MONITORING).map((at) => ({ path, at })));
  }
  return { servers, elsewhere };
}
