import type { Facts } from '../../schemas/facts.ts';
import type { Runtime } from '../../schemas/program.ts';
import type { Situation } from '../../schemas/situation.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import type { Wanted } from '../../schemas/wanted.ts';
import { type Action, describe } from '../program/action.ts';
import { afterDeed } from '../program/deed.ts';
import { type GoalResult, goalOf } from '../program/goal.ts';
import { learn } from '../program/learn.ts';
import { plan } from '../program/plan.ts';
import { givesUp } from '../program/rollback.ts';
import { type StatusContext, status } from '../program/status.ts';

/**
 * One pass over one program as a file: what the mind was told, and what it came to. A bug report is such a record,
 * and `npm run replay` runs the mind on it again, without an engine.
 */
export interface PassRecord {
  name: string;
  /** As it was written last, with what is remembered. */
  before: ProgramStatus;
  wanted: Wanted;
  /** The host's. */
  runtime: Runtime;
  facts: Facts;
  context: Pick<StatusContext, 'commit' | 'remote'>;
  decided: Decided;
}

/** What a pass comes to. */
export interface Decided {
  /** In words. */
  actions: string[];
  /** With what is remembered from now on. */
  status: ProgramStatus;
}

export interface Thought extends Decided {
  wish: GoalResult;
  situation: Situation;
}

/** The mind, from end to end: what the loop does between reading and acting. Throws where a fact is lacking. */
export function think(record: Omit<PassRecord, 'decided'>): Thought {
  const { before, wanted, facts, context } = record;
  const wish = goalOf(wanted, before.memory, before.observedGeneration, record.runtime);
  const learnt = learn(before, wish, facts);
  if ('need' in learnt) throw new Error(`the record lacks a fact: ${JSON.stringify(learnt.need)}`);
  const { situation } = learnt;
  const { problems, generation, missing } = wish;
  const actions = plan(situation);
  const gaveUp = givesUp(situation);
  if (gaveUp !== undefined) {
    const memory = afterDeed(situation.memory, gaveUp);
    const next = { ...before, observedGeneration: generation, memory };
    return { wish, situation, actions: [describeGivingUp(gaveUp)], status: next };
  }
  const next = status(before, situation, actions, { ...context, problems, generation, missing });
  return { wish, situation, ...decidedOf(actions, next) };
}

export function describeGivingUp({ bad }: NonNullable<ReturnType<typeof givesUp>>): string {
  return `give up revision ${bad.revision}: ${bad.message}`;
}

export function decidedOf(actions: readonly Action[], next: ProgramStatus): Decided {
  return { actions: actions.map(describe), status: next };
}
