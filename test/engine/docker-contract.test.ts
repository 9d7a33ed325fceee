import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { HELPER_LABEL } from '../../controller/engine/docker/state-owner.ts';
import type { ContainerSettings } from '../../schemas/container.ts';
import { LABELS } from '../../schemas/program.ts';
import { describeEngine } from './contract.ts';
import type { ContractWorld } from './contract-kit.ts';
import { type CuttableEngine, openCuttableEngine } from './cuttable-engine.ts';
import { createDockerFixture, type DockerFixture, RUN_LABEL } from './docker-fixture.ts';

let fixture: DockerFixture | undefined;
let world: ContractWorld | undefined;
let wire: CuttableEngine | undefined;

/** A setting as the engine's own call for it has it. */
const UPDATES: { [setting in keyof ContainerSettings]?: (value: ContainerSettings[setting]) => object } = {
  memoryBytes: (Memory) => ({ Memory }),
  memorySwapBytes: (MemorySwap) => ({ MemorySwap }),
  memoryReservationBytes: (MemoryReservation) => ({ MemoryReservation }),
  cpus: (cpus) => ({ NanoCpus: cpus * 1e9 }),
  cpuShares: (CpuShares) => ({ CpuShares }),
  cpusetCpus: (CpusetCpus) => ({ CpusetCpus }),
  cpusetMems: (CpusetMems) => ({ CpusetMems }),
  pids: (PidsLimit) => ({ PidsLimit }),
  restartPolicy: (Name) => ({ RestartPolicy: { Name } }),
};

before(async () => {
  fixture = await createDockerFixture(29000);
  wire = await openCuttableEngine();
  const { freeze } = wire;
  const { docker, run, image, engine, port, tag, context, until, occupy, get, derive } = fixture;
  world = {
    one: engine(run, wire.host),
    other: engine(`${run}-b`),
    instances: { one: run, other: `${run}-b` },
    image,
    port,
    tag,
    context,
    until,
    occupy,
    async print(_id, at, text, stream) {
      await get(at, `/log?text=${encodeURIComponent(text)}&err=${stream === 'err' ? 1 : 0}`);
    },
    async pause(id) {
      await docker.getContainer(id).pause();
    },
    async hitSandbox(id, how) {
      const container = docker.getContainer(id);
      if (how !== 'disconnect') return void (await container[how]());
      const { NetworkMode = '' } = (await container.inspect()).HostConfig;
      await docker.getNetwork(NetworkMode).disconnect({ Container: id, Force: true });
    },
    async spareOn(on) {
      const label = [`${LABELS.sandboxInstance}=${run}`, `${LABELS.sandboxPort}=${on}`];
      const [spare] = await docker.listContainers({ all: true, filters: { label } });
      return spare?.Id ?? '';
    },
    again: () => engine(run, wire?.host),
    async helpers() {
      const filters = { label: [`${HELPER_LABEL}=${run}`] };
      const containers = await docker.listContainers({ all: true, filters });
      const images = await docker.listImages({ all: true, filters });
      return [...containers, ...images].map(({ Id }) => Id);
    },
    freeze,
    async update(id, change) {
      const entries = Object.entries(change) as [keyof ContainerSettings, never][];
      const asked = entries.map(([setting, value]) => UPDATES[setting]?.(value) ?? assert.fail(setting));
      await docker.getContainer(id).update(Object.assign({}, ...asked));
    },
    async unclaim(imageId) {
      const { RepoTags } = await docker.getImage(imageId).inspect();
      const claims = RepoTags.filter((tag) => tag.includes(':for-'));
      assert.equal(claims.length, 1, RepoTags.join());
      for (const tag of claims) await docker.getImage(tag).remove();
    },
    async tagImage(imageId, reference) {
      await docker.getImage(imageId).tag({ repo: reference, tag: 'latest' });
    },
    derive,
    async copy(id) {
      const { Id: Image } = await docker.getContainer(id).commit({ changes: `LABEL ${RUN_LABEL}=${run}` });
      const copied = await docker.createContainer({ Image });
      await copied.start();
      return copied.id;
    },
  };
});

after(async () => {
  await wire?.close();
  await fixture?.close();
});

describeEngine('Docker', () => {
  if (world === undefined) throw new Error('the engine is not there');
  return world;
});
