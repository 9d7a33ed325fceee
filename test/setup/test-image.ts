import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';
import { aptInstall } from './apt.ts';
import { findCommand, lastLines, runCommand } from './command.ts';
import { buildImage, imageId } from './images.ts';
import { type Say, SetupError } from './say.ts';

export const TEST_IMAGE = 'hersh-test/server:latest';
const FOLDER = new URL('./test-server/', import.meta.url);
/** Tells which sources an image was made of, so that it is made again only when they change. */
const LABEL = 'dev.hersh.test.sources';

export interface TestImage {
  tag: string;
  /** `sha256:…` */
  id: string;
}

/** The image with the server of test-server/server.c, which plays every program that tests need. */
export async function ensureTestImage(say: Say, docker: Docker): Promise<TestImage> {
  const source = readFileSync(new URL('server.c', FOLDER));
  const dockerfile = readFileSync(new URL('Dockerfile', FOLDER));
  const hash = createHash('sha256').update(source).update(dockerfile).digest('hex');
  const there = await imageId(docker, TEST_IMAGE);
  if (there !== undefined) {
    const { Config: config } = await docker.getImage(there).inspect();
    if (config.Labels?.[LABEL] === hash) return { tag: TEST_IMAGE, id: there };
  }
  const binary = await compile(say);
  const context = pack();
  const mtime = new Date(0);
  context.entry({ name: 'Dockerfile', mtime }, dockerfile);
  context.entry({ name: 'state', type: 'directory', mode: 0o755, mtime });
  context.entry({ name: 'server', mode: 0o755, mtime }, binary);
  context.finalize();
  say(`Building ${TEST_IMAGE}`);
  await buildImage(docker, Readable.from(context), TEST_IMAGE, () => {}, { labels: { [LABEL]: hash } });
  const id = await imageId(docker, TEST_IMAGE);
  if (id === undefined) throw new SetupError(`Building ${TEST_IMAGE} gave no image`);
  return { tag: TEST_IMAGE, id };
}

async function compile(say: Say): Promise<Buffer> {
  if (!findCommand('gcc')) await aptInstall(say, 'the test program', ['gcc', 'libc6-dev']);
  const folder = mkdtempSync(join(tmpdir(), 'hersh-test-server-'));
  try {
    const out = join(folder, 'server');
    const source = new URL('server.c', FOLDER).pathname;
    const argv = ['gcc', '-O2', '-Wall', '-Wextra', '-static', '-s', '-o', out, decodeURIComponent(source)];
    const { code, output } = await runCommand(argv);
    if (code !== 0) throw new SetupError(`gcc failed:\n${lastLines(output, 20)}`);
    return readFileSync(out);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
