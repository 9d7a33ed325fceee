import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type Docker from 'dockerode';
import { loosenedOf } from '../../../../controller/engine/docker/floor.ts';
import { specOf } from '../../program/situation-fixture.ts';
import { inspectedOf } from './inspected-b8c6c15.ts';

const made = inspectedOf(specOf(), 'key');
const loosened = (change: object, more: object = {}): string[] =>
  loosenedOf({
    ...made,
    ...more,
    HostConfig: { ...made.HostConfig, ...change },
  } as Docker.ContainerInspectInfo);

describe('the security that every container of a host is made with', () => {
  it('has one that an older host made, and one that a newer one asks more of', () => {
    assert.deepEqual(loosened({}), []);
    assert.deepEqual(loosened({ Init: true, OomScoreAdj: 100, CgroupnsMode: 'private' }), []);
    assert.deepEqual(loosened({ SecurityOpt: ['no-new-privileges:true'], Devices: null }), []);
    // As 20.10.24 shows it after `docker update --pids-limit -1`: drift, and no sign of who made it.
    assert.deepEqual(loosened({ PidsLimit: 0 }), []);
  });

  it('has one under gVisor, and one whose image declares volumes', () => {
    const Tmpfs = { '/dev/shm': 'ro,size=64k', '/tmp': 'ro,size=64k' };
    assert.deepEqual(loosened({ Runtime: 'runsc', Tmpfs }), []);
    const declared = { Type: 'volume', Source: 'v', Target: '/tmp', ReadOnly: true };
    const Mounts = [...(made.HostConfig.Mounts ?? []), declared];
    const mounted = [...made.Mounts, { ...made.Mounts[0], Destination: '/tmp', RW: false }];
    const half = { '/dev/shm': 'ro,size=64k' };
    assert.deepEqual(loosened({ Runtime: 'runsc', Tmpfs: half, Mounts }, { Mounts: mounted }), []);
    assert.deepEqual(loosened({ Runtime: 'runsc', Tmpfs: half }).length, 1);
  });

  // As 20.10.24 shows what `docker run` makes of a committed copy.
  it('has not one that was run of an image committed from it', () => {
    const plain = {
      ...{ NetworkMode: 'default', PortBindings: {}, CapDrop: null, IpcMode: 'private', SecurityOpt: null },
      ...{ ReadonlyRootfs: false, Memory: 0, MemorySwap: 0, NanoCpus: 0, PidsLimit: null },
      ...{ Tmpfs: undefined, Mounts: undefined },
    };
    assert.match(
      loosened(plain, { Mounts: [] }).join(', '),
      /file system is writable, it has capabilities, /,
    );
  });

  const volume = { Type: 'volume', Source: 'v', Target: '/data' };
  const bind = { ...made.Mounts[0], Type: 'bind', Destination: '/x', RW: false };
  const on = (HostIp: string) => ({ '8080/tcp': [{ HostIp, HostPort: '19005' }] });
  const table: [string, object, object?][] = [
    ['a writable root', { ReadonlyRootfs: false }],
    ['all privileges', { Privileged: true }],
    ['capabilities', { CapDrop: ['NET_RAW'] }],
    ['one capability', { CapAdd: ['SYS_ADMIN'] }],
    ['new privileges', { SecurityOpt: null }],
    ['no seccomp', { SecurityOpt: ['no-new-privileges', 'seccomp=unconfined'] }],
    ['open paths of the kernel', { MaskedPaths: [] }],
    ['shared memory', { IpcMode: 'host' }],
    ['the processes of the machine', { PidMode: 'host' }],
    ['the network of the machine', { NetworkMode: 'host' }],
    ['a network of its own', { NetworkMode: 'bridge' }],
    ['every address', { PortBindings: on('') }],
    ['another address', { PortBindings: on('0.0.0.0') }],
    ['one port more', { PortBindings: { ...on('127.0.0.1'), '22/tcp': [{ HostIp: '127.0.0.1' }] } }],
    ['no port', { PortBindings: {} }],
    ['all ports', { PublishAllPorts: true }],
    ['a folder of the machine', { Binds: ['/:/host:ro'] }],
    ['the engine', {}, { Mounts: [...made.Mounts, bind] }],
    ['a volume more', { Mounts: [...(made.HostConfig.Mounts ?? []), volume] }],
    ['writable memory', { Tmpfs: { ...made.HostConfig.Tmpfs, '/tmp': 'rw' } }],
    ['an open /dev', { Tmpfs: {} }],
    ['a device', { Devices: [{ PathOnHost: '/dev/kvm' }] }],
    ['a graphics card', { DeviceRequests: [{ Count: -1 }] }],
    ['no limit of memory', { Memory: 0 }],
    ['no limit of processes', { PidsLimit: null }],
  ];
  for (const [what, change, more] of table)
    it(`has not one with ${what}`, () => assert.equal(loosened(change, more).length, 1));
});
