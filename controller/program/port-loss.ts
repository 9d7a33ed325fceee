import { type Container, isUp } from '../../schemas/container.ts';
import type { Facts } from '../../schemas/facts.ts';
import { type ProgramMemory, withProgram } from '../../schemas/memory.ts';
import { timestamp } from '../../schemas/program.ts';
import type { Situation } from '../../schemas/situation.ts';

/**
 * What refuses on its published port while it listens inside is made anew with all of its network, since nothing but a
 * start publishes a port. Where that did not help (a firewall of the machine refuses), it is not done over and over: no
 * other wait for a program is so long.
 */

/** After the first, doubling */
const LOSS_MS_MIN = 60_000;
/** up to this. */
const LOSS_MS_MAX = 3_600_000;
/** One that comes so long after it could have come counts as the first. */
const CALM_MS = 600_000;

type Known = Pick<Facts, 'containers' | 'nowMs'> & {
  stopping: Iterable<string>;
  probeOf: (id: string) => { portLost?: boolean } | undefined;
};

/** What is up, whose port is seen to be lost, and is not given up for that yet. */
function lost(memory: ProgramMemory, { containers, stopping, probeOf }: Known): Container | undefined {
  const leaving = new Set(stopping);
  return containers.find(
    (one) =>
      isUp(one) && !leaving.has(one.id) && probeOf(one.id)?.portLost === true && !isGivenUp(memory, one),
  );
}

export function isGivenUp({ containers }: ProgramMemory, { id }: Pick<Container, 'id'>): boolean {
  return containers[id]?.portLost === true;
}

/** In words, of one that is given up. */
export function describeLoss({ publishPort }: Container): string {
  return `its port ${publishPort} refuses connections, though the program listens inside`;
}

/** Gives up the container whose port is lost, unless that was done for another a short time ago. */
export function notePortLoss(memory: ProgramMemory, facts: Facts): ProgramMemory {
  const { nowMs, stopping, containers } = facts;
  const one = lost(memory, { containers, nowMs, stopping, probeOf: (id) => facts.probes[id] });
  if (one === undefined || leftMs(memory, nowMs) > 0) return memory;
  const { portLoss: last } = memory.program;
  const isFirst = last === undefined || nowMs - Date.parse(last.nextAt) > CALM_MS;
  const count = isFirst ? 1 : last.count + 1;
  const nextAt = timestamp(nowMs + Math.min(LOSS_MS_MAX, LOSS_MS_MIN * 2 ** (count - 1)));
  const given = { ...memory.containers[one.id], portLost: true as const };
  return withProgram(
    { ...memory, containers: { ...memory.containers, [one.id]: given } },
    { portLoss: { count, nextAt } },
  );
}

/** A clock that jumped back leaves no longer wait than there is. */
function leftMs({ program: { portLoss } }: ProgramMemory, nowMs: number): number {
  const ms = Date.parse(portLoss?.nextAt ?? '') - nowMs;
  return ms > 0 && ms <= LOSS_MS_MAX ? ms : 0;
}

/** Milliseconds until one whose port is lost may be given up; 0 where there is none. */
export function portLossWaitMs(situation: Situation): number {
  const { memory, probes, nowMs } = situation;
  const one = lost(memory, { ...situation, probeOf: (id) => probes.get(id) });
  return one === undefined ? 0 : leftMs(memory, nowMs);
}

/** Sandboxes that nothing is to join any more. */
export function lostSandboxes({ memory, containers }: Pick<Situation, 'memory' | 'containers'>): string[] {
  return containers.flatMap((one) => (one.sandbox && isGivenUp(memory, one) ? one.sandbox.id : []));
}

/** What people are told of it; `""` where nothing is new. @param port that it is published on */
export function portLossNews(before: ProgramMemory, after: ProgramMemory, port: number): string {
  const news = Object.keys(after.containers).some(
    (id) => isGivenUp(after, { id }) && !isGivenUp(before, { id }),
  );
  const { portLoss } = after.program;
  if (!news || portLoss === undefined) return '';
  const { count, nextAt } = portLoss;
  const times = count === 1 ? '' : `, ${count} times in a row`;
  return `port ${port} refuses connections, though the program listens inside${times}; it is made anew with its network, and not again for that before ${nextAt}`;
}
