import assert from 'node:assert/strict';
import { test } from 'node:test';
import { holdKnownPorts } from '../../../controller/ports/hold-known.ts';
import { createPorts } from '../../../controller/ports/ports.ts';

const RANGE = { min: 19_001, max: 29_999 };

test('a port that no program can have is not held, whatever an older host wrote down of a container that was none of it', () => {
  const ports = createPorts({ range: RANGE, isFree: async () => true });
  const ledgers: Record<string, number> = { copied: 8080, above: 30_000, own: 19_005, none: 0 };
  const status = {
    names: () => Object.keys(ledgers),
    get: (name: string) => ({ publishPort: ledgers[name] }),
  };
  const registry = { status } as unknown as Parameters<typeof holdKnownPorts>[0];
  holdKnownPorts(registry, ports, {} as Parameters<typeof holdKnownPorts>[2]);
  assert.deepEqual(
    Object.values(ledgers).map((port) => ports.holder(port)),
    [undefined, undefined, 'own', undefined],
  );
});
