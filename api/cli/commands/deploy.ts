import { userInfo } from 'node:os';
import { basename, resolve } from 'node:path';
import { messageOf } from '../../../schemas/errors.ts';
import { NAME_PATTERN, USER_ID_PATTERN } from '../../../schemas/program.ts';
import { ApiError } from '../../client.ts';
import type { ProgramBody } from '../host/bodies.ts';
import type { Host } from '../host/host.ts';
import { exactly } from '../host/names.ts';
import { CliError, EXIT, type ExitCode } from '../io/exit.ts';
import { asData, formatOf, isData } from '../output/format.ts';
import { type Folder, readFolder } from '../sources/read-folder.ts';
import { ofApi } from '../tell.ts';
import { type Deployed, followDeploy } from './deploy-follow.ts';
import { type AddCommand, durationOption, type Run } from './run.ts';

interface DeployOptions {
  name?: string;
  user?: string;
  output?: string;
  detach?: boolean;
  timeout: number;
}

export const addDeploy: AddCommand = (program, use) => {
  program
    .command('deploy')
    .description('build and run a folder with a Dockerfile, and tell when it is Ready')
    .argument('<DIR>', 'the folder; what its .dockerignore leaves out is not sent')
    .option('-n, --name <NAME>', 'what the program is called; one that exists gets these files in place')
    .option('-u, --user <USER>', 'whose it is; HERSH_USER, that of the context or who is logged in without')
    .option('-d, --detach', 'do not wait until it is Ready')
    .option('--timeout <TIME>', 'wait so long, then end with 124; 0: as long as it takes', durationOption, 0)
    .option('-o, --output <FORM>', 'table (its URL), json, yaml')
    .action(use(deploy));
};

async function deploy(run: Run, dir: string, options: DeployOptions): Promise<ExitCode> {
  const format = formatOf(options.output, ['table', 'json', 'yaml']);
  const { name } = options;
  if (name !== undefined && !NAME_PATTERN.test(name))
    throw new CliError(EXIT.usage, `${JSON.stringify(name)} can not be the name of a program`, NAME_WORDS);
  const folder = await readFolder(resolve(run.io.cwd, dir), dir);
  for (const warning of folder.warnings) run.say(`note: ${warning}`);
  const host = await run.host();
  const before = name === undefined ? undefined : await exactly(host, name);
  const user = before === undefined ? await userOf(run, options.user) : options.user;
  const submit = () =>
    before === undefined
      ? create(run, host, folder, { name, user })
      : update(run, host, folder, { before, user });
  const isDetached = options.detach === true;
  const program = isDetached
    ? await host.client.program((await submit()).name)
    : await followDeploy(run, host, submit, {
        dockerfile: folder.dockerfile,
        dir,
        timeoutMs: options.timeout,
      });
  if (isData(format)) run.out(asData(program, format));
  else run.out(`${program.proxy_url}\n`);
  if (host.isTunnel) run.say(`(on the machine of the host; hershctl open ${program.program_id} leads there)`);
  return EXIT.ok;
}

const NAME_WORDS = 'It begins with a letter or digit and holds only letters, digits, ".", "_" and "-".';

type Named = { name: string | undefined; user: string | undefined };

async function create(run: Run, host: Host, folder: Folder, { name, user = '' }: Named): Promise<Deployed> {
  const body = {
    user_id: user,
    dockerfile: folder.dockerfile,
    src_files: folder.files,
    ...(name && { name }),
  };
  const { program_id: made, build_id: buildId } = await host.client.create(body).catch(asFailed);
  // A host from before programs could be named by who creates them passes the name over.
  if (name !== undefined && made !== name)
    throw new CliError(
      EXIT.failed,
      `the host is older than this command: it takes no name, and created ${made}, which is not started`,
      `hershctl delete ${made}; then deploy without --name, or bring the host up to date`,
    );
  run.say(`${made}: created`);
  try {
    await host.client.wish(made, 'start').catch(unlessStarted);
  } catch (error) {
    const hint = `hershctl start ${made}, or hershctl delete ${made}`;
    throw new CliError(EXIT.failed, `${made} was created and not started: ${messageOf(error)}`, hint);
  }
  return { name: made, buildId };
}

/** What was there before it is asked for again, where it does not run. */
async function update(
  run: Run,
  host: Host,
  folder: Folder,
  { before, user }: { before: ProgramBody; user: string | undefined },
): Promise<Deployed> {
  const { program_id: name, state } = before;
  if (user !== undefined && user !== before.user_id)
    throw new CliError(
      EXIT.refused,
      `${name} belongs to ${before.user_id}, not to ${user}`,
      'Leave --user out.',
    );
  const body = { dockerfile: folder.dockerfile, src_files: folder.files };
  const { build_id: buildId, changed } = await host.client.putSources(name, body).catch(asFailed);
  run.say(changed ? `${name}: a new revision is made of ${folderWords(folder)}` : `${name}: nothing changed`);
  const isDown = ['Created', 'Stopped', 'Stopping'].includes(state) || (state === 'Error' && !changed);
  if (isDown) await host.client.wish(name, 'start').catch(unlessStarted);
  return { name, buildId };
}

function folderWords({ files }: Folder): string {
  const count = Object.keys(files).length + 1;
  return count === 1 ? 'its Dockerfile' : `${count} files`;
}

/** Sources that are refused are a deploy that failed, not a command line that is wrong. */
function asFailed(error: unknown): never {
  if (!(error instanceof ApiError) || error.status !== 400) throw error;
  const { message, hint } = ofApi(error);
  throw new CliError(EXIT.failed, message, hint);
}

function unlessStarted(error: unknown): void {
  if (!(error instanceof ApiError) || error.status !== 409) throw error;
}

/** Whose a new program is. */
async function userOf(run: Run, said: string | undefined): Promise<string> {
  const { env } = run.io;
  const user = said || env.HERSH_USER || (await run.context()).user || env.USER || userInfo().username;
  if (USER_ID_PATTERN.test(user)) return user;
  throw new CliError(
    EXIT.usage,
    `${JSON.stringify(user)} can not be a user_id`,
    `Say whose it is: --user ${basename(run.io.cwd)}`,
  );
}
