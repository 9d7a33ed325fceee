import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { createDockerEngine } from '../../controller/engine/docker/docker.ts';
import type { Engine } from '../../controller/engine/engine.ts';
import { fixedIdentity } from '../setup/registry-identity.ts';
import { never, rejects } from './contract-kit.ts';
import { type CuttableEngine, openCuttableEngine } from './cuttable-engine.ts';
import { createDockerFixture, type DockerFixture } from './docker-fixture.ts';
import { openFakeRegistry } from './fake-registry.ts';

/** What only a real BuildKit and a real registry protocol can show. */

let fixture: DockerFixture;
let engine: Engine;
let wire: CuttableEngine;
let remote: Engine;

before(async () => {
  fixture = await createDockerFixture(29200);
  engine = fixture.engine();
  wire = await openCuttableEngine();
  const log = { debug() {}, info() {}, warn() {} };
  remote = createDockerEngine({
    dockerHost: wire.host,
    instance: fixture.run,
    registry: fixedIdentity(),
    log,
  });
});

after(async () => {
  await wire?.close();
  await fixture?.close();
});

describe('a build', () => {
  it('fails a build for want of an engine, not for the Dockerfile', async () => {
    const dockerfile = `FROM scratch\nCOPY busybox /busybox\nRUN ["/busybox","sleep","301"]\n`;
    const ask = {
      context: fixture.context(dockerfile),
      dockerfile: 'Dockerfile',
      args: {},
      tag: fixture.tag('cut'),
      labels: {},
    };
    const building = remote.build(ask, (text) => text.includes('301') && wire.cut(), never);
    await rejects(building, 'EngineUnavailable');
    await fixture.until('the step is stopped', () => !runsAnywhere('301'));
  });

  it('that is stopped ends inside the engine too', async () => {
    const stop = new AbortController();
    const dockerfile = `FROM scratch\nCOPY busybox /busybox\nRUN ["/busybox","sleep","302"]\n`;
    const ask = {
      context: fixture.context(dockerfile),
      dockerfile: 'Dockerfile',
      args: {},
      tag: fixture.tag('stop'),
      labels: {},
    };
    const building = engine.build(ask, () => {}, stop.signal);
    building.catch(() => {});
    await fixture.until('the step runs', () => runsAnywhere('302'));
    stop.abort();
    await rejects(building, 'BuildAborted');
    await fixture.until('the step is stopped', () => !runsAnywhere('302'));
  });

  it('passes its arguments on', async () => {
    const dockerfile =
      'FROM scratch\nARG GREETING=none\nCOPY busybox /busybox\nRUN ["/busybox","sh","-c","echo said-$GREETING-$0"]\n';
    let log = '';
    const ask = {
      context: fixture.context(dockerfile),
      dockerfile: 'Dockerfile',
      args: { GREETING: 'a "b" & ü' },
    };
    await engine.build({ ...ask, tag: fixture.tag('args'), labels: {} }, (text) => (log += text), never);
    assert.match(log, /said-a "b" & ü-/);
  });

  it('tells a registry that is away from one that says no', async () => {
    const registry = await openFakeRegistry();
    const from = (base: string): Promise<unknown> =>
      engine.build(
        {
          context: fixture.context(`FROM ${base}\n`),
          dockerfile: 'Dockerfile',
          args: {},
          tag: fixture.tag('from'),
          labels: {},
        },
        () => {},
        never,
      );
    try {
      await rejects(from(`${registry.address}/no/such:1`), 'BuildFailed');
      await rejects(
        engine.pull(`${registry.address}/no/such:1`, () => {}, never),
        'ImageNotFound',
      );
      const reference = `${registry.address}/${fixture.run}/there:1`;
      let log = '';
      const image = await engine.pull(reference, (text) => (log += text), never);
      assert.match(log, /Pulling from/);
      assert.deepEqual(await engine.inspectImage(reference), image);
      await fixture.docker.getImage(image.id).remove({ force: true });
      await from(reference);
    } finally {
      await registry.close();
    }
    await rejects(from(`${registry.address}/no/other:1`), 'BuildNetworkFailed');
    await rejects(from('registry.invalid/no/other:1'), 'BuildNetworkFailed');
  });

  it('of which a registry gives only half is stopped when asked, and others are pulled meanwhile', async () => {
    const registry = await openFakeRegistry();
    // Not of the same one: an engine fetches a layer once, whoever waits for it.
    const other = await openFakeRegistry();
    const stop = new AbortController();
    const heard: string[] = [];
    const pulling = engine.pull(
      `${registry.address}/${fixture.run}/stalls:1`,
      (text) => heard.push(text),
      stop.signal,
    );
    pulling.catch(() => {});
    try {
      await fixture.until('it goes on within a step', () => heard.includes(''));
      await fixture.until('it stalls', () => registry.stalled() === 1);
      const { id } = await engine.pull(`${other.address}/${fixture.run}/there:1`, () => {}, never);
      await fixture.docker.getImage(id).remove({ force: true });
      // The engine itself may go on waiting for the rest; its client does not.
      stop.abort();
      await rejects(pulling, 'BuildAborted');
      assert.ok(heard.some((text) => /Pulling from/.test(text)));
    } finally {
      await registry.close();
      await other.close();
    }
  });

  it('that found no network in a step says so', async () => {
    const dockerfile =
      'FROM scratch\nCOPY busybox /busybox\nRUN ["/busybox","sh","-c","echo Get x: dial tcp: lookup proxy.invalid: no such host; exit 1"]\n';
    const ask = {
      context: fixture.context(dockerfile),
      dockerfile: 'Dockerfile',
      args: {},
      tag: fixture.tag('net'),
      labels: {},
    };
    await rejects(
      engine.build(ask, () => {}, never),
      'BuildNetworkFailed',
    );
  });
});

/** Whether a `sleep <seconds>` runs on this machine, in a container or out of one. */
function runsAnywhere(seconds: string): boolean {
  return readdirSync('/proc').some((pid) => {
    try {
      return (
        /^\d+$/.test(pid) && readFileSync(`/proc/${pid}/cmdline`, 'utf8').endsWith(`sleep\0${seconds}\0`)
      );
    } catch {
      return false;
    }
  });
}
