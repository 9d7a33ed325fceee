import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { pack } from 'tar-stream';
import { DEFAULT_POLICY } from '../../../controller/build-policy/build-policy.ts';
import { createMayBuild, mustBePullable } from '../../../controller/images/may-build.ts';
import { asideName } from '../../../registry/contexts/tar.ts';
import { AppError } from '../../../schemas/errors.ts';
import { LABELS } from '../../../schemas/program.ts';

type Entry = { name: string; text?: string; linkname?: string };

async function tarOf(entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack();
  for (const { name, text, linkname } of entries)
    if (linkname === undefined) tar.entry({ name }, text ?? '');
    else tar.entry({ name, type: 'symlink', linkname });
  tar.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of tar as unknown as AsyncIterable<Buffer>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const HASH = 'ab'.repeat(32);
const OWN = `hersh/build-${HASH.slice(0, 12)}`;

/** Why a build of these files is refused; `""` where it is not. */
async function refused(
  entries: readonly Entry[],
  more: { dockerfile?: string; aside?: string[]; pull?: boolean; userId?: string; isThere?: boolean } = {},
): Promise<string> {
  const { dockerfile = 'Dockerfile', aside = [], pull = false, userId = 'me', isThere = true } = more;
  const tar = await tarOf(entries);
  const mayBuild = createMayBuild({
    policy: DEFAULT_POLICY,
    openSnapshot: () => Readable.from([tar]),
    engine: {
      inspectImage: async (name) =>
        isThere && name === OWN ? { id: 'sha256:1', labels: { [LABELS.build]: HASH } } : undefined,
    },
    ownsBuild: async (user, buildId) => user === 'me' && OWN === `hersh/${buildId}`,
  });
  const build = { context: 'sources/a', dockerfile, args: {} };
  const request = { hash: 'h', buildId: 'build-h', build, pull };
  return mayBuild({ path: '/snapshot', aside }, request, userId).then(
    () => '',
    (error: unknown) => {
      assert.ok(error instanceof AppError && error.reason === 'BuildFailed');
      return error.message;
    },
  );
}

describe('a build is looked at before it begins', () => {
  const bad = 'FROM alpine\nADD https://files.example/x /x\n';

  it('by the Dockerfile that the builder reads, wherever it lies in the snapshot', async () => {
    assert.equal(await refused([{ name: 'Dockerfile', text: 'FROM alpine\n' }]), '');
    const more = [{ name: 'a.txt', text: 'x'.repeat(100_000) }];
    assert.match(
      await refused([...more, { name: 'Dockerfile', text: bad }]),
      /^sources\/a\/Dockerfile:2: ADD/,
    );
    const inFolder = [...more, { name: 'docker/prod', text: bad }];
    assert.match(await refused(inFolder, { dockerfile: 'docker/prod' }), /^sources\/a\/docker\/prod:2: ADD/);
    const aside = [{ name: asideName('Dockerfile'), text: bad }, ...more];
    assert.match(await refused(aside, { aside: ['Dockerfile'] }), /:2: ADD/);
  });

  it('through links, which lead nowhere but into the context', async () => {
    const real = { name: 'real/prod', text: bad };
    for (const linkname of ['real/prod', './real/../real/prod', '/real/prod', '../../real/prod'])
      assert.match(await refused([{ name: 'Dockerfile', linkname }, real]), /:2: ADD/, linkname);
    const folder = [{ name: 'docker', linkname: 'real' }, real];
    assert.match(await refused(folder, { dockerfile: 'docker/prod' }), /:2: ADD/);
    const circle = [
      { name: 'Dockerfile', linkname: 'a' },
      { name: 'a', linkname: 'Dockerfile' },
    ];
    assert.match(await refused(circle), /is no file/);
    assert.match(await refused([{ name: 'Dockerfile', linkname: 'gone' }]), /is no file/);
  });

  it('by how long it is, whatever is in it', async () => {
    const long = `FROM alpine\n${'#\n'.repeat(100_000)}`;
    assert.match(await refused([{ name: 'Dockerfile', text: long }]), /more than 128 KiB/);
    assert.match(await refused([{ name: 'Dockerfile', text: '#\n'.repeat(5_000) }]), /more than 4000 lines/);
  });

  it('where it is made on an image of a host: one of the same user, that is here and is not pulled', async () => {
    const on = [{ name: 'Dockerfile', text: `FROM ${OWN}\n` }];
    assert.equal(await refused(on), '');
    assert.match(await refused(on, { userId: 'other' }), /:1: FROM hersh.* another user/);
    assert.match(await refused(on, { isThere: false }), /not on this machine/);
    assert.match(await refused(on, { pull: true }), /never pulled/);
    const byId = [{ name: 'Dockerfile', text: `FROM sha256:${HASH}\n` }];
    assert.match(await refused(byId), /takes no id/);
  });
});

describe('a pull', () => {
  const why = (reference: string) => {
    try {
      mustBePullable(DEFAULT_POLICY, reference);
      return '';
    } catch (error) {
      assert.ok(error instanceof AppError);
      return `${error.reason}: ${error.message} ${error.hint}`;
    }
  };

  it('asks the registries that builds may ask, and none for what a host makes', () => {
    assert.equal(why('registry.example/app:1'), '');
    assert.match(why('localhost:5000/app'), /^ImageRefused: .* --build-registries docker\.io,localhost:5000/);
    assert.match(why(OWN), /^ImageRefused: .*never pulled/);
  });

  it('leaves what is named by its id to the engine, which has words for it', () => {
    assert.equal(why(`sha256:${HASH}`), '');
  });
});
