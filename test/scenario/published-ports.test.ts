import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { createStage, manifest } from './stage.ts';

describe('ports of programs', () => {
  it('are kept through stop, start, change and another host', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('a');
    await stage.create('b', { desiredState: 'Stopped' });
    const { publishPort: a } = await stage.reach('a', 'Ready');
    const { publishPort: b } = stage.status('b');
    assert.notEqual(a, b);
    await stage.edit('a', { desiredState: 'Stopped' });
    await stage.reach('a', 'Stopped');
    await host.kill();
    await stage.start();
    await stage.edit('b', { desiredState: 'Running' });
    await stage.replace('a', { env: { CHANGED: '1' } });
    await stage.reach('a', 'Ready');
    await stage.reach('b', 'Ready');
    assert.equal(stage.running('a').facts.publishPort, a);
    assert.equal(stage.running('b').facts.publishPort, b);
  });

  it('taken by something else move a new program, and that is told', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { desiredState: 'Stopped' });
    await host.advance(0);
    const { publishPort: taken } = stage.status('app');
    stage.world.foreignPorts.add(taken);
    await stage.edit('app', { desiredState: 'Running' });
    const { publishPort, reason } = await stage.reach('app', 'Ready');
    assert.notEqual(publishPort, taken);
    assert.equal(reason, '');
    assert.equal(stage.running('app').facts.publishPort, publishPort);
    assert.equal(stage.containers('app').length, 1);
    const told = (await host.registry.events.list('app')).filter((one) => one.reason === 'PortReassigned');
    assert.equal(told.length, 1);
    assert.match(told[0]?.message ?? '', new RegExp(`${taken}.*${publishPort}`));
    assert.equal(host.controller.ports.holder(taken), undefined);
    assert.equal(host.controller.ports.holder(publishPort), 'app');
  });

  it('taken while the program was down move it too: stopped, crashed or replaced', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    for (const name of ['stopped', 'crashed', 'replaced']) {
      await stage.create(name);
      await stage.reach(name, 'Ready');
    }
    await stage.edit('stopped', { desiredState: 'Stopped' });
    await stage.reach('stopped', 'Stopped');
    for (const name of ['stopped', 'crashed', 'replaced']) {
      stage.world.foreignPorts.add(stage.status(name).publishPort);
    }
    await stage.edit('stopped', { desiredState: 'Running' });
    stage.world.end(stage.running('crashed'), 1);
    await stage.replace('replaced', { env: { CHANGED: '1' } });
    await host.advance(5_000);
    for (const name of ['stopped', 'crashed', 'replaced']) {
      const { state, publishPort } = stage.status(name);
      assert.equal(state, 'Ready', name);
      assert.equal(stage.running(name).facts.publishPort, publishPort);
      assert.equal(stage.world.foreignPorts.has(publishPort), false);
      assert.equal(stage.containers(name).length, 1, name);
      const moves = (await stage.reasons(name)).filter((reason) => reason === 'PortReassigned');
      assert.equal(moves.length, 1, name);
    }
  });

  it('that are pinned and taken are waited for', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    stage.world.foreignPorts.add(19500);
    await stage.create('app', { publishPort: 19500 });
    const conflict = await stage.reach('app', 'Error');
    assert.equal(conflict.reason, 'PortConflict');
    assert.match(conflict.errorMsg, /19500/);
    assert.equal(conflict.publishPort, 19500);
    await host.advance(200_000);
    assert.ok(host.calls.length < 20, 'with growing waits');
    stage.world.foreignPorts.clear();
    await stage.reach('app', 'Ready');
    assert.equal(stage.running('app').facts.publishPort, 19500);
    assert.equal(stage.status('app').reason, '');
  });

  it('that are pinned by two go to the first; the other gets it when that is deleted', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('first', { publishPort: 19500 });
    await stage.reach('first', 'Ready');
    await stage.create('second', { publishPort: 19500 });
    const conflict = await stage.reach('second', 'Error');
    assert.equal(conflict.reason, 'PortConflict');
    assert.match(conflict.errorMsg, /held by program first/);
    assert.deepEqual(stage.containers('second'), []);
    await host.programs.remove('first');
    await stage.reach('second', 'Ready');
  });

  it('of a program that serves stay its own when it asks for one that another has, also over a restart', async (test) => {
    const stage = await createStage(test);
    let host = await stage.start();
    await stage.create('a');
    const { publishPort: a } = await stage.reach('a', 'Ready');
    await stage.create('b');
    const { publishPort: b } = await stage.reach('b', 'Ready');
    await stage.create('c', { desiredState: 'Stopped', publishPort: b });
    await stage.replace('a', { publishPort: b });
    const isTold = () => stage.status('a').reason === 'PortConflict';
    await host.until('it is told', isTold);
    for (const _ of ['before', 'after a restart']) {
      assert.deepEqual([stage.status('a').state, stage.status('a').publishPort], ['Ready', a]);
      assert.equal(stage.status('a').proxyUrl, `http://localhost:${a}`);
      assert.equal(stage.running('a').facts.publishPort, a);
      assert.deepEqual([stage.status('b').state, stage.running('b').facts.publishPort], ['Ready', b]);
      assert.deepEqual([stage.status('c').publishPort, stage.status('c').proxyUrl], [0, '']);
      assert.deepEqual([a, b].map(host.controller.ports.holder), ['a', 'b']);
      await host.kill();
      host = await stage.start();
      await host.advance(70_000);
    }
    await host.programs.remove('b');
    const moved = () => stage.status('a').state === 'Ready' && stage.status('a').publishPort === b;
    await host.until('it has what it asked for', moved);
    assert.equal(host.controller.ports.holder(a), undefined);
  });

  it('of another program that are asked for leave what serves to be looked after', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('a');
    const { publishPort: a } = await stage.reach('a', 'Ready');
    await stage.create('b');
    const { publishPort: b } = await stage.reach('b', 'Ready');
    await stage.replace('a', { publishPort: b, env: { CHANGED: '1' } });
    await host.until('it is told', () => stage.status('a').reason === 'PortConflict');
    const old = stage.running('a');
    old.facts.settings.memoryBytes *= 2;
    stage.world.emit(old, 'update');
    const isRight = () => {
      const [one, ...others] = stage.containers('a').filter(({ facts }) => facts.state === 'running');
      const { state, reason } = stage.status('a');
      if (one === undefined || one === old || others.length > 0 || state !== 'Ready') return false;
      return one.facts.publishPort === a && !('CHANGED' in one.env) && reason === 'PortConflict';
    };
    await host.until('what was changed is put right', isRight);
    const next = stage.running('a');
    stage.world.end(next, 137);
    stage.world.containers.delete(next.facts.id);
    stage.world.emit(next, 'destroy');
    await host.until('what was removed is made again', () => isRight() && stage.running('a') !== next);
    await host.advance(1_000);
    const done = host.calls.length;
    await host.advance(120_000);
    assert.equal(host.calls.length, done);
    assert.deepEqual([a, b].map(host.controller.ports.holder), ['a', 'b']);
  });

  it('are those of the container that serves while the next one can not be built', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    const { publishPort: held } = await stage.reach('app', 'Ready');
    await stage.write('sources/app/Dockerfile', 'FROM scratch\nRUN exit 1\n');
    await stage.replace('app', { publishPort: 19500 });
    await host.until('the build failed', () => stage.status('app').reason === 'BuildFailed');
    assert.deepEqual([stage.status('app').state, stage.status('app').publishPort], ['Ready', held]);
    assert.deepEqual([held, 19500].map(host.controller.ports.holder), ['app', 'app']);
    await stage.replace('app', {});
    await host.advance(0);
    assert.deepEqual([held, 19500].map(host.controller.ports.holder), ['app', undefined]);
  });

  it('that something else has taken are no reason to stop what serves on another', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    const { publishPort: held } = await stage.reach('app', 'Ready');
    const { id } = stage.running('app').facts;
    stage.world.foreignPorts.add(19500);
    await stage.replace('app', { publishPort: 19500 });
    await host.advance(90_000);
    const { state, reason, errorMsg, publishPort } = stage.status('app');
    assert.deepEqual([state, reason, publishPort], ['Ready', 'PortConflict', held]);
    assert.match(errorMsg, /19500 is taken/);
    assert.equal(stage.running('app').facts.id, id);
    stage.world.foreignPorts.clear();
    const moved = () => stage.status('app').state === 'Ready' && stage.status('app').publishPort === 19500;
    await host.until('it has what it asked for', moved);
    assert.equal(stage.running('app').facts.publishPort, 19500);
  });

  it('that something else takes just before a start bring back what served on another', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    await stage.reach('app', 'Ready');
    stage.world.fault = (method) => {
      if (method === 'startContainer') stage.world.foreignPorts.add(19500);
      return 'none';
    };
    await stage.replace('app', { publishPort: 19500 });
    await host.until('it is told', () => stage.status('app').reason === 'PortConflict');
    await host.until('what served is back', () => stage.status('app').state === 'Ready', 2_000);
    stage.world.fault = () => 'none';
    await host.advance(600_000);
    const { reason, errorMsg, publishPort } = stage.status('app');
    assert.equal(reason, 'PortConflict');
    assert.match(errorMsg, /^port 19500 is taken by something else/);
    assert.equal(stage.running('app').facts.publishPort, publishPort);
    const starts = (await stage.reasons('app')).filter((one) => one === 'Created').length;
    assert.ok(starts <= 3, `${starts} containers were made`);
    stage.world.foreignPorts.clear();
    await host.until('it moves', () => stage.status('app').publishPort === 19500);
    await stage.reach('app', 'Ready');
    assert.equal(stage.status('app').reason, '');
  });

  it('that are taken while there is no other are told, and a free one is taken', async (test) => {
    const stage = await createStage(test);
    await stage.start({ portRange: { min: 19001, max: 19001 } });
    await stage.create('app', { desiredState: 'Stopped' });
    await stage.host.advance(0);
    assert.equal(stage.status('app').publishPort, 19001);
    stage.world.foreignPorts.add(19001);
    await stage.edit('app', { desiredState: 'Running' });
    const { reason } = await stage.reach('app', 'Error');
    assert.equal(reason, 'PortsExhausted');
    stage.world.foreignPorts.clear();
    await stage.reach('app', 'Ready');
  });

  it('change when a pin is set or changed, and stay where it is taken away', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app');
    const { publishPort: held } = await stage.reach('app', 'Ready');
    const serves = (port: number) => () =>
      stage.status('app').state === 'Ready' &&
      stage.containers('app').length === 1 &&
      stage.containers('app')[0]?.facts.publishPort === port;
    for (const pin of [19500, 19501]) {
      await stage.replace('app', { publishPort: pin });
      await host.until(`it serves on ${pin}`, serves(pin));
    }
    assert.equal(host.controller.ports.holder(held), undefined);
    assert.equal(host.controller.ports.holder(19500), undefined);
    await stage.replace('app', {});
    await host.advance(5_000);
    assert.equal(serves(19501)(), true);
    assert.equal(stage.status('app').currentRevision, 1, 'another port is the same revision');
  });

  it('that are all in use are told, and one that comes free is taken', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start({ portRange: { min: 19001, max: 19002 } });
    for (const name of ['a', 'b', 'c']) await stage.create(name);
    await stage.reach('b', 'Ready');
    const { reason, errorMsg } = await stage.reach('c', 'Error');
    assert.equal(reason, 'PortsExhausted');
    assert.match(errorMsg, /19001 and 19002/);
    await host.programs.remove('a');
    await stage.reach('c', 'Ready');
  });
});

describe('an engine that forgets the networks of what it could not start (Docker 29)', () => {
  it('gets a new container: a stranger on its port is neither probed, nor proxied to, nor taken for Ready', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    stage.world.forgetsNetworks = true;
    stage.world.foreignPorts.add(19_005);
    // The one that looks at first says that the port is free.
    await stage.create('app', { publishPort: 19_005, readiness: { path: '/' }, desiredState: 'Stopped' });
    await host.advance(0);
    const states = new Set<string>();
    host.registry.status.subscribe((name) => states.add(stage.status(name).state));
    stage.world.foreignPorts.delete(19_005);
    stage.world.callMs = (method) => {
      if (method === 'startContainer') stage.world.foreignPorts.add(19_005);
      return 0;
    };
    await stage.edit('app', { desiredState: 'Running' });
    await host.advance(120_000);
    assert.equal(stage.status('app').reason, 'PortConflict');
    assert.deepEqual(
      ['Running', 'Ready'].filter((state) => states.has(state)),
      [],
    );
    stage.world.callMs = () => 0;
    stage.world.foreignPorts.delete(19_005);
    await stage.reach('app', 'Ready');
    assert.equal(stage.running('app').facts.servedPort, 19_005);
    const drifted = (await host.registry.events.list('app')).filter(({ reason }) => reason === 'Drifted');
    assert.deepEqual(drifted, [], 'nobody is blamed for it');
  });

  it('is not given to another that pins it, where what serves on it has lost its ledger', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('also', { publishPort: 19_005 });
    await stage.reach('also', 'Ready');
    // What was written while there was no room any more: nothing.
    const behind = await readFile(`${stage.root}/status/also.yaml`, 'utf8');
    await stage.edit('also', { desiredState: 'Stopped' });
    await stage.reach('also', 'Stopped');
    await stage.replace('also', { desiredState: 'Stopped', publishPort: 19_006 });
    await stage.create('server', { publishPort: 19_005 });
    await stage.reach('server', 'Ready');
    await host.kill();
    await stage.write('status/also.yaml', behind);
    await stage.remove('status/server.yaml');
    // By its name it is looked at first.
    await stage.write('programs/also.yaml', manifest('also', { publishPort: 19_005 }));
    const later = await stage.start();
    await stage.reach('server', 'Ready');
    await later.until('it is told', () => stage.status('also').reason === 'PortConflict');
    assert.match(stage.status('also').errorMsg, /held by program server/);
    assert.equal(stage.status('server').publishPort, 19_005);
  });

  it('that runs without its port, as an older host left it: is not Ready, and another takes its place', async (test) => {
    const stage = await createStage(test);
    const host = await stage.start();
    await stage.create('app', { readiness: { none: true } });
    await stage.reach('app', 'Ready');
    await host.kill();
    const lost = stage.running('app');
    Object.assign(lost.facts, { servedPort: 0, settings: { ...lost.facts.settings, networks: [] } });
    stage.host.registry.status.get('app');
    await stage.start();
    await stage.host.until('another serves', () => {
      const { state, containerId } = stage.status('app');
      assert.ok(
        state !== 'Ready' || containerId !== lost.facts.id || !stage.host.controller.observed.has('app'),
      );
      return state === 'Ready' && containerId !== lost.facts.id;
    });
    assert.equal(stage.containers('app').length, 1);
  });
});
