import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { Engine } from '../../controller/engine/engine.ts';
import { openContexts } from '../../registry/contexts/contexts.ts';
import { asideName } from '../../registry/contexts/tar.ts';
import { writeTree } from '../registry/folder.ts';
import { never, rejects } from './contract-kit.ts';
import { createDockerFixture, type DockerFixture, ensureBusybox } from './docker-fixture.ts';

/** Contexts whose Dockerfile `.dockerignore` keeps out, over a session as buildx 0.13.1 opens one. */

let fixture: DockerFixture;
let engine: Engine;
let root: string;

before(async () => {
  fixture = await createDockerFixture(29300);
  engine = fixture.engine();
  root = await mkdtemp(join(tmpdir(), 'hersh-aside-'));
  await mkdir(join(root, 'data'));
});

after(async () => {
  await fixture?.close();
  await rm(root, { recursive: true, force: true });
});

const RULES = '*\n!src\n!a/b/c\n!busybox\n';
/** @param mark what no build before had, so that its step runs */
const dockerfileOf = (mark: string) => `FROM scratch
COPY . /
RUN ["/busybox", "sh", "-c", "/busybox find / -xdev -type f -o -type l | /busybox grep -v -e ^/proc -e ^/sys -e ^/dev -e ^/etc | /busybox sort; /busybox stat -c %a:%s /src/run /src/big; /busybox readlink /src/link; : ${mark}"]
`;

async function buildAll(dockerfile: string, name = 'Dockerfile'): Promise<string> {
  const folder = join(root, 'sources', 'x');
  await rm(folder, { recursive: true, force: true });
  await writeTree(folder, {
    ...{ [name]: dockerfile, '.dockerignore': RULES, 'a/b/c': '', 'a/left': '', secret: '' },
    ...{ 'src/big': 'x'.repeat(300_000), 'src/none': '', 'src.txt': '' },
  });
  await writeFile(join(folder, 'busybox'), await readFile(await ensureBusybox()), { mode: 0o755 });
  await writeFile(join(folder, 'src/run'), '#!', { mode: 0o755 });
  await symlink('big', join(folder, 'src/link'));
  const build = { context: 'sources/x', dockerfile: name, args: {} };
  const contexts = openContexts(root, join(root, 'data'), () => Date.now() + 60_000);
  const { path, aside } = await contexts.snapshot(build, (await contexts.look(build)).hash);
  let log = '';
  const request = {
    ...{ dockerfile: name, args: {}, tag: fixture.tag('aside'), labels: {} },
    context: (range?: { start: number; end: number }) => createReadStream(path, range),
    aside: Object.fromEntries(aside.map((one) => [one, asideName(one)])),
  };
  await engine.build(request, (text) => (log += text), never);
  return log;
}

describe('a Dockerfile that is kept out of the context', () => {
  for (const name of ['Dockerfile', 'docker/Dockerfile.prod']) {
    it(`is built from, and no COPY sees it: ${name}`, async () => {
      const log = await buildAll(dockerfileOf(randomUUID()), name);
      const said = log.split('\n').map((line) => line.replace(/^#\d+ ([\d.]+ )?/, ''));
      const seen = said.filter((line) => /^\/(a|busybox|src|docker|Docker|\.docker|secret)/.test(line));
      assert.deepEqual(seen, ['/a/b/c', '/busybox', '/src/big', '/src/link', '/src/none', '/src/run'], log);
      assert.ok(said.includes('755:2') && said.includes('644:300000') && said.includes('big'), log);
    });
  }

  it('can be edited without a COPY being done again, though the contents of all files count', async () => {
    const dockerfile = dockerfileOf('cached');
    await buildAll(dockerfile);
    const log = await buildAll(`${dockerfile}ENV EDITED=${randomUUID()}\n`);
    assert.match(log, /^#(\d+) \S+ COPY \. \/\n#\1 CACHED/m, log);
  });

  it('fails as any other: an error in it, and a file that is not there', async () => {
    await rejects(buildAll('FROM scratch\nNOPE x\n'), 'BuildFailed', 'nknown instruction');
    await rejects(buildAll('FROM scratch\nCOPY secret /\n'), 'BuildFailed', 'secret');
  });
});
