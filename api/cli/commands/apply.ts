import { ApiError } from '../../client.ts';
import type { DryRunBody } from '../host/bodies.ts';
import type { Host } from '../host/host.ts';
import { isUnknownRoute } from '../host/names.ts';
import { CliError, EXIT, type ExitCode } from '../io/exit.ts';
import { type Manifest, readValid } from '../manifests/read-manifest.ts';
import { oneLine } from '../output/paint.ts';
import { ofApi } from '../tell.ts';
import { type AddCommand, type Run, worse } from './run.ts';
import { sayRefused } from './wishes.ts';

const FILES = 'a manifest, a folder of them, or - for standard input; may be given more than once';

export const addApply: AddCommand = (program, use) => {
  const collect = (file: string, before: string[] = []) => [...before, file];
  program
    .command('apply')
    .description('make or replace programs by their manifests; all of them have to be valid before one is')
    .requiredOption('-f, --filename <FILE>', FILES, collect)
    .option('--dry-run', 'change nothing; say what would be changed and done')
    .action(use(apply));
  program
    .command('diff')
    .description(
      'what apply would change and do; exit code 1 where that is anything, 2 and up where it failed',
    )
    .requiredOption('-f, --filename <FILE>', FILES, collect)
    .action(use(diff));
};

interface ApplyOptions {
  filename: string[];
  dryRun?: boolean;
}

async function apply(run: Run, { filename, dryRun = false }: ApplyOptions): Promise<ExitCode> {
  const manifests = await readValid(run.io, filename);
  const host = await run.host();
  let code: ExitCode = EXIT.ok;
  for (const manifest of manifests) {
    try {
      if (dryRun) run.out(dryRunText(run, manifest, await compared(host, manifest)));
      else run.out(`${manifest.name}: ${await put(host, manifest)}\n`);
    } catch (error) {
      if (!(error instanceof ApiError) || error.status === 0) throw error;
      code = worse(code, sayRefused(run, manifest.name, error));
    }
    if (run.io.signal.aborted) break;
  }
  return code;
}

/** As kubectl's: 1 is a difference, whatever is more a failure. */
async function diff(run: Run, { filename }: ApplyOptions): Promise<ExitCode> {
  const manifests = await readValid(run.io, filename).catch(asError);
  const host = await run.host();
  let isAny = false;
  for (const manifest of manifests) {
    const found = await compared(host, manifest).catch(asError);
    if (found === undefined) continue;
    isAny = true;
    run.out(dryRunText(run, manifest, found));
  }
  return isAny ? EXIT.failed : EXIT.ok;
}

function asError(error: unknown): never {
  const known = error instanceof ApiError && error.status !== 0 ? ofApi(error) : error;
  if (!(known instanceof CliError) || known.code !== EXIT.failed) throw error;
  throw new CliError(EXIT.usage, known.message, known.hint);
}

/** What is there now; undefined where there is none. */
async function current(host: Host, name: string): Promise<{ text: string; etag: string } | undefined> {
  return host.client.manifest(name).catch((error: unknown) => {
    if (error instanceof ApiError && error.status === 404 && !isUnknownRoute(error)) return undefined;
    throw error;
  });
}

async function put(host: Host, { name, text }: Manifest): Promise<string> {
  const before = await current(host, name);
  if (before?.text === text) return 'unchanged';
  const { created } = await host.client.putManifest(name, text, before?.etag);
  return created ? 'created' : 'configured';
}

/** Undefined where nothing would change. */
async function compared(host: Host, { name, text }: Manifest): Promise<DryRunBody | undefined> {
  const before = await current(host, name);
  if (before?.text === text) return undefined;
  const found = await host.client.dryRun(name, text);
  // Comments alone: the file would be written, and nothing done.
  return found.changed || found.actions.length > 0 || before === undefined ? found : undefined;
}

function dryRunText({ paint }: Run, { name }: Manifest, found: DryRunBody | undefined): string {
  if (found === undefined) return `${name}: unchanged\n`;
  const lines = found.diff.flatMap(({ path, from, to }) => [
    ...(from === undefined ? [] : [paint('red', `  - ${path}: ${valueText(from)}`)]),
    ...(to === undefined ? [] : [paint('green', `  + ${path}: ${valueText(to)}`)]),
  ]);
  const actions = found.actions.map((action) => `  would ${oneLine(action)}`);
  return `${[`${name}:`, ...lines, ...actions].join('\n')}\n`;
}

function valueText(value: unknown): string {
  return oneLine(typeof value === 'string' ? value : JSON.stringify(value));
}
