import { type ReadonlySignal, signal } from '@preact/signals';
import { ApiError } from '../../client.ts';
import type { ProgramBody } from '../../routes/view.ts';
import { kindOf } from '../words/kind.ts';
import { announce } from './announce.ts';
import { client } from './client.ts';

/** What came of the last act on a program: said beside it, and staying until the next. */
export interface Outcome {
  text: string;
  role: 'busy' | 'bad';
  at: number;
}

const outcomes = signal<ReadonlyMap<string, Outcome>>(new Map());
export const outcomeOf = (name: string): Outcome | undefined => outcomes.value.get(name);
export const allOutcomes: ReadonlySignal<ReadonlyMap<string, Outcome>> = outcomes;

/** Says something beside a program. */
export function say(name: string, text: string, role: Outcome['role'] = 'busy'): void {
  outcomes.value = new Map(outcomes.peek()).set(name, { text, role, at: Date.now() });
  announce(`${name}: ${text}`);
}

/** Does it, and says what came of it. @returns whether the host took it */
export async function act(name: string, done: string, call: () => Promise<unknown>): Promise<boolean> {
  try {
    await call();
    say(name, done);
    return true;
  } catch (error) {
    say(name, wordsOfError(error), 'bad');
    return false;
  }
}

/** In the host's words, with its hint. */
export function wordsOfError(error: unknown): string {
  if (error instanceof ApiError) return error.hint === '' ? error.message : `${error.message}. ${error.hint}`;
  return error instanceof Error ? error.message : String(error);
}

export const start = (name: string) => act(name, 'Start is asked for', () => client.wish(name, 'start'));
export const stop = (name: string) => act(name, 'Stop is asked for', () => client.wish(name, 'stop'));
export const restart = (name: string) =>
  act(name, 'Restart is asked for', () => client.wish(name, 'restart'));
export const startNow = (name: string) =>
  act(name, 'Start is asked for: waits and failed builds are forgotten', () => client.wish(name, 'start'));
export const rollBack = (name: string, revision?: number) =>
  act(
    name,
    revision === undefined ? 'A roll back is asked for' : `A roll back to r${revision} is asked for`,
    () => client.rollBack(name, revision),
  );
export const resume = (name: string) => act(name, 'Resumed', () => client.resume(name));
export const resumeHost = (name: string) => act(name, 'The host is resumed', () => client.resumeHost());
export const remove = (name: string) => act(name, 'Deleted', () => client.remove(name));

/** Whether what `s` does is Start. */
export function isStartNext(p: ProgramBody): boolean {
  return kindOf(p) === 'rest';
}
