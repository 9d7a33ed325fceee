import { isOfRegistry, type Owner, sandboxLabelsOf } from '../../controller/engine/owner.ts';
import type { Sandbox } from '../../schemas/container.ts';
import { AppError } from '../../schemas/errors.ts';
import { LABELS } from '../../schemas/program.ts';
import type { SimContainer, SimWorld } from './engine-world.ts';

const NETWORK = 'programs';

export interface SimSandbox {
  facts: Sandbox & { labels: Record<string, string> };
  /** How often it was started. */
  runs: number;
  networks: string[];
}

/** Network sandboxes of a world; what joins one is published as the sandbox is. */
export interface SimSandboxes {
  /** By id. */
  readonly all: Map<string, SimSandbox>;
  list(owner: Owner, program?: string): Sandbox[];
  /** Those of an owner, spares among them. */
  of(owner: Owner): SimSandbox[];
  /** One that is not started. @param program `""` of a spare */
  make(name: string, program: string, publishPort: number, owner: Owner): SimSandbox;
  /** Throws `PortConflict`. */
  start(sandbox: SimSandbox): void;
  /** As a container is made that joins one, which is made where none is whole. */
  join(container: SimContainer, owner: Owner, notIn?: readonly string[]): void;
  /** Starts the one that a container joins, if it joins one. False where that is gone. Throws `PortConflict`. */
  raise(container: SimContainer): boolean;
  unpause(container: SimContainer | undefined): void;
  end(sandbox: SimSandbox): void;
  remove(id: string): void;
  /** A container was started, in the network that the one which it joins has now. */
  enter(container: SimContainer): void;
  /** After something was changed of it. @param action of the event that tells of that */
  changed(sandbox: SimSandbox, action: string): void;
  /** Whether one that runs is published on that port. */
  holds(port: number): boolean;
}

export function createSimSandboxes(world: SimWorld): SimSandboxes {
  const all = new Map<string, SimSandbox>();
  const { containers } = world;

  const ownsOf = (owner: Owner, program?: string) =>
    [...all.values()].filter(
      ({ facts }) =>
        facts.labels[LABELS.sandboxInstance] === owner.instance &&
        isOfRegistry(owner, facts.labels) &&
        (program === undefined || facts.program === program),
    );

  const fit = (container: SimContainer): void => {
    const { facts } = container;
    if (facts.sandbox === undefined) return;
    const sandbox = all.get(facts.sandbox.id);
    facts.sandbox.state = sandbox?.facts.state ?? 'gone';
    Object.assign(facts.settings, {
      network: sandbox === undefined ? '' : NETWORK,
      networks: [...(sandbox?.networks ?? [])],
    });
    facts.servedPort = servedBy(sandbox, container);
  };

  const tell = ({ facts }: SimSandbox, action: string): void => {
    const labels = { ...facts.labels, [LABELS.instance]: facts.labels[LABELS.sandboxInstance] ?? '' };
    world.tell({ ...facts, labels }, action);
  };

  const changed = (sandbox: SimSandbox, action: string): void => {
    for (const one of containers.values()) if (one.facts.sandbox?.id === sandbox.facts.id) fit(one);
    tell(sandbox, action);
  };

  const holds = (port: number): boolean =>
    [...all.values()].some((one) => isUp(one) && isOnNetwork(one) && one.facts.publishPort === port);

  const start = (sandbox: SimSandbox): void => {
    const { publishPort: port } = sandbox.facts;
    const isServed = [...containers.values()].some(({ facts }) => facts.servedPort === port);
    if (isOnNetwork(sandbox) && (isServed || holds(port) || world.foreignPorts.has(port))) {
      if (world.forgetsNetworks) sandbox.networks = [];
      changed(sandbox, 'update');
      throw new AppError('PortConflict', `Bind for 127.0.0.1:${port} failed: port is already allocated`);
    }
    sandbox.facts.state = 'running';
    sandbox.runs += 1;
    world.lostProxies.delete(sandbox.facts.id);
    changed(sandbox, 'start');
  };

  return {
    ...{ all, changed, holds, start, of: ownsOf, make: made },
    list: (owner, program) =>
      ownsOf(owner, program)
        .filter((one) => !isSpare(one))
        .map((one) => {
          const { labels: _, ...facts } = one.facts;
          return { ...facts, address: isUp(one) && isOnNetwork(one) ? '192.0.2.1' : '' };
        }),
    join(container, owner, notIn = []) {
      const { program, name, publishPort } = container.facts;
      const fits = (one: SimSandbox) => one.facts.publishPort === publishPort && isWhole(one);
      const spare = () => ownsOf(owner).find((one) => isSpare(one) && fits(one));
      const mayJoin = ownsOf(owner, program).filter(({ facts }) => !notIn.includes(facts.id));
      const own = mayJoin.find(fits) ?? taken(spare(), program);
      const sandbox = own ?? made(`${name}-sandbox`, program, publishPort, owner);
      container.facts.sandbox = { id: sandbox.facts.id, state: sandbox.facts.state };
      fit(container);
    },
    raise({ facts }) {
      if (facts.sandbox === undefined) return true;
      const sandbox = all.get(facts.sandbox.id);
      if (sandbox !== undefined && !isUp(sandbox)) start(sandbox);
      return sandbox !== undefined;
    },
    enter(container) {
      const sandbox = all.get(container.facts.sandbox?.id ?? '');
      if (sandbox !== undefined) container.joinedRun = sandbox.runs;
      fit(container);
    },
    unpause(container) {
      const sandbox = all.get(container?.facts.sandbox?.id ?? '');
      if (sandbox?.facts.state !== 'paused') return;
      sandbox.facts.state = 'running';
      changed(sandbox, 'unpause');
    },
    end(sandbox) {
      if (!isUp(sandbox)) return;
      sandbox.facts.state = 'exited';
      changed(sandbox, 'die');
    },
    remove(id) {
      const sandbox = all.get(id);
      if (sandbox === undefined) return;
      all.delete(id);
      changed(sandbox, 'destroy');
    },
  };

  function made(name: string, program: string, publishPort: number, owner: Owner): SimSandbox {
    const id = world.newId();
    const sandbox: SimSandbox = {
      facts: {
        ...{ id, name: `${name}-${id.slice(-8)}`, program, state: 'created', publishPort },
        ...{ createdAtMs: world.clock.now(), address: '' },
        labels: sandboxLabelsOf(owner, program),
      },
      ...{ runs: 0, networks: [NETWORK] },
    };
    all.set(id, sandbox);
    tell(sandbox, 'create');
    return sandbox;
  }
}

/** One that was started again after what joins it has another network than that. */
function servedBy(sandbox: SimSandbox | undefined, { facts, joinedRun }: SimContainer): number {
  if (sandbox === undefined || !isUp(sandbox) || !isOnNetwork(sandbox)) return 0;
  const { state, publishPort } = facts;
  const isIn = (state === 'running' || state === 'paused') && sandbox.runs === joinedRun;
  return isIn ? publishPort : 0;
}

/** The labels stay what they were, and the name says whose it is. */
function taken(spare: SimSandbox | undefined, program: string): SimSandbox | undefined {
  if (spare === undefined) return undefined;
  const { facts } = spare;
  Object.assign(facts, { program, name: `${facts.name}-of-${program}` });
  return spare;
}

export const isSpare = ({ facts }: SimSandbox): boolean => facts.program === '';

export const isWhole = ({ networks }: SimSandbox): boolean =>
  networks.length === 1 && networks[0] === NETWORK;

export const isUp = ({ facts }: SimSandbox): boolean => facts.state === 'running' || facts.state === 'paused';

const isOnNetwork = ({ networks }: SimSandbox): boolean => networks.includes(NETWORK);

/** As people do it. */
export function hitSandbox(
  sandboxes: SimSandboxes,
  sandbox: SimSandbox,
  how: 'kill' | 'start' | 'pause' | 'disconnect',
): void {
  const { facts } = sandbox;
  if (how === 'kill') {
    sandboxes.end(sandbox);
    return;
  }
  if (how === 'start') {
    sandbox.runs += 1;
    facts.state = 'running';
  }
  if (how === 'pause') facts.state = 'paused';
  if (how === 'disconnect') sandbox.networks = [];
  sandboxes.changed(sandbox, how);
}
