import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import type { ExampleFiles } from './example-files.ts';
import { type HostClient, type ProgramAnswer, Refused } from './host-client.ts';
import { dim, type Say, SetupError } from './say.ts';

export const QUICKSTART_USER = 'quickstart';
const READY_MS_MAX = 10 * 60_000;
const POLL_MS = 150;
/** A start was asked for already; asking again would be refused. */
const ON_ITS_WAY = new Set(['Building', 'Built', 'Starting', 'Running']);

/** Deploys an example as the deployment guide does, or finds it deployed, and resolves when it is Ready. */
export async function deployExample(say: Say, host: HostClient, files: ExampleFiles): Promise<ProgramAnswer> {
  const program = (await findDeployed(host, files)) ?? (await create(say, host, files));
  if (program.state === 'Ready') {
    say(`${program.program_id} runs already`);
    return program;
  }
  if (!ON_ITS_WAY.has(program.state)) await start(say, host, program);
  return await awaitReady(say, host, program.program_id);
}

async function findDeployed(host: HostClient, files: ExampleFiles): Promise<ProgramAnswer | undefined> {
  const path = `/programs?user_id=${QUICKSTART_USER}`;
  const { programs } = await host.json<{ programs: ProgramAnswer[] }>('GET', path);
  for (const program of programs) {
    try {
      const source = await host.json<{ files: Record<string, string> }>(
        'GET',
        `/programs/${program.program_id}/source`,
      );
      if (isDeepStrictEqual(source.files, { ...files.src_files, Dockerfile: files.dockerfile })) {
        return await host.json('GET', `/programs/${program.program_id}`);
      }
    } catch (error) {
      // One that is gone meanwhile, or whose sources are: not the one we look for.
      if (!(error instanceof Refused)) throw error;
    }
  }
  return undefined;
}

async function create(say: Say, host: HostClient, files: ExampleFiles): Promise<ProgramAnswer> {
  say(`POST /programs: ${Object.keys(files.src_files).length} files and a Dockerfile`);
  const created = await host.json<ProgramAnswer>('POST', '/programs', { user_id: QUICKSTART_USER, ...files });
  say(`Created ${created.program_id}, to be served at ${created.proxy_url}`);
  return created;
}

async function start(say: Say, host: HostClient, program: ProgramAnswer): Promise<void> {
  say(`POST /programs/${program.program_id}/start (it is ${program.state})`);
  try {
    await host.json('POST', `/programs/${program.program_id}/start`);
  } catch (error) {
    // 409: it is on its way already.
    if (!(error instanceof Refused) || error.status !== 409) throw error;
  }
}

async function awaitReady(say: Say, host: HostClient, id: string): Promise<ProgramAnswer> {
  const done = new AbortController();
  let buildLog: Promise<void> | undefined;
  let last = '';
  try {
    for (const deadline = Date.now() + READY_MS_MAX; ; await sleep(POLL_MS)) {
      const program = await host.json<ProgramAnswer>('GET', `/programs/${id}`);
      if (program.state !== last) {
        // The build's last lines come before the state that follows it.
        if (last === 'Building') await Promise.race([buildLog, sleep(1_000)]);
        say(`State: ${program.state}`);
        last = program.state;
      }
      if (program.state === 'Building') {
        const path = `/programs/${id}/build-log?follow=true`;
        buildLog ??= host.lines(path, (line) => line && say(dim(`  ${line}`)), done.signal);
      }
      if (program.state === 'Ready') return program;
      if (program.state === 'Error') throw new SetupError(await describeError(host, program));
      if (Date.now() > deadline) {
        const why = [program.reason, program.error_msg].filter(Boolean).join(': ');
        throw new SetupError(`${id} is still ${program.state} after ${READY_MS_MAX / 60_000} min. ${why}`);
      }
    }
  } finally {
    done.abort();
  }
}

async function describeError(host: HostClient, program: ProgramAnswer & { hint?: string }): Promise<string> {
  const path = `/programs/${program.program_id}`;
  const lines = [`${program.program_id} is in Error: ${program.reason}`, program.error_msg];
  if (program.hint) lines.push(program.hint);
  const { logs } = await host
    .json<{ logs: string }>('GET', `${path}/logs?tail=20`)
    .catch(() => ({ logs: '' }));
  if (logs.trim()) lines.push('The last lines of its log:', logs.trimEnd());
  lines.push(
    program.reason === 'BuildFailed'
      ? `Mend the Dockerfile or the sources and try again. Its whole log: registry/data/builds/${program.build_id}.log`
      : `What happened to it: registry/data/events/${program.program_id}.ndjson`,
  );
  return lines.join('\n');
}
