import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cpuBetween, type ProcessLine, sortProcesses } from './shims.ts';

const line = (pid: number, parent: number, ...argv: string[]): ProcessLine => ({ pid, parent, argv });

test('shims are counted by the container that they are of, and proxies by whose children they are', () => {
  const lines = [
    line(1, 0, 'init'),
    line(10, 1, '/usr/sbin/dockerd', '--debug'),
    line(11, 10, 'containerd', '--config', 'x'),
    line(12, 10, '/usr/bin/docker-proxy', '-proto', 'tcp'),
    line(13, 99, '/usr/bin/docker-proxy', '-proto', 'tcp'),
    line(20, 1, '/usr/bin/containerd-shim-runc-v2', '-namespace', 'moby', '-id', 'ours', '-address', 'y'),
    line(21, 1, '/usr/bin/containerd-shim-runc-v2', '-namespace', 'moby', '-id', 'another', '-address', 'y'),
    line(30, 1, 'grep', 'containerd'),
    line(31, 1),
  ];
  assert.deepEqual(sortProcesses(lines, new Set(['ours'])), {
    ...{ daemons: [10, 11], shims: [20], proxies: [12] },
  });
});

test('who ends between two looks takes nothing away from what the others took', () => {
  const before = new Map([
    [1, 100],
    [2, 5_000],
  ]);
  const after = new Map([
    [1, 130],
    [2, 0],
  ]);
  assert.equal(cpuBetween(before, after), 30);
});
