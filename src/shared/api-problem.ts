// Owns the error that a refusal of the API becomes.
import type { Problem } from './api.ts';

/** What went wrong in an answer, as the agent's problem+json says; `code` is stable. */
export class ApiProblem extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) { super(problem.detail); this.name = 'ApiProblem'; this.problem = problem; }
  get code(): string { return this.problem.code; }
}
