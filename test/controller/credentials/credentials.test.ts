import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { EventEmitter } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { askHelper, type StartHelper } from '../../../controller/credentials/credential-helper.ts';
import { brokenFilesOf, createCredentials } from '../../../controller/credentials/credentials.ts';
import { CredentialTrouble, registryKey } from '../../../controller/credentials/docker-config.ts';
import type { RegistryAuth } from '../../../controller/engine/engine.ts';
import { systemClock } from '../../../schemas/clock.ts';
import { createManualClock, settle } from '../../sim/manual-clock.ts';

let folder = '';
const pathBefore = process.env.PATH;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hersh-credentials-'));
  process.env.PATH = `${folder}:${pathBefore}`;
});

after(async () => {
  process.env.PATH = pathBefore;
  await rm(folder, { recursive: true, force: true });
});

const SECRET = 'pa:ss-w0rd';
const basic = (text: string) => Buffer.from(text).toString('base64');
const password = (username: string, of = SECRET): RegistryAuth => ({
  kind: 'password',
  username,
  password: of,
});
let files = 0;

async function fileOf(content: unknown): Promise<string> {
  const file = join(folder, `config-${++files}.json`);
  await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
  return file;
}

/** What is found for a registry, and what is told. */
async function look(all: string | undefined, registry: string, byUser = new Map<string, string>()) {
  const told: string[] = [];
  const source = createCredentials({ all, byUser }, systemClock);
  const auth = await source.of('me', (message) => told.push(message))(registry);
  return { auth, told };
}

/** A credential helper that runs a shell's lines, on whose input is the registry. */
async function helper(name: string, lines: string): Promise<void> {
  const file = join(folder, `docker-credential-${name}`);
  await writeFile(file, `#!/bin/sh\nread -r registry || true\n${lines}\n`);
  await chmod(file, 0o755);
}

describe('a registry, as docker names it', () => {
  it('is host and port, and docker.io is one by all its names', () => {
    const hub = 'https://index.docker.io/v1/';
    for (const name of ['docker.io', 'index.docker.io', 'registry-1.docker.io', hub, 'https://docker.io'])
      assert.equal(registryKey(name), hub, name);
    for (const name of ['images.example:5000', 'https://images.example:5000/v2/', 'Images.example:5000/team'])
      assert.equal(registryKey(name), 'images.example:5000', name);
    assert.notEqual(registryKey('images.example'), registryKey('images.example:5000'));
  });
});

describe('a docker config file', () => {
  it('gives what docker login writes: auth, name and password, a token', async () => {
    const file = await fileOf({
      auths: {
        'a.example': { auth: basic(`me:${SECRET}`) },
        'https://b.example/v1/': { username: 'you', password: SECRET },
        'c.example:5000': { auth: basic('x:y'), identitytoken: 'refresh' },
        'https://index.docker.io/v1/': { auth: basic(`hub:${SECRET}\0`) },
        'd.example': {},
        'https://e.example/v1/': { auth: basic('later:1') },
        'e.example': { auth: basic('exact:1') },
        'http://e.example': { auth: basic('later:2') },
      },
    });
    const found: [string, RegistryAuth | undefined][] = [
      ['a.example', password('me')],
      ['b.example', password('you')],
      ['c.example:5000', { kind: 'identity', token: 'refresh' }],
      ['c.example', undefined],
      ['docker.io', password('hub')],
      ['registry-1.docker.io', password('hub')],
      ['d.example', undefined],
      ['e.example', password('exact', '1')],
    ];
    for (const [registry, auth] of found)
      assert.deepEqual(await look(file, registry), { auth, told: [] }, registry);
  });

  it('that can not be used is told by name, with what to do and nothing of what it holds', async () => {
    const locked = await fileOf({});
    const pipe = join(folder, 'pipe');
    execFileSync('mkfifo', [pipe]);
    const broken: [string, RegExp][] = [
      [join(folder, 'none.json'), /can not be read \(ENOENT\)/],
      [folder, /is no file|EISDIR/],
      [pipe, /is no file/],
      [await fileOf(`{"auths": {"a.example": {"auth": "${SECRET}"}`), /is not JSON/],
      [await fileOf(`"${SECRET}"`), /no JSON object/],
      [await fileOf({ auths: [SECRET] }), /its auths is no object/],
      [await fileOf({ auths: { 'a.example': SECRET } }), /entry for a\.example is no object/],
      [
        await fileOf({ auths: { 'a.example': { auth: basic(SECRET.replace(':', '')) } } }),
        /no user:password/,
      ],
      [await fileOf({ auths: { 'a.example': { username: 7 } } }), /username of its entry .* is no text/],
      [await fileOf({ credsStore: '../evil' }), /name of the credential helper .* is none/],
      [await fileOf({ credHelpers: { 'a.example': 'x; echo' } }), /name of the credential helper .* is none/],
    ];
    for (const [file, why] of broken) {
      const { auth, told } = await look(file, 'a.example');
      assert.equal(auth, undefined);
      assert.equal(told.length, 1, file);
      assert.match(told[0] ?? '', why);
      assert.ok(told[0]?.includes(file) && told[0].includes('--docker-config'), told[0]);
      assert.equal(told[0]?.includes(SECRET.replace(':', '')) || told[0]?.includes(SECRET), false, told[0]);
    }
    assert.equal(
      (await brokenFilesOf({ all: join(folder, 'none.json'), byUser: new Map([['me', locked]]) })).length,
      1,
    );
  });

  it('is read anew at each use, and a user has their own before that of all', async () => {
    const all = await fileOf({
      auths: { 'a.example': { auth: basic('all:1') }, 'b.example': { auth: basic('all:1') } },
    });
    const mine = await fileOf({ auths: { 'a.example': { auth: basic('mine:1') } } });
    const byUser = new Map([['me', mine]]);
    const source = createCredentials({ all, byUser }, systemClock);
    const of = (user: string) => source.of(user, (message) => assert.fail(message));
    assert.deepEqual(await of('me')('a.example'), password('mine', '1'));
    assert.deepEqual(await of('me')('b.example'), password('all', '1'));
    assert.deepEqual(await of('you')('a.example'), password('all', '1'));
    assert.deepEqual([source.scopeOf('me'), source.scopeOf('you')], ['me', '']);
    await writeFile(mine, JSON.stringify({ auths: { 'a.example': { auth: basic('new:1') } } }));
    assert.deepEqual(await of('me')('a.example'), password('new', '1'));
    const alone = createCredentials({ all: undefined, byUser }, systemClock);
    assert.equal(await alone.of('you', () => {})('a.example'), undefined);
  });
});

describe('a credential helper', () => {
  it('is asked in place of the file, without a shell, one of the registry before that of all', async () => {
    await helper(
      'one',
      `printf '{"ServerURL":"%s","Username":"one-%s","Secret":"${SECRET}"}' "$registry" "$1"`,
    );
    await helper('rest', `printf '{"Username":"<token>","Secret":"of %s"}' "$registry"`);
    await helper('nobody', 'echo "credentials not found in native keychain"; exit 1');
    const auths = { 'a.example': { auth: basic('file:1') }, 'n.example': { auth: basic('file:1') } };
    const credHelpers = { 'https://a.example': 'one', 'n.example': 'nobody' };
    const file = await fileOf({ auths, credHelpers, credsStore: 'rest' });
    assert.deepEqual(await look(file, 'a.example'), { auth: password('one-get'), told: [] });
    const token = { kind: 'identity', token: 'of https://index.docker.io/v1/' };
    assert.deepEqual(await look(file, 'docker.io'), { auth: token, told: [] });
    assert.deepEqual(await look(file, 'n.example'), { auth: undefined, told: [] }, 'as docker: not the file');
  });

  it('is none for a registry whose entry is empty: the file itself counts, as for docker', async () => {
    await helper('rest', `printf '{"Username":"rest","Secret":"x"}'`);
    const auths = { 'a.example': { auth: basic(`file:${SECRET}`) } };
    const file = await fileOf({
      auths,
      credHelpers: { 'a.example': '', 'b.example': null },
      credsStore: 'rest',
    });
    assert.deepEqual(await look(file, 'a.example'), { auth: password('file'), told: [] });
    assert.deepEqual(await look(file, 'b.example'), { auth: undefined, told: [] });
    assert.deepEqual((await look(file, 'c.example')).auth, password('rest', 'x'));
  });

  it('that fails is told with how to try it, and with none of its words', async () => {
    await helper('bad', `echo "${SECRET}"; echo "${SECRET}" >&2; exit 3`);
    await helper('odd', `printf '{"Secret":"${SECRET}"}'`);
    await helper('long', 'yes | head -c 100000');
    const rows: [string, RegExp][] = [
      ['bad', /ended with code 3/],
      ['odd', /not of the form/],
      ['long', /said too much/],
      ['missing', /not in the PATH/],
    ];
    for (const [credsStore, why] of rows) {
      const { auth, told } = await look(await fileOf({ credsStore }), 'a.example');
      assert.equal(auth, undefined);
      assert.match(told[0] ?? '', why);
      assert.match(told[0] ?? '', new RegExp(`echo a\\.example \\| docker-credential-${credsStore} get`));
      assert.equal(told[0]?.includes(SECRET), false);
    }
  });

  /** One that has begun and does not end by itself. */
  async function slow(signal?: AbortSignal) {
    const pids = await mkdtemp(join(folder, 'pids-'));
    await helper('slow', `sleep 300 & echo $! > "${pids}/child"; wait`);
    const clock = createManualClock();
    const told: string[] = [];
    const file = await fileOf({ credsStore: 'slow' });
    const source = createCredentials({ all: file, byUser: new Map([['me', file]]) }, clock);
    const looking = source.of('me', (message) => told.push(message))('a.example', signal);
    let child = '';
    while (child === '') {
      await settle();
      child = await readFile(join(pids, 'child'), 'utf8').catch(() => '');
    }
    const isOver = async () =>
      /^State:\s+Z/m.test(await readFile(`/proc/${child.trim()}/status`, 'utf8').catch(() => 'State:\tZ'));
    const ended = async () => {
      while (!(await isOver())) await settle();
    };
    return { clock, told, looking, ended };
  }

  it('that does not end is ended, with what it started', async () => {
    const { clock, told, looking, ended } = await slow();
    await clock.advance(20_000);
    await ended();
    // The second file names it too.
    while (clock.nextAt() === undefined) await settle();
    await clock.advance(20_000);
    assert.equal(await looking, undefined);
    assert.match(told[0] ?? '', /took longer than 20 s/);
  });

  it('that nobody waits for is ended at once and no trouble, and no other is asked', async () => {
    const abort = new AbortController();
    const { clock, told, looking, ended } = await slow(abort.signal);
    abort.abort();
    assert.equal(await looking, undefined);
    await ended();
    assert.deepEqual([told, clock.nextAt()], [[], undefined]);
  });

  it('that can not be begun is a trouble like others, and leaves no timer', async () => {
    const refuses: StartHelper = () => {
      throw Object.assign(new Error('spawn EAGAIN'), { code: 'EAGAIN' });
    };
    // As node 20 gives it where no more files may be open.
    const bare = (() => new EventEmitter()) as unknown as StartHelper;
    for (const start of [refuses, bare]) {
      const clock = createManualClock();
      const asking = askHelper('any', 'a.example', clock, { start });
      await assert.rejects(asking, (error) => {
        assert.ok(error instanceof CredentialTrouble);
        assert.match(error.message, /it can not be run/);
        return true;
      });
      assert.equal(clock.nextAt(), undefined);
    }
  });

  it("has what the host was started with, but for the host's own secrets", async () => {
    await helper('env', `printf '{"Username":"%s","Secret":"%s"}' "$HERSH_NOTIFY_SECRET" "$VAULT_ADDR"`);
    Object.assign(process.env, { HERSH_NOTIFY_SECRET: 'not-for-it', VAULT_ADDR: 'its-own' });
    try {
      const { auth } = await look(await fileOf({ credsStore: 'env' }), 'a.example');
      assert.deepEqual(auth, password('', 'its-own'));
    } finally {
      delete process.env.HERSH_NOTIFY_SECRET;
      delete process.env.VAULT_ADDR;
    }
  });
});
