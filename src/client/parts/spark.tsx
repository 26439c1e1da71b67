// Owns sparklines: one small line with its gaps, from zero, and the failures of its window as thin marks.

const W = 240;
const H = 34;

/** Path of each unbroken piece; a single value between gaps becomes a short dash, so that it is seen. */
export function pieces(points: readonly (number | null)[]): readonly string[] {
  const top = points.reduce((most: number, p) => Math.max(most, p ?? 0), 0) * 1.1 || 1;
  const x = (i: number): number => (points.length < 2 ? 0 : (i / (points.length - 1)) * W);
  const at = (i: number, v: number): string => `${x(i).toFixed(1)},${(H - 1 - (v / top) * (H - 4)).toFixed(1)}`;
  const out: string[][] = [];
  let open: string[] | undefined;
  points.forEach((v, i) => {
    if (v === null) { open = undefined; return; }
    if (!open) { open = []; out.push(open); }
    open.push(at(i, v));
  });
  return out.map((p) => (p.length === 1 ? `M${p[0]}h1.5` : `M${p.join('L')}`));
}

export function Spark({ points, token, marks }: { points: readonly (number | null)[]; token: string; marks: readonly number[] }) {
  const lines = pieces(points);
  return (
    <svg class={`spark t-${token}`} viewBox={`0 0 ${W} ${H}`} preserveAspectRatio="none" aria-hidden="true">
      {lines.filter((l) => l.includes('L')).map((line, i) => <path key={`f${i}`} class="area" d={`${line}V${H}H${/^M([\d.]+)/.exec(line)?.[1] ?? 0}Z`} />)}
      {lines.map((line, i) => <path key={`l${i}`} class="line" d={line} />)}
      {marks.map((share) => <path key={share} class="exit" d={`M${(share * W).toFixed(1)},0V${H}`} />)}
    </svg>
  );
}
