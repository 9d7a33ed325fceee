import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { enginesFolder } from '../other-engines/unpacked.ts';
import { aptInstall } from '../setup/apt.ts';
import { findCommand, lastLines, runCommand } from '../setup/command.ts';
import { type Say, SetupError } from '../setup/say.ts';

/** Debian's suite that has the buildx which `registry/contexts/dockerignore.ts` follows: 0.13.1 in November 2026. */
export const SUITE = 'trixie';

/** The path of buildx, from Debian's package unpacked to a temporary folder; nothing is installed. */
export async function ensureBuildx(say: Say): Promise<string> {
  const folder = join(enginesFolder(), `buildx-${SUITE}`);
  const command = join(folder, 'usr/libexec/docker/cli-plugins/docker-buildx');
  if (existsSync(command)) return command;
  if (!findCommand('mmdebstrap'))
    await aptInstall(say, 'unpacking buildx', ['mmdebstrap', 'debian-archive-keyring']);
  say(`Unpacking buildx of Debian's ${SUITE} to ${folder} (a minute, once)`);
  mkdirSync(enginesFolder(), { recursive: true });
  const part = `${folder}.part`;
  rmSync(part, { recursive: true, force: true });
  const { code, output } = await runCommand([
    ...['mmdebstrap', '--variant=extract', '--include=docker-buildx'],
    ...['--aptopt=Acquire::Check-Valid-Until "false"', SUITE, part],
  ]);
  if (code !== 0) throw new SetupError(`mmdebstrap ${SUITE} failed:\n${lastLines(output, 15)}`);
  renameSync(part, folder);
  return command;
}

/** A context as buildx sends it: contents by name, or why it sends nothing. */
export type Sent = ReadonlyMap<string, string> | Error;

/** What `COPY . /` of each folder gives, by buildx and the engine of this machine. */
export interface Buildx {
  version: string;
  send(folders: readonly string[]): Promise<Sent[]>;
  close(): void;
}

/**
 * @param host of the engine, as in DOCKER_HOST
 * @param read gives the files below a folder
 */
export async function openBuildx(
  command: string,
  host: string,
  read: (folder: string) => ReadonlyMap<string, string>,
): Promise<Buildx> {
  const home = mkdtempSync(join(tmpdir(), 'hersh-buildx-'));
  // A folder of its own for what it remembers, and no settings of whoever runs this.
  const run = (args: readonly string[]) =>
    runCommand(['env', `DOCKER_CONFIG=${home}`, `DOCKER_HOST=${host}`, command, ...args]);
  const { output } = await run(['version']);

  /** Many at a time, since most of what one takes is the client's own start. One that fails fails all of them. */
  async function send(folders: readonly string[]): Promise<Sent[]> {
    if (folders.length === 0) return [];
    const out = mkdtempSync(join(home, 'out-'));
    const target = Object.fromEntries(
      folders.map((context, index) => [
        `case${index}`,
        { context, dockerfile: 'Dockerfile', output: [`type=local,dest=${join(out, String(index))}`] },
      ]),
    );
    const plan = join(out, 'bake.json');
    writeFileSync(plan, JSON.stringify({ target }));
    const { code, output } = await run(['bake', '--progress=plain', '-f', plan, ...Object.keys(target)]);
    try {
      if (code === 0) return folders.map((_, index) => read(join(out, String(index))));
    } finally {
      rmSync(out, { recursive: true, force: true });
    }
    if (folders.length === 1) return [new Error(lastLines(output, 3))];
    const half = Math.ceil(folders.length / 2);
    return [...(await send(folders.slice(0, half))), ...(await send(folders.slice(half)))];
  }

  return {
    version: /v?\d+\.\d+\.\d+\S*/.exec(output)?.[0] ?? output.trim(),
    send,
    close: () => rmSync(home, { recursive: true, force: true }),
  };
}
