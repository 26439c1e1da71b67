// Owns the lists of a dump: modules, texts that look like errors, and the environment with secrets masked.
import type { DumpRead } from '../../../../shared/dump-read.ts';
import { line } from '../../../../shared/dump-text.ts';
import { bytes, count } from '../../../../shared/units.ts';
import { Empty } from '../../../parts/states.tsx';
import { VirtualTable, type TableColumn } from '../../../parts/virtual-table.tsx';

type Module = DumpRead['modules'][number];
type Text = DumpRead['texts'][number];
type Variable = DumpRead['environment'][number];

const MODULES: readonly TableColumn<Module>[] = [
  { id: 'name', title: 'Module', width: 'minmax(90px,1.4fr)', cell: (one) => <span title={one.path}>{line(one.name)}</span>, value: (one) => one.name },
  { id: 'from', title: 'From', width: '136px', wide: true, cell: (one) => <span class="mono">{one.from}</span>, value: (one) => one.from },
  { id: 'bytes', title: 'Size', width: '84px', num: true, cell: (one) => bytes(one.bytes), value: (one) => one.bytes },
  { id: 'version', title: 'Version or build id', width: 'minmax(0,1.2fr)', cell: (one) => <span class="mono" title={one.buildId}>{one.version ?? one.buildId ?? '–'}</span>, value: (one) => one.version ?? one.buildId },
  { id: 'path', title: 'Path', width: 'minmax(0,2fr)', wide: true, cell: (one) => <span title={one.path}>{line(one.path)}</span>, value: (one) => one.path },
  { id: 'note', title: 'Note', width: 'minmax(0,1.4fr)', wide: true, cell: (one) => <span title={one.note}>{one.note ?? ''}</span>, value: (one) => one.note },
];
const TEXTS: readonly TableColumn<Text>[] = [
  { id: 'times', title: 'Times', width: '72px', num: true, cell: (one) => count(one.times), value: (one) => one.times },
  { id: 'text', title: 'Text', width: 'minmax(0,1fr)', cell: (one) => <span class="mono" title={one.text}>{line(one.text, 400)}</span>, value: (one) => one.text },
];
const VARIABLES: readonly TableColumn<Variable>[] = [
  { id: 'name', title: 'Variable', width: 'minmax(120px,1fr)', cell: (one) => <span class="mono" title={one.name}>{line(one.name)}</span>, value: (one) => one.name },
  { id: 'value', title: 'Value', width: 'minmax(0,3fr)', cell: (one) => (one.masked ? <span><i class="masked" title="A secret by its name or form; its value never leaves the agent.">masked</i> {one.value === '[masked]' ? '' : line(one.value, 400)}</span> : <span class="mono" title={one.value}>{line(one.value, 400)}</span>), value: (one) => one.value },
];

export function Modules({ modules }: { modules: readonly Module[] }) {
  if (modules.length === 0) return <section><Empty title="The dump names no modules." /></section>;
  return <section><h2>Modules <small>a binary of another build is not believed: its functions have no names</small></h2><VirtualTable id="dump-modules" label="Modules" columns={MODULES} rows={modules} keyOf={(one) => one.from} fill /></section>;
}

export function Texts({ texts }: { texts: readonly Text[] }) {
  if (texts.length === 0) return <section><Empty title="No text in its memory looks like an error.">Looked for were the words that runtimes write when they give up, and errors by name.</Empty></section>;
  return <section><h2>Texts that look like the last error <small>lines in writable memory, each once</small></h2><VirtualTable id="dump-texts" label="Texts" columns={TEXTS} rows={texts} keyOf={(one) => one.text} fill /></section>;
}

export function Environment({ variables }: { variables: readonly Variable[] }) {
  if (variables.length === 0) return <section><Empty title="The environment was not found in the dump." /></section>;
  return <section><h2>Environment <small>as the process was started; {count(variables.filter((one) => one.masked).length)} masked</small></h2><VirtualTable id="dump-environment" label="Environment" columns={VARIABLES} rows={variables} keyOf={(one) => one.name} fill /></section>;
}
