// Owns one question to the preload of an app: a connection of its own, the answer in frames, an artifact as raw bytes between them.
import { connect, type Socket } from 'node:net';
import { AppFrame, MAX_FRAME_BYTES, RAW_FRAME, type Announcement, type AppAnswer, type AppAsk, type AppWanted } from '../shared/app-link.ts';
import { DiagError } from '../shared/errors.ts';
import { parsed } from './app-known.ts';
import { within } from './clock.ts';

/** An app whose loop stands still answers nothing; then the inspector is the way, which needs no loop. */
const BEGIN_LIMIT_MS = 3_000;
/** More than any artifact that can be meant. */
const MAX_ARTIFACT_BYTES = 64 * 2 ** 30;

export interface Asked { readonly sizeBytes: number }

type OnBytes = (bytes: Buffer) => Promise<void> | void;

/** Resolves when the artifact is whole. To abort is to hang up, by which the app stops what it does. @throws APP_UNREACHABLE, APP_REFUSED, CANCELLED, and what `onBytes` throws */
export async function askApp(announced: Announcement | undefined, pid: number, wanted: AppWanted, signal: AbortSignal, onBytes: OnBytes): Promise<Asked> {
  if (announced?.key === undefined) throw new DiagError('APP_UNREACHABLE', { pid, why: announced === undefined ? 'it carries no preload' : 'its preload is too old to answer' });
  const socket = connect(announced.address);
  const begin = within(BEGIN_LIMIT_MS, signal);
  const hangUp = (): void => { socket.destroy(signal.aborted ? undefined : new Error(`no answer within ${BEGIN_LIMIT_MS / 1_000} s`)); };
  begin.addEventListener('abort', hangUp, { once: true });
  signal.addEventListener('abort', hangUp, { once: true });
  let refused: { readonly why: unknown } | undefined;
  const take: OnBytes = async (bytes) => {
    try {
      await onBytes(bytes);
    } catch (why) {
      refused = { why };                                       // ours, not the app's: told as it is
      throw why;
    }
  };
  try {
    socket.write(frameOf({ type: 'ask', version: 1, key: announced.key, wanted }));
    const size = await answered(socket, pid, () => { begin.removeEventListener('abort', hangUp); }, take);
    return { sizeBytes: size };
  } catch (error) {
    if (signal.aborted) throw new DiagError('CANCELLED', { what: `The question to process ${pid}` }, { cause: error });
    if (refused !== undefined || error instanceof DiagError) throw error;
    throw new DiagError('APP_UNREACHABLE', { pid, why: error instanceof Error ? error.message : String(error) }, { cause: error });
  } finally {
    begin.removeEventListener('abort', hangUp);
    signal.removeEventListener('abort', hangUp);
    socket.destroy();
  }
}

async function answered(socket: Socket, pid: number, begun: () => void, onBytes: OnBytes): Promise<number> {
  let rest: Buffer = Buffer.alloc(0);
  let sizeBytes = 0;
  // What is not consumed waits in the app: a slow disk here slows nothing but the sending.
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    for (;;) {
      const frame = cut(rest);
      if (frame === undefined) break;
      rest = rest.subarray(frame.end);
      if (frame.raw) {
        sizeBytes += frame.payload.length;
        if (sizeBytes > MAX_ARTIFACT_BYTES) throw new Error('the artifact has no end');
        await onBytes(frame.payload);
        continue;
      }
      const said = parsed(AppFrame, frame.payload.toString('utf8'));
      if (said === undefined) throw new Error('it speaks another language');
      if (said.type === 'answer' && ended(said, pid, sizeBytes, begun)) return sizeBytes;
    }
  }
  throw new Error('it hung up before the end');
}

/** @throws APP_REFUSED */
function ended({ state, because = 'it does not say why', sizeBytes }: AppAnswer, pid: number, have: number, begun: () => void): boolean {
  begun();
  if (state === 'refused' || state === 'failed') throw new DiagError('APP_REFUSED', { pid, why: because });
  if (state === 'done' && sizeBytes !== undefined && sizeBytes !== have) throw new Error(`${have} of ${sizeBytes} bytes came`);
  return state === 'done';
}

/** The first frame, when it is whole. @throws when it is longer than the bound */
function cut(bytes: Buffer): { readonly raw: boolean; readonly payload: Buffer; readonly end: number } | undefined {
  if (bytes.length < 4) return undefined;
  const word = bytes.readUInt32LE(0);
  const raw = word >= RAW_FRAME;
  const size = raw ? word - RAW_FRAME : word;
  if (size > MAX_FRAME_BYTES) throw new Error('a frame is too long');
  return bytes.length < 4 + size ? undefined : { raw, payload: bytes.subarray(4, 4 + size), end: 4 + size };
}

function frameOf(ask: AppAsk): Buffer {
  const json = Buffer.from(JSON.stringify(ask));
  const head = Buffer.alloc(4);
  head.writeUInt32LE(json.length, 0);
  return Buffer.concat([head, json]);
}
