import { type Container, isUp, type Sandbox } from '../../schemas/container.ts';
import type { Situation } from '../../schemas/situation.ts';
import type { Action } from './action.ts';
import { asRunning, isFinished, type Running } from './roles.ts';

/**
 * Which network sandboxes a program has a use for. That a container has one which is whole, and that it runs first, is
 * the engine's to see to when it makes and starts one; to the mind it is a part of the container.
 */

/** A program that is at rest for so long has no use for one any more. */
export const SANDBOX_REST_MS = 60_000;
const REST = 'sandboxes at rest';

/** With how long nothing of it has run and nothing is to be started, as long as there are sandboxes. */
export function withSandboxesTimed<T extends Situation>(situation: T): T {
  const { sandboxes = [], containers, rollouts, timed } = situation;
  if (sandboxes.length === 0 || containers.some(isUp) || !isAtRest(situation)) return situation;
  return { ...situation, timed: { ...(timed ?? rollouts), [REST]: rollouts[REST] ?? 0 } };
}

function isAtRest(situation: Situation): boolean {
  const running = asRunning(situation);
  return running === undefined || isFinished(running, running.specHash);
}

/** Removes those that nothing will join, and waits for those that something soon may. @param running undefined where it should not run */
export function planSandboxes(situation: Situation, running?: Running): Action[] {
  const { sandboxes = [], timed } = situation;
  const useless = sandboxes.filter((one) => !isOfUse(one, situation, running));
  const restMs = timed?.[REST] ?? SANDBOX_REST_MS;
  const leftMs = useless.length < sandboxes.length ? SANDBOX_REST_MS - restMs : 0;
  const why = 'the network of a program at rest is kept until then';
  return [
    ...dropSandboxes(useless, 'nothing is to join it'),
    ...(leftMs > 0 ? [{ kind: 'wait' as const, ms: leftMs, why }] : []),
  ];
}

function isOfUse(one: Sandbox, situation: Situation, running?: Running): boolean {
  const { containers, port, portProblem, timed } = situation;
  const isJoinedBy = (container?: Container) => container?.sandbox?.id === one.id;
  if (containers.some((container) => isUp(container) && isJoinedBy(container))) return true;
  const restMs = timed?.[REST];
  if (restMs !== undefined) return one.publishPort === port && restMs < SANDBOX_REST_MS;
  const { current, previous } = running ?? {};
  // On a port that is not to be had it would stand in the way of who has it, or be what keeps it from being had.
  const isNext = one.publishPort === port && portProblem === undefined;
  if (current === undefined) return isNext || isJoinedBy(previous);
  // The old one may come back as long as the new one does not run; two can not have one port.
  const mayComeBack = !isUp(current) && one.publishPort !== current.publishPort;
  return isJoinedBy(current) || (mayComeBack && isJoinedBy(previous));
}

export function dropSandboxes(sandboxes: readonly Sandbox[] = [], why: string): Action[] {
  return sandboxes.map(({ id: sandboxId }) => ({ kind: 'removeSandbox', sandboxId, why }));
}
