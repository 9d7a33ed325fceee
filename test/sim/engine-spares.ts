import type { EngineSandboxes } from '../../controller/engine/engine-sandboxes.ts';
import type { Owner } from '../../controller/engine/owner.ts';
import { isSpare, isUp, isWhole, type SimSandbox } from './engine-sandboxes.ts';
import type { SimWorld } from './engine-world.ts';

type Call = <T>(method: string, act: () => T | Promise<T>) => Promise<T>;

const sparesOn = ({ sandboxes }: SimWorld, owner: Owner, port?: number): SimSandbox[] =>
  sandboxes.of(owner).filter((one) => isSpare(one) && (port === undefined || one.facts.publishPort === port));

/** Sandboxes that stand ready, see the port. */
export function simSpares(
  world: SimWorld,
  owner: () => Owner,
  call: Call,
): Pick<EngineSandboxes, 'listSpares' | 'makeSpare' | 'removeSpare'> {
  return {
    listSpares: () =>
      call('listSpares', () =>
        sparesOn(world, owner()).map((one) => ({
          publishPort: one.facts.publishPort,
          isReady: isUp(one) && isWhole(one),
        })),
      ),
    makeSpare: (port) =>
      call('makeSpare', () => {
        const { sandboxes } = world;
        const [there] = sparesOn(world, owner(), port);
        const spare = there ?? sandboxes.make('hersh-spare', '', port, owner());
        if (isUp(spare)) return;
        try {
          sandboxes.start(spare);
        } catch (error) {
          sandboxes.remove(spare.facts.id);
          throw error;
        }
      }),
    removeSpare: (port) => call('removeSpare', () => clearSpares(world, owner(), port)),
  };
}

/** What waits on a port gives way to what is started there. */
export function clearSpares(world: SimWorld, owner: Owner, port: number): void {
  for (const { facts } of sparesOn(world, owner, port)) world.sandboxes.remove(facts.id);
}
