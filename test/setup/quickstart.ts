/**
 * From a fresh clone to a program that runs: `npm run quickstart [-- example]`, and `npm run quickstart -- --down`
 * to take away what it made.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { fetch } from 'undici';
import { type BaseName, ensureBaseImages } from './base-images.ts';
import { deployExample, QUICKSTART_USER } from './deploy-example.ts';
import { ensureEngine } from './engine.ts';
import { exampleFiles, exampleNames, withDefaults } from './example-files.ts';
import { HostClient, type ProgramAnswer } from './host-client.ts';
import { type HostProcess, startHost, whoAnswers } from './host-process.ts';
import { type HostSettings, hostSettings } from './host-settings.ts';
import { nextSteps } from './next-steps.ts';
import { openPage } from './open-page.ts';
import { ensurePage } from './page.ts';
import { quickstartDown } from './quickstart-down.ts';
import { bold, dim, makeSay, reportAndExit, SetupError } from './say.ts';

const USAGE = `Usage: npm run quickstart                    deploy the counter, and stay in the foreground
       npm run quickstart -- trading-sim     the same with another example
       npm run quickstart -- --down          remove everything that quickstart made`;

/** Deployed by REST, which has no place to say another readiness than the WatcherAPI's. */
const NOT_BY_REST = 'static-site';

const say = makeSay();
try {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) console.log(USAGE);
  else if (args.length === 1 && args[0] === '--down') await quickstartDown(say, hostSettings());
  else if (args.length <= 1 && !args[0]?.startsWith('-')) await up(args[0] ?? 'counter');
  else throw new SetupError(`Unknown arguments: ${args.join(' ')}\n${USAGE}`);
} catch (error) {
  reportAndExit(error);
}

async function up(example: string): Promise<void> {
  const files = exampleFiles(example);
  if (example === NOT_BY_REST) {
    throw new SetupError(`${example} is deployed by its manifest: see examples/${example}/README.md`);
  }
  const settings = hostSettings();
  const docker = await ensureEngine(say);
  const { buildArgs } = await ensureBaseImages(say, docker, basesOf(files.dockerfile));
  const dockerfile = withDefaults(files.dockerfile, buildArgs);
  if (dockerfile !== files.dockerfile) {
    say('The Dockerfile is posted with the local bases as its ARG defaults (there is no image registry)');
  }

  const hasPage = await hasBuiltPage();
  const host = await useOrStart(settings);
  if (host) stopOnSignals(host);
  try {
    const client = new HostClient(settings.url);
    const program = await deployExample(say, client, { ...files, dockerfile });
    await checkOwnership(client, settings, program);
    await show(client, program);
    console.log(nextSteps(example, settings, program, exampleNames()));
    if (hasPage) showPage(`http://localhost:${settings.port}/ui`);
  } catch (error) {
    await host?.stop();
    throw error;
  }
  if (!host) return;
  console.log(
    bold('\nThe host runs in the foreground; its log follows. Ctrl-C stops it, and programs keep running.\n'),
  );
  host.showLog();
  process.exitCode = await host.ended;
  if (process.exitCode !== 0) console.error(`The host ended with code ${process.exitCode}`);
}

/** A host without its page is still one: what is wrong is said, and no more. */
async function hasBuiltPage(): Promise<boolean> {
  try {
    await ensurePage(say);
    return true;
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    say(error.message);
    return false;
  }
}

function showPage(url: string): void {
  const isOpened = openPage(url);
  console.log(`\n${bold(`The page: ${url}`)}${isOpened ? dim('   # opened in your browser') : ''}`);
}

/** `undefined` where a host serves this registry already. */
async function useOrStart(settings: HostSettings): Promise<HostProcess | undefined> {
  switch (await whoAnswers(settings)) {
    case 'our-host':
      say(`A host serves this registry already on port ${settings.port}: using it`);
      return undefined;
    case 'other-host':
      throw new SetupError(
        `Port ${settings.port} is taken by a Hersh host of another registry.\n` +
          'Stop that one, or give this one a port, registry and instance of its own: ' +
          'HERSH_PORT=9001 HERSH_INSTANCE=second npm run quickstart',
      );
    case 'stranger':
      throw new SetupError(
        `Port ${settings.port} is taken by something that is not a Hersh host (who: ss -ltnp 'sport = :${settings.port}').\n` +
          'Stop it, or choose another port: HERSH_PORT=9001 npm run quickstart',
      );
    case 'nobody': {
      say(`Starting the host on ${settings.url} with ${settings.registry}`);
      const host = await startHost(say, settings);
      say('The host is ready');
      return host;
    }
  }
}

/** A host on our port with another registry, while ours is served elsewhere: seen by where the manifest went. */
async function checkOwnership(
  client: HostClient,
  settings: HostSettings,
  program: ProgramAnswer,
): Promise<void> {
  if (existsSync(join(settings.registry, 'programs', `${program.program_id}.yaml`))) return;
  await client.json('DELETE', `/programs/${program.program_id}`);
  throw new SetupError(
    `The host on port ${settings.port} serves another registry than ${settings.registry}.`,
  );
}

function basesOf(dockerfile: string): BaseName[] {
  const names: BaseName[] = [];
  if (dockerfile.includes('ARG RUNTIME_IMAGE')) names.push('debian');
  if (dockerfile.includes('ARG NODE_IMAGE')) names.push('node');
  if (dockerfile.includes('ARG GO_IMAGE')) names.push('go');
  return names;
}

async function show(client: HostClient, program: ProgramAnswer): Promise<void> {
  say(`${bold('Ready')}: container ${program.container_id.slice(0, 12)}`);
  const direct = `${program.proxy_url}/watcher/status`;
  const proxied = `${client.url}/programs/${program.program_id}/proxy/watcher/status`;
  for (const [how, url] of [
    ['Directly', direct],
    ['Through the host', proxied],
  ]) {
    const response = await fetch(url ?? '', { signal: AbortSignal.timeout(10_000) });
    console.log(`\n${how}: curl ${url}\n${(await response.text()).trim()}`);
    if (!response.ok) throw new SetupError(`It answered ${response.status}`);
  }
}

function stopOnSignals(host: HostProcess): void {
  let stopping = false;
  const stop = () => {
    // The terminal, npm and our parent may each pass the same Ctrl-C on.
    if (stopping) return;
    stopping = true;
    console.log(
      `\nStopping the host. Programs of user ${QUICKSTART_USER} keep running; ` +
        'npm run quickstart finds them again, npm run quickstart -- --down removes them.',
    );
    void host.stop().then(() => process.exit(0));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, stop);
}
