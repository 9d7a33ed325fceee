import { type Container, isGoing, isUp } from '../../schemas/container.ts';
import { withHint } from '../../schemas/errors.ts';
import type { PortState } from '../../schemas/facts.ts';
import { type ProgramSpec, PUBLISH_PORT_MAX, PUBLISH_PORT_MIN } from '../../schemas/program.ts';
import type { ProgramStatus } from '../../schemas/status.ts';
import type { Ports } from './ports.ts';

/** The port of the program, held for it from now on; one that a container of it still serves on stays its own too. */
export async function holdPort(
  ports: Ports,
  before: ProgramStatus,
  spec: ProgramSpec,
  containers: readonly Container[],
): Promise<PortState> {
  const { name } = before;
  // One that somebody started by hand may be on a port that is another program's by now.
  const isOwn = (port: number) => port > 0 && (ports.holder(port) ?? name) === name;
  const serving = containers.filter((one) => isUp(one) && isOwn(one.publishPort));
  const known = ownPort(before.publishPort) || rebuiltPort(containers);
  const found = await (spec.publishPort === null
    ? anyPort(ports, name, known)
    : pinnedPort(ports, before, spec.publishPort, containers));
  const { port, portProblem } = found;
  const own = portProblem === undefined ? port : ports.held(name);
  return { ...found, shownPort: serving.at(-1)?.publishPort ?? own };
}

type FoundPort = Omit<PortState, 'shownPort'>;

async function pinnedPort(
  ports: Ports,
  { name, memory }: ProgramStatus,
  port: number,
  containers: readonly Container[],
): Promise<FoundPort> {
  const conflict = (holder: string): FoundPort => ({
    port,
    portProblem: { reason: 'PortConflict', message: `port ${port} is ${holder}` },
  });
  const holder = ports.holder(port) ?? name;
  if (holder !== name) return conflict(`held by program ${holder}`);
  // What serves elsewhere, or may, is not given up for a port that can not be had.
  const own = containers.filter((one) => one.publishPort === port && !isGoing(one));
  const moves = containers.length > 0 && own.length === 0;
  const isRefused = memory.starts.failed?.reason === 'PortConflict' && !own.some(isUp);
  if ((moves || isRefused) && !(await ports.isFree(port)))
    return conflict('taken by something else on this machine');
  return ports.hold(name, port) ? { port, portProblem: undefined } : conflict('held by another program');
}

async function anyPort(ports: Ports, name: string, known: number): Promise<FoundPort> {
  // The second is one that was held by a pass which failed before it could write that down.
  for (const port of [known, ports.held(name)]) {
    if (port > 0 && ports.hold(name, port)) return { port, portProblem: undefined };
  }
  try {
    return { port: await ports.reserve(name), portProblem: undefined };
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
