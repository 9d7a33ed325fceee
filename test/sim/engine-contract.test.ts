import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import { describeEngine } from '../engine/contract.ts';
import type { ContractWorld } from '../engine/contract-kit.ts';
import { runCopy } from './copies.ts';
import { createSimEngine } from './engine.ts';
import { hitSandbox, isSpare } from './engine-sandboxes.ts';
import { createSimWorld } from './engine-world.ts';
import { createManualClock, settle } from './manual-clock.ts';

const TURNS_MAX = 10_000;

describeEngine('the simulated engine', createContractWorld());

function createContractWorld(): () => ContractWorld {
  const clock = createManualClock({ auto: true });
  const world = createSimWorld(clock);
  const image = world.addImage('hersh-test/server:latest');
  let port = 29000;
  const contract: ContractWorld = {
    one: createSimEngine({ world, instance: 'one' }),
    other: createSimEngine({ world, instance: 'other' }),
    instances: { one: 'one', other: 'other' },
    image: image.id,
    // It needs none.
    helpers: async () => [],
    tag: (name) => `one/${name}`,
    port: () => ++port,
    context:
      (dockerfile, files = {}) =>
      () => {
        const tar = pack();
        for (const [name, content] of Object.entries({ Dockerfile: dockerfile, ...files }))
          tar.entry({ name }, content);
        tar.finalize();
        return Readable.from(tar);
      },
    async until(what, condition) {
      for (let turn = 0; turn < TURNS_MAX; turn++) {
        if (await condition()) return;
        await settle();
      }
      throw new Error(`it never came about that ${what}`);
    },
    async occupy(taken) {
      world.foreignPorts.add(taken);
      return async () => void world.foreignPorts.delete(taken);
    },
    async print(id, _port, text) {
      const container = world.containers.get(id);
      if (container !== undefined) world.print(container, text);
    },
    async pause(id) {
      const container = world.containers.get(id);
      if (container !== undefined) container.facts.state = 'paused';
    },
    async hitSandbox(id, how) {
      const sandbox = world.sandboxes.all.get(id);
      if (sandbox !== undefined) hitSandbox(world.sandboxes, sandbox, how);
    },
    async spareOn(on) {
      const spare = [...world.sandboxes.all.values()].find(
        (one) => isSpare(one) && one.facts.publishPort === on,
      );
      return spare?.facts.id ?? '';
    },
    again: () => createSimEngine({ world, instance: 'one' }),
    freeze(frozen) {
      if (frozen) world.freeze();
      else world.thaw();
    },
    async update(id, change) {
      Object.assign(world.containers.get(id)?.facts.settings ?? {}, change);
    },
    async unclaim(imageId) {
      world.images.get(imageId)?.claims.clear();
    },
    async tagImage(imageId, reference) {
      world.moveTag(reference, imageId);
    },
    async derive(imageId, reference) {
      const from = world.images.get(imageId);
      if (from === undefined) throw new Error(`there is no image ${imageId}`);
      const id = `sha256:${world.newId()}`;
      world.images.set(id, { ...from, id, claims: new Set() });
      if (reference !== undefined) world.tags.set(reference, id);
      return id;
    },
    async copy(id) {
      const of = world.containers.get(id);
      if (of === undefined) throw new Error(`there is no container ${id}`);
      return runCopy(world, of).facts.id;
    },
  };
  return () => contract;
}
