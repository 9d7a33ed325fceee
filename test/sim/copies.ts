import type { Container } from '../../schemas/container.ts';
import { LABELS } from '../../schemas/program.ts';
import type { SimContainer, SimWorld } from './engine-world.ts';
import { isHostsOwn } from './hosts-own.ts';
import type { Random } from './random.ts';
import type { SimStage } from './sim-stage.ts';

/** Tells the copies from what they are of, for the oracle alone: hosts know nothing of it. */
const COPY_LABEL = 'test.copy';
const COPIES_MAX = 3;

/** As `docker run` makes it of a committed image. */
export const LOOSENED = ['its root file system is writable', 'it has capabilities'];

export const isCopy = ({ facts }: SimContainer): boolean => facts.labels[COPY_LABEL] !== undefined;

/** Whether a host of the story made it: it is of no other instance or registry, and no copy. */
export const isProgramsOwn = (one: SimContainer): boolean => isHostsOwn(one.facts.labels) && !isCopy(one);

/**
 * Somebody commits a container and runs what comes of it, labels and all; with other settings, unless the change says
 * otherwise.
 */
export function runCopy(world: SimWorld, of: SimContainer, change: Partial<Container> = {}): SimContainer {
  const id = world.newId();
  const { name, labels, program, imageId } = of.facts;
  const { [LABELS.build]: build = '' } = labels;
  const image = world.addImage(`committed-${id}`, {
    labels: { [LABELS.build]: build, [LABELS.program]: program },
    env: world.images.get(imageId)?.env ?? {},
  });
  // It is on a network of its own.
  const { sandbox: _, ...facts } = structuredClone(of.facts);
  if (of.facts.sandbox !== undefined)
    Object.assign(facts.settings, { network: 'programs', networks: ['programs'] });
  const copy: SimContainer = {
    ...{ env: { ...of.env }, volume: '', lines: [], listening: false, readers: new Set(), cancelTimers: [] },
    facts: {
      ...facts,
      ...{ id, name: `${name}-copy`, imageId: image.id, loosened: LOOSENED, publishPort: 0 },
      ...{ createdAtMs: world.clock.now(), startedAtMs: 0, finishedAtMs: 0, state: 'created' },
      labels: { ...labels, [COPY_LABEL]: '1' },
      ...change,
    },
  };
  world.containers.set(id, copy);
  world.emit(copy, 'create');
  world.run(copy);
  return copy;
}

/** Somebody makes a copy of a program's container, or removes one. Gives what was done, `""` where nothing was. */
export function meddleWithCopies(stage: SimStage, random: Random): string {
  const { world } = stage;
  if (world.isAway) return '';
  const copies = [...world.containers.values()].filter(isCopy);
  const old = random.any(copies);
  if (old !== undefined && (copies.length >= COPIES_MAX || random.chance(0.3))) {
    stage.meddle(() => void world.remove(old));
    return `${old.facts.name} is removed`;
  }
  const of = random.any(stage.containers());
  if (of === undefined) return '';
  const { publishPort, name } = of.facts;
  // The engine does not start one over a port that is taken.
  const isTaken = [...world.containers.values()].some(
    ({ facts }) => facts.publishPort === publishPort && !['created', 'exited', 'dead'].includes(facts.state),
  );
  const settings = random.chance(0.5) ? {} : { loosened: [] };
  const port =
    !isTaken &&
    !world.sandboxes.holds(publishPort) &&
    !world.foreignPorts.has(publishPort) &&
    random.chance(0.5)
      ? publishPort
      : 0;
  const change = { ...settings, name: `${name}-copy-${random.below(1_000_000)}`, publishPort: port };
  stage.meddle(() => runCopy(world, of, change));
  return `somebody commits ${name} and runs ${change.name} on port ${port}`;
}
