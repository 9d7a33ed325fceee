import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { LABELS } from '../../schemas/program.ts';
import { lastLines } from '../setup/command.ts';
import type { EngineEvents } from './engine-events.ts';
import type { BenchHost } from './host-process.ts';
import { until } from './poll.ts';

/** One program of a host, as its client sees it. */
export interface ProgramAnswer {
  program_id: string;
  build_id: string;
  state: string;
  reason: string;
  error_msg: string;
  container_id: string;
  restart_count: number;
  proxy_url: string;
}

export const USER = 'bench';

/** `POST /programs`: starts nothing. */
export function deploy(host: BenchHost, dockerfile: string): Promise<ProgramAnswer> {
  return host.client.json<ProgramAnswer>('POST', '/programs', { user_id: USER, dockerfile, src_files: {} });
}

/** Puts a manifest into the registry as a person's editor does: no temporary file, no rename. */
export async function writeManifest(registry: string, name: string, spec: string): Promise<void> {
  await writeFile(join(registry, 'programs', `${name}.yaml`), manifest(name, spec));
}

/** `spec` is YAML in braces. */
export function manifest(name: string, spec: string): string {
  return `apiVersion: hersh.dev/v1\nkind: Program\nmetadata: {name: ${name}}\nspec: ${spec}\n`;
}

/** Waits until the host knows a manifest that was written by hand: before, a GET of it answers 404. */
export function untilSeen(host: BenchHost, name: string): Promise<void> {
  return until(`${name} was seen`, async () => {
    const { programs } = await host.client.json<{ programs: ProgramAnswer[] }>('GET', '/programs');
    return programs.some(({ program_id: id }) => id === name);
  });
}

/** Follows a program by GET until it is in that state. Throws when it shows Error instead. */
export async function untilState(host: BenchHost, name: string, state: string): Promise<ProgramAnswer> {
  let last: ProgramAnswer | undefined;
  const ask = async () => {
    last = await host.client.json<ProgramAnswer>('GET', `/programs/${name}`);
    if (last.state === 'Error') throw new Error(`${name} is in Error: ${last.reason}: ${last.error_msg}`);
    return last.state === state;
  };
  const stand = () => `; it is ${last?.state}. The host's log:\n${lastLines(host.log(), 10)}`;
  await until(`${name} is ${state}`, ask, stand);
  if (last === undefined) throw new Error(`nothing was heard of ${name}`);
  return last;
}

/** Deletes a program and waits until its container is gone, so that the next sample starts from a calm engine. */
export async function removeProgram(host: BenchHost, events: EngineEvents, name: string): Promise<void> {
  const gone = events.next(name, 'destroy');
  await host.client.json('DELETE', `/programs/${name}`);
  await gone;
}

/** The container behind a program, as the engine remembers it. */
export async function inspectProgram(docker: Docker, name: string): Promise<Docker.ContainerInspectInfo> {
  const filters = { label: [`${LABELS.program}=${name}`] };
  const [found] = await docker.listContainers({ all: true, filters });
  if (found === undefined) throw new Error(`${name} has no container`);
  return docker.getContainer(found.Id).inspect();
}
