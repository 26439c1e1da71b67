// Owns the catalog of errors: every code with its HTTP status, its sentence and the next step.
import { bytes } from './units.ts';

type Facts = Readonly<Record<string, string | number | undefined>>;
interface Entry { readonly status: number; say(f: Facts): string; next?(f: Facts): string }

const n = (value: string | number | undefined): number => Number(value ?? 0);

/** Codes are stable words: renaming one is a breaking change (CHANGELOG.md). Sorted by floor. */
export const errors = {
  // any floor
  BAD_INPUT: { status: 400, say: (f) => `The input is not valid: ${f['why']}.`, next: () => 'Correct the named field and send it again.' },
  CANCELLED: { status: 409, say: (f) => `${f['what'] ?? 'The work'} was cancelled.` },
  TIMED_OUT: { status: 504, say: (f) => `${f['what']} took longer than ${f['limit']}.`, next: () => 'Try again, or with a longer limit.' },
  // platform
  CAPABILITY_MISSING: { status: 501, say: (f) => `${f['what']} is not possible here: ${f['because']}.` },
  HOME_UNUSABLE: { status: 500, say: (f) => `The home ${f['home']} cannot be used: ${f['why']}.`, next: () => 'Name a folder that the agent may write, for example with --home.' },
  PROGRAM_FAILED: { status: 500, say: (f) => `${f['program']} ended with ${f['end']}: ${f['why'] ?? 'it said nothing'}.` },
  PROCESS_GONE: { status: 404, say: (f) => `Process ${f['pid']} is not running any more.`, next: () => 'Choose a process from the current list.' },
  PROCESS_REUSED: { status: 409, say: (f) => `Process ${f['pid']} is another one now: it started at ${f['startedAt']}, you meant the one of ${f['meant']}.`, next: () => 'Look at the current list and choose again.' },
  PROCESS_OURS: { status: 403, say: (f) => `Process ${f['pid']} is the agent's own or one of its parents.`, next: () => 'Choose a process of the site.' },
  PROCESS_DENIED: { status: 403, say: (f) => `The system does not let us ${f['what']} process ${f['pid']}: ${f['why']}.` },
  VARIABLE_UNKNOWN: { status: 404, say: (f) => `Process ${f['pid']} has no variable ${f['name']}.`, next: () => 'Read its environment again.' },
  DUMP_FAILED: { status: 500, say: (f) => `The dump of process ${f['pid']} failed: ${f['why']}.`, next: () => 'The process runs on. Try another kind of dump.' },
  NODE_REPORT_FAILED: { status: 500, say: (f) => `Node process ${f['pid']} gave no report: ${f['why']}.` },
  INSPECTOR_FAILED: { status: 500, say: (f) => `The inspector of Node process ${f['pid']} cannot be used: ${f['why']}.` },
  APP_UNREACHABLE: { status: 503, say: (f) => `The preload of process ${f['pid']} does not answer: ${f['why']}.` },
  APP_REFUSED: { status: 409, say: (f) => `The preload of process ${f['pid']} did not do it: ${f['why']}.` },
  PAUSE_TOO_LONG: { status: 409, say: (f) => `${f['what']} would stop process ${f['pid']} for about ${f['predicted']}; at most ${f['limit']} is allowed.`, next: () => 'Allow a longer pause, or take something that stops it less.' },
  HEAP_SNAPSHOT_REFUSED: { status: 409, say: (f) => `A heap snapshot of process ${f['pid']} would endanger it: ${f['why']}.`, next: () => 'Take a sampling heap profile instead: it stops nothing and needs next to no memory.' },
  HEAP_SNAPSHOT_FAILED: { status: 500, say: (f) => `The heap snapshot of process ${f['pid']} failed: ${f['why']}.`, next: () => 'The process runs on.' },
  RESTART_REFUSED: { status: 409, say: (f) => `Process ${f['pid']} was not replaced: ${f['why']}.`, next: () => 'The old worker serves on. Look at the start of the app in its log, or restart without overlap.' },
  // files
  ROOT_UNKNOWN: { status: 404, say: (f) => `There is no root ${f['root']} for files.`, next: () => 'List the roots of api/files/roots.' },
  PATH_REFUSED: { status: 400, say: (f) => `The path ${f['path']} is not used: ${f['why']}.`, next: () => 'Name a file or folder below a root by plain names with slashes between them.' },
  PATH_LINK: { status: 403, say: (f) => `${f['path']} is a link, and links are not followed.`, next: () => 'Open the place that it leads to, if that lies below a root.' },
  FILE_PRIVATE: { status: 403, say: (f) => `${f['path']} belongs to this agent and is neither shown nor changed here.` },
  FILE_UNKNOWN: { status: 404, say: (f) => `There is no ${f['path']}.`, next: () => 'List its folder again: it may have been renamed or removed.' },
  FILE_KIND: { status: 409, say: (f) => `${f['path']} is not ${f['wanted']}.` },
  FILE_EXISTS: { status: 409, say: (f) => `There is a ${f['path']} already.`, next: () => 'Choose another name, or remove what is there first.' },
  FILE_CHANGED: { status: 412, say: (f) => `${f['path']} was changed by somebody else meanwhile: it is version ${f['etag']} now.`, next: () => 'Read it again, and decide which version is to stay.' },
  FILE_DENIED: { status: 403, say: (f) => `The system does not let the agent touch ${f['path']} (${f['why']}).`, next: () => 'Look at its rights, and whether a program holds it open.' },
  FILE_BUSY: { status: 409, say: (f) => `${f['path']} is held by a program just now.`, next: () => 'Try again in a moment, or end the program that holds it.' },
  FILES_FULL: { status: 507, say: (f) => `The disk took no more while ${f['path']} was written; what was there before stays.`, next: () => 'Make room: the view of disk use shows what takes it.' },
  FILES_READ_ONLY: { status: 403, say: (f) => `${f['path']} lies on a disk that only reads.`, next: () => 'A site that runs from a package is changed by a new package.' },
  FOLDER_NOT_EMPTY: { status: 409, say: (f) => `The folder ${f['path']} is not empty.`, next: () => 'Say that everything below it is meant too.' },
  UNDO_IMPOSSIBLE: { status: 409, say: (f) => `Deleting ${f['path']} cannot be undone: ${f['why']}.`, next: () => 'Delete it for ever, or download it first.' },
  UNDO_UNKNOWN: { status: 404, say: (f) => `There is nothing to be restored under ${f['id']}.`, next: () => 'List the bin: it may have aged out.' },
  ZIP_UNREADABLE: { status: 400, say: (f) => `This is no zip that can be read: ${f['why']}.`, next: () => 'Send a whole zip; make it again when it was cut off.' },
  ZIP_REFUSED: { status: 422, say: (f) => `The zip is not unpacked: ${f['why']}. Nothing was written.`, next: () => 'Make it again without this entry.' },
  UPLOAD_UNKNOWN: { status: 404, say: (f) => `There is no upload ${f['upload']}.`, next: () => 'Begin it again: unfinished uploads age out after a day.' },
  UPLOAD_OFFSET: { status: 409, say: (f) => `The upload has ${f['have']} bytes; this part begins at ${f['offset']}.`, next: () => 'Ask how much is there, and go on from it.' },
  UPLOAD_DIFFERS: { status: 422, say: (f) => `What arrived is not what was announced: ${f['why']}.`, next: () => 'Begin the upload again.' },
  SHELL_FAILED: { status: 500, say: (f) => `The shell ${f['shell']} could not be started: ${f['why']}.`, next: () => 'Choose another shell or folder.' },
  // store
  NO_ROOM: { status: 507, say: (f) => `${f['what']} needs about ${bytes(n(f['needBytes']))}; ${bytes(n(f['freeBytes']))} are free.`, next: () => 'Delete old sessions or choose fewer diagnosers.' },
  SESSION_UNKNOWN: { status: 404, say: (f) => `There is no session ${f['session']}.`, next: () => 'List the sessions: it may have aged out.' },
  SESSION_UNREADABLE: { status: 500, say: (f) => `The record of session ${f['session']} cannot be read: ${f['why']}.`, next: () => 'The file is left where it is, under data/DaaS/diag/sessions.' },
  SESSION_RUNNING: { status: 409, say: (f) => `Session ${f['session']} is still running.`, next: () => 'Cancel it first, or wait for its end.' },
  SNAPSHOT_UNKNOWN: { status: 404, say: (f) => `There is no kept environment ${f['snapshot']}.`, next: () => 'List what can be compared: it may have been deleted, or its instance be gone.' },
  ARTIFACT_UNKNOWN: { status: 404, say: (f) => `Session ${f['session']} has no file ${f['name']}.` },
  REPORT_NOT_READY: { status: 409, say: (f) => `Session ${f['session']} has no report: it is ${f['state']}.` },
  // observe
  SOURCE_UNKNOWN: { status: 404, say: (f) => `There is no log ${f['source']}.`, next: () => 'Read the catalog again: the file may be gone.' },
  CURSOR_BAD: { status: 400, say: () => 'The cursor is not one of ours.', next: () => 'Start from the end or from a time.' },
  FILTER_BAD: { status: 400, say: (f) => `The filter cannot be used: ${f['why']}.`, next: () => 'Use RE2 syntax without look-around and back references, at most 500 characters.' },
  NO_HTTP_LOG: { status: 422, say: (f) => `There is no HTTP log in ${f['where']}: ${f['why']}.`, next: () => 'Name logs of IIS, nginx, Apache or JSON lines, packed or not, or say their format with --format.' },
  LOG_FORMAT_BAD: { status: 400, say: (f) => `The log format cannot be used: ${f['why']}.`, next: () => 'Copy the text of log_format or LogFormat from the server\'s configuration: nginx:…, apache:…, or name a format by its id.' },
  LOG_UNREADABLE: { status: 422, say: (f) => `${f['name']} cannot be read as a log: ${f['why']}.` },
  HTTP_FILTER_BAD: { status: 400, say: (f) => `The filter cannot be read at character ${f['at']}: ${f['why']}.`, next: () => 'Write terms with spaces between them, such as status:502.3 route:"GET /api/orders/{id}" taken>1000 -path:/health.' },
  HTTP_SCAN_FAILED: { status: 500, say: (f) => `The HTTP logs could not be read: ${f['why']}.`, next: () => 'Read fewer or smaller files at once.' },
  // analyze
  DIAGNOSER_UNKNOWN: { status: 400, say: (f) => `There is no diagnoser ${f['id']}.`, next: () => 'List the diagnosers.' },
  NOTHING_TO_COLLECT: { status: 409, say: (f) => `There is nothing to collect: ${f['why']}.`, next: (f) => String(f['remedy'] ?? 'Enable the log and try again.') },
  HEAP_UNREADABLE: { status: 422, say: (f) => `This is no heap snapshot that can be read: ${f['why']}.`, next: () => 'Give a whole .heapsnapshot of V8 as Node or Chrome writes it; take it again when it was cut off.' },
  PROFILE_UNREADABLE: { status: 422, say: (f) => `This is no profile that can be read: ${f['why']}.`, next: () => 'Give a .cpuprofile or .heapprofile of V8, a pprof, the output of perf script, collapsed stacks, a speedscope file or a .jfr.' },
  PROFILE_NOT_READ: { status: 404, say: (f) => `${f['name']} has not been read yet, or too long ago.`, next: () => 'Begin its reading, and ask again when it is done.' },
  HEAP_NOT_READ: { status: 404, say: (f) => `${f['name']} has not been read yet, or too long ago.`, next: () => 'Begin its reading, and ask again when it is done.' },
  DUMP_UNREADABLE: { status: 422, say: (f) => `This is no dump that can be read: ${f['why']}.`, next: () => 'Give an ELF core of a 64-bit Linux process, or a minidump of Windows.' },
  DUMP_NOT_READ: { status: 404, say: (f) => `${f['name']} has not been read yet, or too long ago.`, next: () => 'Begin its reading, and ask again when it is done.' },
  ANALYZER_FAILED: { status: 500, say: (f) => `The analyzer ${f['analyzer']} failed: ${f['why']}.` },
  BUNDLE_UNREADABLE: { status: 400, say: (f) => `${f['what']} is not a bundle or session folder of ours: ${f['why']}.` },
  // mitigate
  RULES_CHANGED: { status: 409, say: (f) => `The rules were changed by somebody else meanwhile: they are version ${f['version']} now.`, next: () => 'Read them again, and put your change into the newest text.' },
  RULE_UNKNOWN: { status: 404, say: (f) => `There is no rule ${f['rule']}.`, next: () => 'List the rules: it may have been renamed or refused.' },
  ADDRESS_REFUSED: { status: 400, say: (f) => `The address ${f['host']} is not asked: ${f['why']}.`, next: () => 'Name a host that is reached by the network of the site; DIAG_ALLOW_LOOPBACK=1 allows this machine, for local use.' },
  WEB_FAILED: { status: 502, say: (f) => `${f['host']} could not be asked: ${f['why']}.` },
  CHANNEL_UNKNOWN: { status: 404, say: (f) => `There is no channel ${f['channel']}.`, next: () => 'List the channels of api/alerts.' },
  AUTO_HEAL_REFUSED: { status: 409, say: (f) => `${f['file']} is not changed: ${f['why']}.`, next: () => 'The management API sets the same rules without a file: portal, az webapp config set, Bicep.' },
  AUTO_HEAL_UNREADABLE: { status: 409, say: (f) => `${f['file']} cannot be edited: ${f['why']}.`, next: () => 'Correct the file by hand; what cannot be read whole is not changed.' },
  AUTO_HEAL_CHANGED: { status: 409, say: (f) => `${f['file']} was changed by somebody else meanwhile.`, next: () => 'Read it again, and look at the new difference.' },
  AUTO_HEAL_BAD: { status: 400, say: (f) => `These rules cannot be set: ${f['why']}`, next: () => 'Correct them and send them again.' },
  AUTO_HEAL_UNSAID: { status: 400, say: (f) => `A web.config has no words for all of it. ${f['what']}`, next: () => 'Leave that out (leaveOut, --leave-out), or set the rules by the management API.' },
  BACKUP_UNKNOWN: { status: 404, say: (f) => `There is no backup ${f['backup']} of this file.`, next: () => 'List the backups: the oldest make room for new ones.' },
  RESTART_STOPPED: { status: 409, say: (f) => `The restart did not come to its end: ${f['why']}.`, next: () => 'Instances that were not restarted serve as before; look at the one that is named.' },
  MANAGEMENT_FAILED: { status: 502, say: (f) => `The management API did not do ${f['what']}: ${f['why']}.`, next: (f) => String(f['next'] ?? 'Try again.') },
  SCALE_REFUSED: { status: 409, say: (f) => `The plan is left as it is: ${f['why']}.`, next: () => 'Ask for what the plan and the limits of the settings allow.' },
  // agent
  OPERATION_UNKNOWN: { status: 404, say: (f) => `There is no operation ${f['operation']}.` },
  SETTINGS_UNREADABLE: { status: 500, say: (f) => `The settings in ${f['file']} cannot be read: ${f['why']}.`, next: () => 'Correct the file, or rename it: nothing is written over it until then.' },
  OPERATION_BUSY: { status: 409, say: (f) => `${f['what']} is already running (${f['operation']}).`, next: () => 'Wait for it, tell it that it has enough, or cancel it.' },
  SHELL_OFF: { status: 403, say: (f) => `Shells are off: ${f['why']}.`, next: () => 'Use the platform\'s own console, or switch them on in the setting DIAG_SHELL and restart the agent.' },
  SHELL_UNKNOWN: { status: 404, say: (f) => `There is no shell ${f['shell']}.`, next: () => 'List the shells: it may have been ended.' },
  SHELL_LIMIT: { status: 409, say: (f) => `All ${f['limit']} shells are busy.`, next: () => 'End one of them, or wait until what runs in one is done.' },
  // server
  TOKEN_MISSING: { status: 401, say: () => 'This agent wants its token.', next: () => 'Open the one-time link that the agent printed, or send Authorization: Bearer.' },
  ORIGIN_REFUSED: { status: 403, say: (f) => `A request from ${f['origin']} is not accepted here.`, next: () => 'Use the page of this agent, or a program with a Bearer token.' },
  HEADER_MISSING: { status: 403, say: () => 'A change needs the header X-Diag.', next: () => 'Send "X-Diag: 1" with every request that changes something.' },
  HOST_REFUSED: { status: 403, say: (f) => `The host name ${f['host']} is not one of this agent's.` },
  LOGIN_REFUSED: { status: 401, say: () => 'The token or one-time link is not valid.', next: () => 'A one-time link works once. Start again with the link or token that the agent printed.' },
  NOT_FOUND: { status: 404, say: (f) => `There is nothing at ${f['path']}.` },
  METHOD_REFUSED: { status: 405, say: (f) => `${f['method']} is not possible at ${f['path']}.` },
  BODY_TOO_LARGE: { status: 413, say: (f) => `The body is larger than ${f['limit']}.` },
  RANGE_BAD: { status: 416, say: () => 'The range lies outside the file.' },
  TOO_MANY: { status: 429, say: (f) => `There are too many ${f['what']} already (${f['limit']}).` },
  INTERNAL: { status: 500, say: () => 'Something failed inside the agent.', next: () => 'The agent\'s own log has the stack under this operation id.' },
  UNREACHABLE: { status: 503, say: (f) => `The agent at ${f['url']} does not answer: ${f['why']}.`, next: () => 'Check the address and that the agent is running.' },
} as const satisfies Record<string, Entry>;

export type ErrorCode = keyof typeof errors;

/** The one error type with a code; what it says is made from its facts, so that it is the same everywhere. */
export class DiagError extends Error {
  readonly code: ErrorCode;
  readonly facts: Facts;
  constructor(code: ErrorCode, facts: Facts = {}, options?: { cause?: unknown }) {
    super((errors[code] as Entry).say(facts), options as ErrorOptions);
    this.name = 'DiagError';
    this.code = code;
    this.facts = facts;
  }
  get status(): number { return errors[this.code].status; }
  get next(): string | undefined { return (errors[this.code] as Entry).next?.(this.facts); }
}

/** The code of any error: a DiagError's own, CANCELLED for an abort, INTERNAL for what nobody foresaw. */
export function codeOf(error: unknown): ErrorCode {
  if (error instanceof DiagError) return error.code;
  if (error instanceof Error && error.name === 'AbortError') return 'CANCELLED';
  return 'INTERNAL';
}

/** One line for people about any error; an unforeseen error's message is kept, its stack is not. */
export function sayError(error: unknown): string {
  if (error instanceof Error) return error.message || error.name;
  return String(error);
}
