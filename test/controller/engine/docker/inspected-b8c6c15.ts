import type Docker from 'dockerode';
import { LABELS, type ProgramSpec } from '../../../../schemas/program.ts';
import { specHash } from '../../../../schemas/spec-hash.ts';

/**
 * What Docker 20.10.24 shows of a container that a host of commit b8c6c15 made: created with the options that it gave,
 * inspected, and kept but for what says nothing.
 */
export function inspectedOf(spec: ProgramSpec, imageKey: string): Docker.ContainerInspectInfo {
  const port = 19005;
  const { memoryBytes, cpus, pids } = spec.resources;
  const inspected = {
    Id: 'a'.repeat(64),
    Name: '/hersh-program-x',
    Image: 'sha256:image',
    Created: '2026-11-22T10:00:00.123456789Z',
    State: {
      ...{ Status: 'running', Running: true, OOMKilled: false, ExitCode: 0, Error: '' },
      ...{ StartedAt: '2026-11-22T10:00:01Z', FinishedAt: '0001-01-01T00:00:00Z' },
    },
    Mounts: [
      {
        ...{ Type: 'volume', Name: 'hersh-state-x', Source: '/var/lib/docker/volumes/hersh-state-x/_data' },
        ...{ Destination: '/state', Driver: 'local', Mode: 'z', RW: true, Propagation: '' },
      },
    ],
    Config: {
      Labels: {
        ...{ [LABELS.instance]: 'default', [LABELS.program]: 'x', [LABELS.revision]: '1' },
        ...{ [LABELS.build]: imageKey, [LABELS.restartedAt]: spec.restartedAt },
        [LABELS.specHash]: specHash(spec, imageKey, port),
      },
      Env: [
        ...Object.entries(spec.env).map(([key, value]) => `${key}=${value}`),
        ...['HERSH_PROGRAM_ID=x', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      ],
    },
    HostConfig: {
      ...{ Binds: null, ContainerIDFile: '', NetworkMode: 'hersh-programs-1' },
      LogConfig: { Type: 'json-file', Config: { 'max-file': '3', 'max-size': '10m' } },
      PortBindings: { '8080/tcp': [{ HostIp: '127.0.0.1', HostPort: String(port) }] },
      RestartPolicy: { Name: 'no', MaximumRetryCount: 0 },
      ...{ AutoRemove: false, VolumeDriver: '', VolumesFrom: null, CapAdd: null, CapDrop: ['ALL'] },
      ...{ CgroupnsMode: 'host', Dns: null, DnsOptions: null, DnsSearch: null, ExtraHosts: null },
      ...{ GroupAdd: null, IpcMode: 'none', Cgroup: '', Links: null, OomScoreAdj: 0, PidMode: '' },
      ...{ Privileged: false, PublishAllPorts: false, ReadonlyRootfs: true },
      SecurityOpt: ['no-new-privileges'],
      Tmpfs: { '/dev': 'ro,dev,nosuid,noexec,size=64k,mode=755' },
      ...{ UTSMode: '', UsernsMode: '', ShmSize: 67_108_864, Runtime: 'runc', Isolation: '', CpuShares: 0 },
      ...{ Memory: memoryBytes, MemorySwap: memoryBytes, NanoCpus: cpus * 1e9, PidsLimit: pids },
      ...{ CgroupParent: '', BlkioWeight: 0, CpuPeriod: 0, CpuQuota: 0, CpusetCpus: '', CpusetMems: '' },
      ...{ CpuRealtimePeriod: 0, CpuRealtimeRuntime: 0, KernelMemory: 0, MemoryReservation: 0 },
      ...{ Devices: [], DeviceCgroupRules: null, DeviceRequests: null, OomKillDisable: false, Ulimits: null },
      Mounts: [{ Type: 'volume', Source: 'hersh-state-x', Target: '/state' }],
      MaskedPaths: ['/proc/kcore', '/proc/keys', '/sys/firmware'],
      ReadonlyPaths: ['/proc/bus', '/proc/sys'],
    },
    NetworkSettings: { Networks: { 'hersh-programs-1': {} } },
  };
  return inspected as unknown as Docker.ContainerInspectInfo;
}
