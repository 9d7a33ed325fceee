import assert from 'node:assert/strict';
import { it } from 'node:test';
import type Docker from 'dockerode';
import { createOwnAddresses } from '../../../../controller/engine/docker/own-address.ts';

const on = (NetworkID: string, IPAddress: string) =>
  ({
    HostConfig: { NetworkMode: 'programs' },
    NetworkSettings: {
      Networks: {
        another: { NetworkID: 'f'.repeat(64), IPAddress: '10.0.0.9' },
        programs: { NetworkID, IPAddress },
      },
    },
  }) as unknown as Docker.ContainerInspectInfo;

const HERE = `${'a'.repeat(12)}${'0'.repeat(52)}`;
const ELSEWHERE = 'b'.repeat(64);

it('is that on the network it was made for, where the bridge of that is here; which is looked for once', async () => {
  const asked: string[] = [];
  const addressOf = createOwnAddresses(true, async (bridge) => {
    asked.push(bridge);
    return bridge === `br-${'a'.repeat(12)}`;
  });
  assert.equal(await addressOf(on(HERE, '10.0.0.2')), '10.0.0.2');
  assert.equal(await addressOf(on(HERE, '10.0.0.3')), '10.0.0.3');
  assert.equal(asked.length, 1);
  for (let n = 0; n < 2; n++) assert.equal(await addressOf(on(ELSEWHERE, '10.0.0.2')), '');
  assert.equal(asked.length, 3, 'it may come yet');
  assert.equal(await addressOf(on(HERE, '')), '');
});

it('is none of an engine that is reached over the network, whatever bridges there are', async () => {
  assert.equal(await createOwnAddresses(false, async () => true)(on(HERE, '10.0.0.2')), '');
});

it('is none where no such interface is on this machine', async () => {
  assert.equal(await createOwnAddresses(true)(on(ELSEWHERE, '10.0.0.2')), '');
});
