import assert from 'node:assert/strict';
import { after, before, it } from 'node:test';
import { createCgroupReader } from '../../controller/usage/cgroup-reader.ts';
import { createDockerFixture, type DockerFixture } from './docker-fixture.ts';

/** What the kernel of this machine tells of a container beside what the engine does. */

let fixture: DockerFixture;

before(async () => {
  fixture = await createDockerFixture(29300);
});

after(() => fixture?.close());

for (const runtime of ['runc', 'runsc'] as const) {
  it(`under ${runtime}, is what the engine counts`, async (t) => {
    const engine = fixture.engine();
    const port = fixture.port();
    const limits = { memoryBytes: 64 * 2 ** 20, cpus: 0.5 };
    const name = `${fixture.run}-usage-${runtime}`;
    const id = await engine.createContainer({
      ...{ program: `usage-${runtime}`, name, image: fixture.image, labels: {}, env: {}, publishPort: port },
      ...{ runtime, pids: 1_024, volume: name, volumeLabels: {}, ...limits },
    });
    assert.equal(await engine.startContainer(id), 'started');
    await fixture.get(port, '/env');
    const place = await engine.placeOf(id);
    const reader = createCgroupReader();
    const group = reader.find(id, place?.pid ?? 0);
    if (group === undefined) return t.skip('this engine is of another machine, or has processes of its own');
    const first = await engine.usageOf(id);
    const counted = reader.read(group);
    const last = await engine.usageOf(id);
    assert.ok(first && counted && last);
    const nanos = [first, counted, last].map(({ cpuNanos }) => Number(cpuNanos));
    assert.ok(Number(nanos[0]) > 0);
    assert.deepEqual(
      nanos,
      [...nanos].sort((a, b) => a - b),
    );
    const bytes = Number(counted.memoryBytes);
    assert.ok(
      bytes > 0 && bytes <= limits.memoryBytes,
      `${bytes} bytes, and ${first.memoryBytes} by the engine`,
    );
    assert.deepEqual(reader.limits(group), { cpuLimit: 0.5, memoryLimitBytes: limits.memoryBytes });
  });
}
