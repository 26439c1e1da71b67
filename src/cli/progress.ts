// Owns the progress of a session on a terminal: a line for each step that ended, and one that changes for the step at work.
import type { Session, Step } from '../shared/model.ts';
import { duration, percent } from '../shared/units.ts';
import { clearLine, keepLine, showLine } from './live-line.ts';
import { safeLine } from './print.ts';

const MOVING = ['waiting', 'running'];
const SO_FAR = 'so far';

export class Progress {
  readonly #said = new Set<string>();

  show({ steps, provisional }: Pick<Session, 'steps' | 'provisional'>): void {
    if (provisional !== undefined && !this.#said.has(SO_FAR)) {
      this.#said.add(SO_FAR);
      keepLine(`${SO_FAR.padEnd(WIDTH)} ${safeLine(provisional.text)}`);
    }
    for (const step of steps) {
      const name = `${step.stage}/${step.id}`;
      if (MOVING.includes(step.state) || this.#said.has(name)) continue;
      this.#said.add(name);
      keepLine(endedLine(step));
    }
    const running = steps.find((s) => s.state === 'running');
    if (running) showLine(runningLine(running, steps));
    else clearLine();
  }

  end(): void { clearLine(); }
}

const WIDTH = 9;

export function endedLine(step: Step): string {
  return `${step.state.padEnd(WIDTH)} ${step.title}${step.tookMs === undefined ? '' : `, ${duration(step.tookMs)}`}${step.because ? `: ${step.because}` : ''}`;
}

export function runningLine(step: Step, steps: readonly Step[]): string {
  const ended = steps.filter((s) => !MOVING.includes(s.state)).length;
  const far = step.fraction === undefined ? '' : `, ${percent(Math.round(step.fraction * 100))}`;
  return `${`${ended + 1} of ${steps.length}`.padEnd(WIDTH)} ${step.title}${step.note ? `: ${step.note}` : ''}${far}`;
}
