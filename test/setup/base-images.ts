import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { pack } from 'tar-stream';
import { aptInstall } from './apt.ts';
import { findCommand, lastLines, runCommand } from './command.ts';
import { buildImage, hasImage, messages, pullImage } from './images.ts';
import { type Say, SetupError } from './say.ts';

export type BaseName = 'node' | 'go' | 'debian';

interface Base {
  /** The name the project gives it, whatever it was made of. */
  own: string;
  /** What a Dockerfile of the examples names when nobody says otherwise, or its nearest kin. */
  official: string;
  /** The build argument through which the examples take it. */
  arg: string;
  /** Debian packages that make it from the plain one. */
  packages: readonly string[];
}

export const BASES: Readonly<Record<BaseName, Base>> = {
  debian: {
    own: 'hersh-base/debian:trixie',
    official: 'debian:trixie-slim',
    arg: 'RUNTIME_IMAGE',
    packages: ['ca-certificates'],
  },
  node: { own: 'hersh-base/node:20', official: 'node:20-slim', arg: 'NODE_IMAGE', packages: ['nodejs'] },
  go: {
    own: 'hersh-base/golang:1.24',
    official: 'golang:1.24-alpine',
    arg: 'GO_IMAGE',
    packages: ['golang-go', 'ca-certificates'],
  },
};

const SUITE = 'trixie';

export interface BaseImages {
  /** The project's tag of each base, there now. */
  tags: Record<BaseName, string>;
  /** What the examples' Dockerfiles must be given: empty where their defaults, the official images, can be had. */
  buildArgs: Record<string, string>;
}

/**
 * Makes sure that the bases are there under the project's own names: the official images where a registry
 * answers, otherwise Debian's packages. One that is there is left as it is. The registry is asked once in all.
 */
export async function ensureBaseImages(
  say: Say,
  docker: Docker,
  which: readonly BaseName[] = ['debian', 'node', 'go'],
): Promise<BaseImages> {
  const buildArgs: Record<string, string> = {};
  let registryAnswers = true;
  for (const name of which) {
    const base = BASES[name];
    if (!(await hasImage(docker, base.own))) {
      if (registryAnswers) registryAnswers = await takeOfficial(say, docker, base);
      if (!registryAnswers) await make(say, docker, base);
    }
    if (!(await hasImage(docker, base.official))) buildArgs[base.arg] = base.own;
  }
  const tags = { debian: BASES.debian.own, node: BASES.node.own, go: BASES.go.own };
  return { tags, buildArgs };
}

async function takeOfficial(say: Say, docker: Docker, base: Base): Promise<boolean> {
  if (!(await hasImage(docker, base.official))) {
    say(`Pulling ${base.official}`);
    const problem = await pullImage(docker, base.official, say);
    if (problem !== undefined) {
      say(`No image registry: ${problem}`);
      return false;
    }
  }
  const at = base.own.indexOf(':');
  await docker.getImage(base.official).tag({ repo: base.own.slice(0, at), tag: base.own.slice(at + 1) });
  say(`${base.own} is ${base.official}`);
  return true;
}

async function make(say: Say, docker: Docker, base: Base): Promise<void> {
  const plain = BASES.debian;
  if (!(await hasImage(docker, plain.own))) await makeDebian(say, docker);
  if (base === plain) return;
  say(`Building ${base.own} from Debian packages: ${base.packages.join(', ')} (a minute or two, once)`);
  const dockerfile = [
    `FROM ${plain.own}`,
    // One layer, and no package lists in it.
    `RUN apt-get update && apt-get install -y --no-install-recommends ${base.packages.join(' ')}` +
      ' && rm -rf /var/lib/apt/lists/*',
    // As in the official Go image: a newer toolchain asked for by a go.mod is an error, not a download.
    ...(base === BASES.go ? ['ENV GOTOOLCHAIN=local GOPATH=/go'] : []),
    '',
  ].join('\n');
  const context = pack();
  context.entry({ name: 'Dockerfile' }, dockerfile);
  context.finalize();
  await buildImage(docker, Readable.from(context), base.own, (line) => {
    if (/^Step |^Setting up (nodejs|golang-go)/.test(line)) say(`  ${line}`);
  });
  say(`${base.own} is ready`);
}

async function makeDebian(say: Say, docker: Docker): Promise<void> {
  const base = BASES.debian;
  if (!findCommand('mmdebstrap')) {
    // The keyring: on distributions other than Debian nothing else brings the keys of Debian's archive.
    await aptInstall(say, 'making base images without a registry', ['mmdebstrap', 'debian-archive-keyring']);
  }
  say(`Building ${base.own} from Debian packages with mmdebstrap (half a minute, once)`);
  const file = join(tmpdir(), `hersh-base-${process.pid}.tar`);
  try {
    const include = `--include=${base.packages.join(',')}`;
    const command = [findCommand('mmdebstrap') ?? 'mmdebstrap', '--variant=minbase', include, SUITE, file];
    const { code, output } = await runCommand(command);
    if (code !== 0) throw new SetupError(`mmdebstrap failed:\n${lastLines(output, 15)}`);
    const at = base.own.indexOf(':');
    const imported = await docker.importImage(file, {
      repo: base.own.slice(0, at),
      tag: base.own.slice(at + 1),
    });
    for await (const message of messages(imported)) {
      if (message.error) throw new SetupError(`Importing ${base.own} failed: ${message.error}`);
    }
  } finally {
    rmSync(file, { force: true });
  }
  say(`${base.own} is ready`);
}
