import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { it } from 'node:test';
import type Docker from 'dockerode';
import {
  createHasSandboxes,
  ensureSandboxImage,
} from '../../../../controller/engine/docker/ensure-sandbox-image.ts';

/** An engine of a machine of that kind, which has no images and answers a load so. */
function engineOf(machine: string, answer: object = {}): Docker {
  const missing = () => Promise.reject(Object.assign(new Error('no such image'), { statusCode: 404 }));
  return {
    info: async () => ({ Architecture: machine }),
    getImage: () => ({ inspect: missing }),
    loadImage: async () => Readable.from([Buffer.from(`${JSON.stringify(answer)}\n`)]),
  } as unknown as Docker;
}

it('says so where there is none for the machine', async () => {
  for (const machine of ['riscv64', 'armv7l', '', 'constructor'])
    await assert.rejects(ensureSandboxImage(engineOf(machine)), {
      reason: 'StartFailed',
      message: new RegExp(`machine, ${machine}: only for amd64 and arm64$`),
    });
});

it('asks once whether there are sandboxes for the machine, again after none answered, and tells that there are none', async () => {
  const told: string[] = [];
  const log = { debug() {}, info() {}, warn: (_: object, message: string) => void told.push(message) };
  let asked = 0;
  const answering = (machine: string) =>
    ({
      async info() {
        asked += 1;
        if (asked === 1) throw new Error('away');
        return { Architecture: machine };
      },
    }) as unknown as Docker;
  const here = createHasSandboxes(answering('x86_64'), log);
  await assert.rejects(here(), { reason: 'EngineUnavailable' });
  assert.deepEqual([await here(), await here(), asked], [true, true, 2]);
  const elsewhere = createHasSandboxes(answering('riscv64'), log);
  assert.deepEqual(told, []);
  assert.deepEqual([await elsewhere(), await elsewhere()], [false, false]);
  assert.equal(told.length, 1);
});

it('says why it could not be loaded', async () => {
  const full = 'write /layer.tar: no space left on device';
  await assert.rejects(ensureSandboxImage(engineOf('x86_64', { errorDetail: { message: full } })), {
    reason: 'DiskFull',
    message: full,
  });
  await assert.rejects(ensureSandboxImage(engineOf('aarch64', { error: 'unexpected EOF' })), {
    reason: 'InternalError',
    message: /^hersh\/sandbox:[0-9a-f]{12} could not be loaded: unexpected EOF$/,
  });
});

it('believes no load that left nothing', async () => {
  await assert.rejects(ensureSandboxImage(engineOf('x86_64')), { reason: 'InternalError' });
});
