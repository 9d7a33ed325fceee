import assert from 'node:assert/strict';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, test } from 'node:test';
import {
  besideOf,
  cpuLimitIn,
  cpuNanosIn,
  groupIn,
  memoryBytesIn,
  memoryLimitIn,
} from '../../../controller/usage/cgroup.ts';
import { createCgroupReader } from '../../../controller/usage/cgroup-reader.ts';
import { tempFolder, writeTree } from '../../registry/folder.ts';
import { type Driver, fakeKernel, idOf, MIB } from './kernel-fixture.ts';

const ID = idOf(1);
const DRIVERS: Driver[] = ['cgroupfs', 'systemd', 'parent'];

describe('the group of a process', () => {
  it('is told by the kernel, up to the part that bears the id', () => {
    const path = `/system.slice/docker-${ID}.scope`;
    const two = groupIn(`0::${path}/init.scope\n`, ID, '/cg', 2);
    assert.deepEqual(two, { version: 2, cpuacct: `/cg${path}`, cpu: `/cg${path}`, memory: `/cg${path}` });
    // Docker 20.10.24 on Linux 6.18, each controller mounted by itself.
    const text = ['name=systemd', 'pids', 'memory', 'cpuacct', 'cpu'].map(
      (name, at) => `${at + 1}:${name}:/docker/${ID}`,
    );
    const one = groupIn(`${text.join('\n')}\n0::/docker/${ID}\n`, ID, '/cg', 1);
    assert.deepEqual(one, {
      version: 1,
      cpuacct: `/cg/cpuacct/docker/${ID}`,
      cpu: `/cg/cpu/docker/${ID}`,
      memory: `/cg/memory/docker/${ID}`,
    });
    assert.equal(
      groupIn(`2:cpu,cpuacct:/docker/${ID}\n`, ID, '/cg', 1)?.memory,
      undefined,
      'it may be turned off',
    );
  });

  it('is none where that process is of something else, or outside what can be seen from here', () => {
    for (const path of ['/', `/docker/${idOf(2)}`, '/user.slice', `/../../docker/${ID}`]) {
      assert.equal(groupIn(`0::${path}\n`, ID, '/cg', 2), undefined, path);
      assert.equal(groupIn(`4:memory:${path}\n2:cpuacct:${path}\n`, ID, '/cg', 1), undefined, path);
    }
    assert.equal(groupIn('', ID, '/cg', 2), undefined);
    assert.equal(groupIn(`0::/docker/${ID}\n`, '', '/cg', 2), undefined);
  });

  it('leads to those beside it', () => {
    const group = groupIn(`0::/docker/${ID}\n`, ID, '/cg', 2);
    assert.ok(group);
    assert.equal(besideOf(group, ID, idOf(2)).memory, `/cg/docker/${idOf(2)}`);
  });
});

test('what the files say, and what says nothing', () => {
  assert.equal(cpuNanosIn('67342853\n', 1), 67_342_853);
  assert.equal(cpuNanosIn('usage_usec 67342\nuser_usec 44895\n', 2), 67_342_000);
  assert.equal(cpuNanosIn('user_usec 1\nusage_usec 5\n', 2), 5_000);
  for (const text of ['', 'user_usec 1\n', 'nonsense', 'usage_usec x\n'])
    assert.equal(cpuNanosIn(text, 2), null, text);
  assert.equal(cpuNanosIn('', 1), null);
  assert.equal(memoryBytesIn('100\n', 'inactive_file 7\ntotal_inactive_file 30\n', 1), 70);
  assert.equal(memoryBytesIn('100\n', 'file 90\ninactive_file 30\n', 2), 70);
  assert.equal(memoryBytesIn('100\n', '', 2), 100);
  assert.equal(memoryBytesIn('100\n', 'inactive_file 100\n', 2), 100, 'as `docker stats` of 20.10 has it');
  assert.equal(memoryBytesIn('', 'inactive_file 1\n', 2), null);
  assert.deepEqual(
    [memoryLimitIn('max\n'), memoryLimitIn('9223372036854771712\n'), memoryLimitIn('5\n')],
    [null, null, 5],
  );
  assert.deepEqual(
    [cpuLimitIn('150000 100000\n'), cpuLimitIn('max 100000\n'), cpuLimitIn('-1\n 100000\n'), cpuLimitIn('')],
    [1.5, null, null, null],
  );
});

for (const version of [1, 2] as const) {
  for (const driver of DRIVERS) {
    test(`version ${version}, ${driver}: a container is found by its process, and read`, async (t) => {
      const kernel = await fakeKernel(await tempFolder(t), version, driver);
      await kernel.set(ID, { cpuMs: 250, memoryMib: 40, idleMib: 10 });
      await kernel.process(77, ID);
      const reader = createCgroupReader(kernel);
      const group = reader.find(ID, 77);
      assert.ok(group);
      assert.deepEqual(reader.read(group), { cpuNanos: 250e6, memoryBytes: 30 * MIB });
      assert.deepEqual(reader.limits(group), { cpuLimit: 0.5, memoryLimitBytes: 512 * MIB });
      await kernel.set(ID, { cpuMs: 250, memoryMib: 0 });
      assert.equal(reader.read(group), undefined, 'what an engine that was killed left');
      await kernel.end(ID);
      assert.equal(reader.read(group), undefined);
      assert.deepEqual(reader.limits(group), { cpuLimit: null, memoryLimitBytes: null });
      assert.equal(reader.find(ID, 78), undefined, 'no such process');
      assert.equal(reader.find(idOf(2), 77), undefined, 'the process of another');
    });
  }

  test(`version ${version}: without limits there are none, and without its controller no memory`, async (t) => {
    const root = await tempFolder(t);
    const kernel = await fakeKernel(root, version, 'cgroupfs', false);
    await kernel.set(ID, { cpuMs: 1, memoryMib: 1 });
    await kernel.process(77, ID);
    const reader = createCgroupReader(kernel);
    const group = reader.find(ID, 77);
    assert.ok(group?.memory);
    assert.deepEqual(reader.limits(group), { cpuLimit: null, memoryLimitBytes: null });
    for (const file of ['memory.current', 'memory.usage_in_bytes'])
      await rm(join(group.memory, file), { force: true });
    assert.deepEqual(reader.read(group), { cpuNanos: 1e6, memoryBytes: null });
  });
}

test('files that can not be read are no crash', async (t) => {
  const root = await tempFolder(t);
  await writeTree(root, { 'cgroup/': '', 'proc/77/cgroup/x': 'a folder' });
  const reader = createCgroupReader({ proc: join(root, 'proc'), cgroups: join(root, 'cgroup') });
  assert.throws(() => reader.find(ID, 77), /EISDIR/);
  assert.equal(createCgroupReader({ proc: '/nowhere', cgroups: '/nowhere' }).find(ID, 1), undefined);
});
