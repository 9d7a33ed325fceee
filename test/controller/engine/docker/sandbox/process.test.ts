import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { AMD64 } from '../../../../../controller/engine/docker/sandbox/amd64.ts';
import { ARM64 } from '../../../../../controller/engine/docker/sandbox/arm64.ts';
import { readListing } from '../../../../../controller/engine/docker/sandbox/listing.ts';
import {
  type Architecture,
  sandboxProcess,
} from '../../../../../controller/engine/docker/sandbox/process.ts';
import { until } from '../../../../e2e/until.ts';
import { AMD64_ENCODINGS, ARM64_ENCODINGS, assemble } from './assemble.ts';

const SIGTERM = 15;
const HEADERS_BYTES = 64 + 56;

/** What each machine calls the same: by its ELF's number, its calls, and how its listing loads the number of one. */
const MACHINES = {
  amd64: {
    ...{ listing: AMD64, encodings: AMD64_ENCODINGS, machine: 62 },
    calls: { rt_sigprocmask: 14, rt_sigtimedwait: 128, exit: 60 },
    number: /^(?:push|mov eax,) (\d+)$/,
    call: 'syscall',
  },
  arm64: {
    ...{ listing: ARM64, encodings: ARM64_ENCODINGS, machine: 183 },
    calls: { rt_sigprocmask: 135, rt_sigtimedwait: 137, exit: 93 },
    number: /^mov x8, #(\d+)$/,
    call: 'svc #0',
  },
} as const;

for (const architecture of ['amd64', 'arm64'] as const) {
  const { listing, encodings, machine, calls, number, call } = MACHINES[architecture];
  const lines = readListing(listing);

  describe(`the process of a sandbox, ${architecture}`, () => {
    it('is by its bytes what its listing says', () => {
      const starts = startsOf(lines);
      for (const [at, { instruction, bytes }] of lines.entries()) {
        const start = starts[at] ?? 0;
        const label = lines.findIndex((line) => line.label !== '' && instruction.endsWith(` ${line.label}`));
        const target = label < 0 ? start : (starts[label] ?? 0);
        const distance = { fromStart: target - start, fromEnd: target - start - bytes.length };
        assert.deepEqual(bytes, assemble(encodings, instruction, distance), instruction);
      }
    });

    it('blocks signals, waits for one, and ends, with no call beside', () => {
      const made = lines.flatMap(({ instruction }, at) => {
        if (instruction !== call) return [];
        const before = lines.slice(0, at).map((line) => number.exec(line.instruction)?.[1]);
        return [Number(before.findLast((value) => value !== undefined))];
      });
      assert.deepEqual(made, Object.values(calls));
      const set = lines[0]?.instruction.match(/0x[0-9a-f]+$/)?.[0];
      assert.equal(Number(set), 1 << (SIGTERM - 1), 'the set is SIGTERM alone');
    });

    it('is one segment that can not be written, and begins with its code', () => {
      const file = sandboxProcess(architecture);
      const code = Buffer.concat(lines.map(({ bytes }) => bytes));
      assert.equal(file.subarray(0, 7).toString('latin1'), '\x7fELF\x02\x01\x01', '64 bits, little-endian');
      assert.equal(file.readUInt16LE(18), machine);
      assert.deepEqual(
        [file.readBigUInt64LE(32), file.readUInt16LE(56)],
        [64n, 1],
        'one segment, told of there',
      );
      assert.deepEqual([file.readUInt16LE(60), file.readBigUInt64LE(40)], [0, 0n], 'no sections');
      assert.deepEqual([file.readUInt32LE(64), file.readUInt32LE(68)], [1, 5], 'loaded, to be read and run');
      const [base, bytesOfFile, bytes, page] = [80, 96, 104, 112].map((at) => file.readBigUInt64LE(at));
      assert.deepEqual([bytesOfFile, bytes], [BigInt(file.length), BigInt(file.length)]);
      assert.equal((base ?? 1n) % (page ?? 1n), 0n);
      const entry = Number(file.readBigUInt64LE(24) - (base ?? 0n));
      assert.equal(entry, HEADERS_BYTES);
      assert.deepEqual(file.subarray(entry), code);
    });
  });
}

it('a line that is none of a listing is not passed over', () => {
  assert.throws(() => readListing('  0f 05  syscall\n  nop\n'), /no line of a listing: {3}nop/);
});

/** Node's names of the machines it runs on, of which this is one. */
const OWN: Readonly<Record<string, Architecture>> = { x64: 'amd64', arm64: 'arm64' };

it('it waits without CPU time, also after it was stopped, and SIGTERM ends it with code 0', async () => {
  const architecture = OWN[process.arch];
  assert.ok(architecture, `the tests know no ${process.arch}`);
  const folder = mkdtempSync(join(tmpdir(), 'hersh-sandbox-process-'));
  try {
    const path = join(folder, 'sandbox');
    writeFileSync(path, sandboxProcess(architecture), { mode: 0o755 });
    const child = spawn(path, [], { stdio: 'ignore' });
    try {
      const exit = once(child, 'exit');
      const told = (name: string) =>
        new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1];
      // It sleeps in its wait alone. Not `SigBlk`: what is waited for does not count as blocked meanwhile.
      const isIn = (state: string) => told('Name') === 'sandbox' && told('State') === state;
      // User and system, counted from its first wait on: what its start takes may fall on a tick of the clock.
      const ticks = () => readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(' ').slice(13, 15);
      await until('it waits', () => isIn('S'));
      const before = ticks();
      child.kill('SIGSTOP');
      await until('it is stopped', () => isIn('T'));
      child.kill('SIGCONT');
      await until('it waits again', () => isIn('S'));
      assert.deepEqual(ticks(), before);
      child.kill('SIGTERM');
      assert.deepEqual(await exit, [0, null]);
    } finally {
      child.kill('SIGKILL');
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function startsOf(lines: readonly { bytes: Buffer }[]): number[] {
  let start = 0;
  return lines.map(({ bytes }) => {
    const own = start;
    start += bytes.length;
    return own;
  });
}
