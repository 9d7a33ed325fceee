import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Ports } from '../../../controller/ports/ports.ts';
import { createReservations } from '../../../controller/ports/reservations.ts';
import type { Registry } from '../../../registry/registry.ts';
import { emptyStatus, type ProgramStatus } from '../../../schemas/status.ts';

function reservations(known: readonly string[] = []) {
  const ledgers = new Map<string, ProgramStatus>(known.map((name) => [name, emptyStatus(name, 0)]));
  const registry = {
    announce: () => () => undefined,
    status: {
      get: (name: string) => ledgers.get(name),
      put: async (status: ProgramStatus) => void ledgers.set(status.name, status),
      remove: async (name: string) => void ledgers.delete(name),
    },
  };
  const ports = { reserve: async () => 19_001, forget: () => undefined };
  const clock = { now: () => 0 };
  return {
    ledgers,
    ...createReservations(
      registry as unknown as Registry,
      ports as unknown as Ports,
      clock as unknown as Parameters<typeof createReservations>[2],
    ),
  };
}

test('a ledger that is there is not written over: its program is being created, or still being removed', async () => {
  const { ledgers, reserve, unreserve } = reservations(['going']);
  const going = ledgers.get('going');
  await assert.rejects(reserve('going', 'ann', 'build-1'), { reason: 'Conflict', message: /is in use/ });
  assert.equal(ledgers.get('going'), going);

  const [one, other] = await Promise.allSettled([reserve('a', 'ann', 'b'), reserve('a', 'bob', 'b')]);
  assert.equal(one.status, 'fulfilled');
  assert.equal(other.status, 'rejected');
  assert.equal(ledgers.get('a')?.userId, 'ann');
  await unreserve('a');
  assert.equal((await reserve('a', 'bob', 'b')).port, 19_001);
});
