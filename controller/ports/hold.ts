import { type Container, isGoing, isUp } from '../../schemas/container.ts';
import { withHint } from '../../schemas/errors.ts';
import type { PortState } from '../../schemas/facts.ts';
import type { ProgramMemory } from '../../schemas/memory.ts';
import { type ProgramSpec, PUBLISH_PORT_MAX, PUBLISH_PORT_MIN } from '../../schemas/program.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import { endOf } from '../program/transitions.ts';
import type { Ports } from './ports.ts';

/** The port of the program, held for it from now on; one that a container of it still serves on stays its own too. */
export async function holdPort(
  ports: Ports,
  before: ProgramStatus,
  spec: ProgramSpec,
  containers: readonly Container[],
): Promise<PortState> {
  const { name } = before;
  for (const one of containers) if (isUp(one) && one.servedPort > 0) ports.serve(name, one.servedPort);
  // One that somebody started by hand may be on a port that is another program's by now, and so may one that is
  // being stopped: where that is over nothing is to be left of it.
  const isOwn = (port: number) => port > 0 && (ports.holder(port) ?? name) === name;
  const isShown = (one: Container) => spec.desiredState === 'Running' && isUp(one) && isOwn(one.publishPort);
  const serving = containers.filter(isShown).at(-1);
  const known = ownPort(before.publishPort) || rebuiltPort(containers);
  const found = await (spec.publishPort === null
    ? anyPort(ports, spec, name, known)
    : pinnedPort(ports, before, spec.publishPort, containers));
  const own = found.portProblem === undefined ? found.port : keptPort(ports, before, spec, containers);
  return { ...found, shownPort: serving?.publishPort ?? own };
}

/** Without a wish: the port it has, or serves on where its ledger was lost; what a pass held that failed is given back. */
export function keepPort(
  ports: Ports,
  { name, publishPort }: ProgramStatus,
  containers: readonly Container[],
): PortState {
  const served = containers.filter(isUp).map(({ servedPort }) => servedPort);
  const port = publishPort || (served.findLast((one) => one > 0 && ports.holder(one) === name) ?? 0);
  ports.release(name, port, ...served);
  return { port, shownPort: port, portProblem: undefined };
}

type FoundPort = Omit<PortState, 'shownPort'>;

async function pinnedPort(
  ports: Ports,
  { name, memory, publishPort }: ProgramStatus,
  port: number,
  containers: readonly Container[],
): Promise<FoundPort> {
  const conflict = (holder: string): FoundPort => ({
    port,
    portProblem: { reason: 'PortConflict', message: `port ${port} is ${holder}` },
  });
  const holder = ports.holder(port) ?? name;
  if (holder !== name) return heldByAnother(ports, name, port, holder);
  // What serves elsewhere, or may, is not given up for a port that can not be had.
  const own = containers.filter((one) => one.publishPort === port && !isGoing(one));
  const moves = containers.length > 0 && own.length === 0;
  // What came back for it was moved away from there, which may have no pin.
  const isRefused =
    memory.starts.failed?.reason === 'PortConflict' || (publishPort > 0 && publishPort !== port);
  if ((moves || (isRefused && !own.some(isUp))) && !(await ports.isFree(port)))
    return conflict('taken by something else on this machine');
  return ports.hold(name, port) ? { port, portProblem: undefined } : conflict('held by another program');
}

function heldByAnother({ pins }: Ports, name: string, port: number, holder: string): FoundPort {
  const reason = 'PortConflict';
  const message = `port ${port} is held by program ${holder}`;
  if (!pins.isPassing(name)) return { port, portProblem: { reason, message } };
  const given = pins.yields(name);
  const portProblem = {
    reason,
    message: `${message}, which is about to let go of it`,
    isPassing: true,
  } as const;
  return { port, portProblem, ...(given !== undefined && { yields: given }) };
}

/** What a program without the port it wants holds on to: one that it may serve on again, or the one it pins. */
function keptPort(
  ports: Ports,
  { name, memory }: ProgramStatus,
  { desiredState, publishPort }: ProgramSpec,
  containers: readonly Container[],
): number {
  const own = standingPorts(memory, containers).filter((port) => ports.holder(port) === name);
  const standing = desiredState === 'Running' ? own.at(-1) : undefined;
  return standing ?? (publishPort !== null && ports.holder(publishPort) === name ? publishPort : 0);
}

/** Ports of containers that run, or whose run ended in a way that they may be started again after. */
function standingPorts(memory: ProgramMemory, containers: readonly Container[]): number[] {
  const rests = (one: Container) => ['asked', 'finished'].includes(endOf(memory, one) ?? '');
  const stands = (one: Container) => one.startedAtMs > 0 && !isGoing(one) && !rests(one);
  return containers
    .filter((one) => one.publishPort > 0 && (isUp(one) || stands(one)))
    .map((one) => one.publishPort);
}

async function anyPort(
  ports: Ports,
  { runtime, desiredState }: ProgramSpec,
  name: string,
  known: number,
): Promise<FoundPort> {
  // The second is one that was held by a pass which failed before it could write that down.
  for (const port of [known, ports.held(name)]) {
    if (port > 0 && ports.hold(name, port)) return { port, portProblem: undefined };
  }
  try {
    // Nothing under gVisor joins a sandbox, and what is not to run needs none.
    const hasUseForSpare = runtime === 'runc' && desiredState === 'Running';
    return { port: await ports.reserve(name, undefined, hasUseForSpare), portProblem: undefined };
  } catch (error) {
    return { port: 0, portProblem: { reason: 'PortsExhausted', message: withHint(error) } };
  }
}

/** 0 where no program of any host can have it: an older one wrote down that of a container that was not the program's. */
export const ownPort = (port: number): number =>
  port >= PUBLISH_PORT_MIN && port <= PUBLISH_PORT_MAX ? port : 0;

/** The port of the container that runs, or else of the newest; 0 where there is none. */
function rebuiltPort(containers: readonly Container[]): number {
  const running = containers.find(({ state }) => state === 'running' || state === 'paused');
  return (running ?? containers.at(-1))?.publishPort ?? 0;
}
