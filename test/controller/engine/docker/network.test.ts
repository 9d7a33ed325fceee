import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type Docker from 'dockerode';
import { createNetworks, PROGRAMS_PER_NETWORK } from '../../../../controller/engine/docker/network.ts';
import { createOwnerSource } from '../../../../controller/engine/owner.ts';
import { LABELS } from '../../../../schemas/program.ts';
import { fixedIdentity } from '../../../setup/registry-identity.ts';

/** Networks, and the containers and sandboxes on them, by name. */
function fakeDocker(containers: Map<string, number>, sandboxes = new Map<string, number>()) {
  const networks = new Map<string, object>();
  const docker = {
    listNetworks: async () => [...networks.values()],
    listContainers: async ({ filters }: { filters: { label: string[] } }) =>
      [...(filters.label[0]?.startsWith(LABELS.sandboxInstance) ? sandboxes : containers)].flatMap(
        ([name, count]) =>
          Array.from({ length: count }, () => ({ NetworkSettings: { Networks: { [name]: {} } } })),
      ),
    createNetwork: async (options: { Name: string }) => {
      if (networks.has(options.Name)) throw Object.assign(new Error('exists'), { statusCode: 409 });
      networks.set(options.Name, options);
    },
    getNetwork: (name: string) => ({ inspect: async () => networks.get(name) }),
  };
  return { docker: docker as unknown as Docker, networks };
}

const ownerOf = (instance = 'default', registry = '0123456789ab') =>
  createOwnerSource(instance, fixedIdentity(registry), async () => []);

describe('createNetworks', () => {
  it('makes one network for many programs, however many ask at once', async () => {
    const { docker, networks } = fakeDocker(new Map());
    const pool = createNetworks(docker, ownerOf());
    const picked = await Promise.all(Array.from({ length: 20 }, () => pool.pick()));
    assert.deepEqual(new Set(picked), new Set(['hersh-programs-1']));
    assert.deepEqual([...networks.keys()], ['hersh-programs-1']);
  });

  it('names those of other instances after them', async () => {
    const { docker } = fakeDocker(new Map());
    assert.equal(await createNetworks(docker, ownerOf('blue')).pick(), 'blue-hersh-programs-1');
  });

  it('shares none with another registry, and takes over those of older hosts', async () => {
    const { docker, networks } = fakeDocker(new Map());
    const pick = (registry: string) => createNetworks(docker, ownerOf('default', registry)).pick();
    assert.equal(await pick('a'.repeat(12)), 'hersh-programs-1');
    assert.equal(await pick('b'.repeat(12)), 'hersh-programs-2');
    assert.equal(await pick('a'.repeat(12)), 'hersh-programs-1');
    const { Labels, ...older } = networks.get('hersh-programs-1') as { Labels: Record<string, string> };
    networks.set('hersh-programs-1', { ...older, Labels: { [LABELS.instance]: 'default' } });
    assert.equal(await pick('b'.repeat(12)), 'hersh-programs-1');
    assert.equal(Labels[LABELS.registry], 'a'.repeat(12));
  });

  it('takes the next network when one is full, and counts anew rather than trusting its estimate', async () => {
    const containers = new Map([['hersh-programs-1', PROGRAMS_PER_NETWORK - 1]]);
    const { docker } = fakeDocker(containers);
    const pool = createNetworks(docker, ownerOf());
    assert.equal(await pool.pick(), 'hersh-programs-1');
    // That program was created and removed again: there is still room.
    assert.equal(await pool.pick(), 'hersh-programs-1');
    containers.set('hersh-programs-1', PROGRAMS_PER_NETWORK);
    assert.equal(await pool.pick(), 'hersh-programs-2');
  });

  it('counts sandboxes beside containers that have a network of their own', async () => {
    const half = Math.ceil(PROGRAMS_PER_NETWORK / 2);
    const { docker } = fakeDocker(
      new Map([['hersh-programs-1', half]]),
      new Map([['hersh-programs-1', PROGRAMS_PER_NETWORK - half]]),
    );
    assert.equal(await createNetworks(docker, ownerOf()).pick(), 'hersh-programs-2');
  });

  it('goes on after a failure', async () => {
    const { docker } = fakeDocker(new Map());
    const list = docker.listNetworks;
    docker.listNetworks = () => Promise.reject(new Error('away'));
    const pool = createNetworks(docker, ownerOf());
    await assert.rejects(pool.pick());
    docker.listNetworks = list;
    assert.equal(await pool.pick(), 'hersh-programs-1');
  });
});
