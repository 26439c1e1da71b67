// Owns the request strip: bars on a canvas, failures in front by colour and height, changes as marks, a pointer that tells and picks.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { Change } from '../../shared/model.ts';
import { count, plural } from '../../shared/units.ts';
import { useCell } from '../cell.ts';
import { SHORTEST_MS, type Span } from '../range.ts';
import { colour, paint } from '../theme.ts';
import { time } from '../words.ts';
import { drawMark, markOf } from './marks.ts';
import { atOf, barsOf, floorY, LEFT, RIGHT, TOP, ticksOf, topOf, under, xOf, type Bucket, type Frame } from './strip-layout.ts';
import { useWidth } from './use-width.ts';

interface StripProps { buckets: readonly Bucket[]; stepMs: number; span: Span; changes: readonly Change[]; height?: number; onPick: (span: Span) => void; onRange: (span: Span) => void }
/** A press that moves less than this is a click on a bucket. */
const CLICK_PX = 4;

export function Strip({ buckets, stepMs, span, changes, height = 132, onPick, onRange }: StripProps) {
  const box = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const width = useWidth(box);
  const painted = useCell(paint);
  const [pointer, setPointer] = useState<{ x: number; from?: number }>();
  const frame: Frame = { from: span.from, to: span.to, width, height };
  const shown = useMemo(() => changes.filter((c) => c.at >= span.from && c.at <= span.to), [changes, span.from, span.to]);
  useEffect(() => { if (canvas.current && width > 0) draw(canvas.current, frame, buckets, stepMs, shown); }, [buckets, stepMs, span.from, span.to, shown, width, height, painted]);

  const xAt = (event: PointerEvent): number => Math.max(LEFT, Math.min(width - RIGHT, event.clientX - (box.current?.getBoundingClientRect().left ?? 0)));
  const up = (event: PointerEvent): void => {
    const x = xAt(event);
    const from = pointer?.from;
    setPointer({ x });
    if (from === undefined) return;
    const chosen = { from: Math.round(atOf(frame, Math.min(from, x))), to: Math.round(atOf(frame, Math.max(from, x))) };
    if (Math.abs(x - from) > CLICK_PX && chosen.to - chosen.from >= SHORTEST_MS) { onRange(chosen); return; }
    const { bucket } = under(frame, x, buckets, stepMs, shown);
    if (bucket) onPick({ from: bucket.at, to: bucket.at + stepMs });
  };
  return (
    <div class="strip-box" ref={box} onPointerLeave={() => setPointer(undefined)}
      onPointerDown={(e) => { if (e.button === 0) { e.currentTarget.setPointerCapture(e.pointerId); setPointer({ x: xAt(e), from: xAt(e) }); } }}
      onPointerMove={(e) => setPointer({ ...pointer, x: xAt(e) })} onPointerUp={up} onPointerCancel={() => setPointer(undefined)}>
      <canvas ref={canvas} role="img" aria-label={said(buckets, shown)} style={{ height: `${height}px` }} />
      {pointer?.from !== undefined && Math.abs(pointer.x - pointer.from) > CLICK_PX ? <div class="drag" style={{ left: `${Math.min(pointer.x, pointer.from)}px`, width: `${Math.abs(pointer.x - pointer.from)}px`, top: `${TOP}px`, height: `${floorY(frame) - TOP}px` }} /> : undefined}
      {pointer && width > 0 ? <Tip frame={frame} x={pointer.x} buckets={buckets} stepMs={stepMs} changes={shown} /> : undefined}
    </div>
  );
}

function said(buckets: readonly Bucket[], changes: readonly Change[]): string {
  const sum = buckets.reduce((s, b) => ({ all: s.all + b.ok + b.refused + b.failed, failed: s.failed + b.failed }), { all: 0, failed: 0 });
  return `${plural(sum.all, 'request')}, ${count(sum.failed)} failed, ${plural(changes.length, 'change')}`;
}

function Tip({ frame, x, buckets, stepMs, changes }: { frame: Frame; x: number; buckets: readonly Bucket[]; stepMs: number; changes: readonly Change[] }) {
  const { bucket, near } = under(frame, x, buckets, stepMs, changes);
  if (!bucket && near.length === 0) return null;
  const right = x > frame.width / 2;
  return (
    <div class="tip" style={right ? { right: `${frame.width - x + 10}px` } : { left: `${x + 10}px` }}>
      <b>{time(bucket?.at ?? near[0]?.at ?? 0)}</b>
      {bucket ? <span>{count(bucket.ok)} ok{bucket.refused > 0 ? <>, <span class="warn">{count(bucket.refused)} 4xx</span></> : undefined}{bucket.failed > 0 ? <>, <span class="bad">{count(bucket.failed)} failed</span></> : undefined}</span> : undefined}
      {near.map((c) => <span key={c.id}><i class={`mark ${markOf(c).form} t-${markOf(c).token}`} />{c.title}</span>)}
    </div>
  );
}

const TOKENS = { failed: 'bad', refused: 's6', ok: 'bar' } as const;

function draw(canvas: HTMLCanvasElement, f: Frame, buckets: readonly Bucket[], stepMs: number, changes: readonly Change[]): void {
  const ratio = devicePixelRatio || 1;
  canvas.width = Math.round(f.width * ratio);
  canvas.height = Math.round(f.height * ratio);
  const pen = canvas.getContext('2d');
  if (!pen) return;
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, f.width, f.height);
  pen.font = `11px ${getComputedStyle(canvas).fontFamily}`;
  const top = topOf(buckets);
  const floor = floorY(f);
  pen.textAlign = 'right';
  pen.textBaseline = 'middle';
  for (const share of [0, 0.5, 1]) {
    const y = Math.round(floor - (floor - TOP) * share) + 0.5;
    pen.strokeStyle = colour(share === 0 ? 'line-strong' : 'grid');
    pen.lineWidth = 1;
    pen.beginPath(); pen.moveTo(LEFT, y); pen.lineTo(f.width - RIGHT, y); pen.stroke();
    pen.fillStyle = colour('ink-3');
    pen.fillText(count(top * share), LEFT - 6, y);
  }
  for (const bar of barsOf(f, buckets, stepMs, top)) {
    pen.fillStyle = colour(TOKENS[bar.kind]);
    pen.fillRect(bar.x, bar.y, bar.w, bar.h);
    if (bar.kind === 'failed') pen.fillRect(bar.x, floor + 1, Math.max(2, bar.w), 2);
  }
  for (const change of changes) drawMark(pen, change, colour(markOf(change).token), Math.round(xOf(f, change.at)) + 0.5, TOP, floor + 1);
}

/** The time axis below a strip: round instants, the ends, and what the marks mean. */
export function StripFoot({ span, changes, width }: { span: Span; changes: readonly Change[]; width: number }) {
  const kinds = [...new Map(changes.filter((c) => c.at >= span.from && c.at <= span.to).map((c) => [markOf(c).word, markOf(c)])).values()].slice(0, 4);
  const frame: Frame = { ...span, width, height: 0 };
  return (
    <div class="strip-foot">
      <div class="axis" aria-hidden="true">{width > 0 ? ticksOf(frame).map((at) => <span key={at} style={{ left: `${Math.min(width - 28, Math.max(LEFT, xOf(frame, at)))}px` }}>{time(at)}</span>) : undefined}</div>
      <div class="legend">{kinds.map((k) => <span key={k.word}><i class={`mark ${k.form} t-${k.token}`} />{k.word}</span>)}</div>
    </div>
  );
}
