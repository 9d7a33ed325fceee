import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { newToken } from '../../../registry/tokens/new-token.ts';
import { changeTokensFile, readTokensFile } from '../../../registry/tokens/tokens-file.ts';
import { parseTokens, withoutTokens, withToken } from '../../../registry/tokens/tokens-text.ts';
import { AppError } from '../../../schemas/errors.ts';
import { timestamp, USER_ID_PATTERN } from '../../../schemas/program.ts';
import { hasEnded, type StoredToken, TOKEN_ROLES, type TokenRole } from '../../../schemas/token.ts';
import { parseDuration } from '../io/duration.ts';
import { CliError, EXIT } from '../io/exit.ts';
import type { Io } from '../io/io.ts';
import { type Column, table } from '../output/table.ts';
import type { AddCommand, Run } from './run.ts';

interface FileOption {
  file?: string;
}

interface CreateOptions extends FileOption {
  name: string;
  role: TokenRole;
  user?: string;
  expires?: string;
}

type Row = StoredToken & { isOver: boolean };

const COLUMNS: Column<Row>[] = [
  { head: 'ID', text: ({ id }) => id },
  { head: 'NAME', text: ({ name }) => name },
  { head: 'ROLE', text: ({ role }) => role },
  { head: 'USER', text: ({ userId }) => userId ?? '' },
  { head: 'CREATED', spare: 1, text: ({ createdAt }) => createdAt.slice(0, 10) },
  {
    head: 'ENDS',
    text: ({ expiresAt, isOver }) => (isOver ? `${expiresAt} (over)` : (expiresAt ?? 'never')),
  },
];

const NAME_PATTERN = /^[A-Za-z0-9][A-Za-z0-9_.@-]{0,62}$/;

export const addToken: AddCommand = (program, use) => {
  const token = program
    .command('token')
    .description('who may ask a host: edits the file of its --tokens, on its machine; no host is asked');
  const withFile = (command: Command) =>
    command.option('--file <FILE>', 'that file; HERSH_TOKENS without', undefined);
  withFile(token.command('create').description('make one, and show it once'))
    .requiredOption('--name <NAME>', 'what it is for, or whose it is', nameOption)
    .requiredOption('--role <ROLE>', `${TOKEN_ROLES.join(', ')}`, roleOption)
    .option('--user <USER>', 'whose programs it is for, of the role user')
    .option('--expires <WHEN>', 'in 90d or 12h, or at a time such as 2027-01-31T00:00:00Z')
    .action(use((run: Run, options: CreateOptions) => create(run, options)));
  withFile(token.command('list').description('show them, without the tokens themselves')).action(
    use((run: Run, options: FileOption) => list(run, options)),
  );
  withFile(token.command('revoke').description('take them away, which counts within a second'))
    .argument('<TOKEN...>', 'ids, or names that only one has')
    .action(use((run: Run, words: string[], options: FileOption) => revoke(run, words, options)));
};

async function create(run: Run, { name, role, user, expires, ...given }: CreateOptions) {
  const file = fileOf(run.io, given);
  if ((role === 'user') !== (user !== undefined))
    throw new CliError(EXIT.usage, 'the role user, and no other, takes --user USER');
  if (user !== undefined && !USER_ID_PATTERN.test(user))
    throw new CliError(EXIT.usage, `--user: ${JSON.stringify(user)} can be no userId`);
  const now = run.io.now();
  const expiresAt = expires === undefined ? undefined : endOf(expires, now);
  const { token, stored } = newToken({ name, role, userId: user, expiresAt }, now);
  await toldInOurWords(() =>
    changeTokensFile(file, true, (text) => ({ text: withToken(text, file, stored), result: undefined })),
  );
  run.say(`${stored.id} ${name} is in ${file}; this is shown once:`);
  run.out(`${token}\n`);
  return EXIT.ok;
}

async function list(run: Run, given: FileOption) {
  const file = fileOf(run.io, given);
  const { tokens } = await toldInOurWords(() => readTokensFile(file));
  const now = run.io.now();
  const rows = tokens.map((token) => ({ ...token, isOver: hasEnded(token, now) }));
  if (rows.length === 0) run.say('there are no tokens: hershctl token create makes one');
  else run.out(table(COLUMNS, rows, { out: run.io.stdout, paint: run.paint }));
  return EXIT.ok;
}

async function revoke(run: Run, words: readonly string[], given: FileOption) {
  const file = fileOf(run.io, given);
  const gone = await toldInOurWords(() =>
    changeTokensFile(file, false, (text) => {
      const tokens = parseTokens(text, file);
      const result = words.map((word) => meant(word, tokens));
      return { text: withoutTokens(text, file, new Set(result.map(({ id }) => id))), result };
    }),
  );
  for (const { id, name } of gone) run.out(`${id} ${name} is revoked\n`);
  return EXIT.ok;
}

function meant(word: string, tokens: readonly StoredToken[]): StoredToken {
  const found = tokens.filter(({ id, name }) => id === word || name === word);
  const [one] = found;
  if (one === undefined) throw new CliError(EXIT.notFound, `there is no token ${JSON.stringify(word)}`);
  if (found.length === 1) return one;
  const ids = found.map(({ id }) => id).join(', ');
  throw new CliError(EXIT.usage, `${found.length} tokens have the name ${word}: ${ids}`, 'Write an id.');
}

function fileOf({ env, cwd }: Io, { file }: FileOption): string {
  const said = file ?? env.HERSH_TOKENS ?? '';
  if (said === '') throw new CliError(EXIT.usage, 'which file?', 'Write --file FILE, or set HERSH_TOKENS.');
  return said.startsWith('~/') && env.HOME ? join(env.HOME, said.slice(2)) : resolve(cwd, said);
}

function endOf(text: string, nowMs: number): string {
  const ms = parseDuration(text);
  const isTime = /^\d{4}-\d\d-\d\d(T|$)/.test(text) && !Number.isNaN(Date.parse(text));
  const endMs = ms !== undefined ? nowMs + ms : isTime ? Date.parse(text) : Number.NaN;
  if (endMs > nowMs) return timestamp(endMs);
  throw new CliError(EXIT.usage, `--expires: ${JSON.stringify(text)} is no time to come`);
}

function nameOption(text: string): string {
  if (!NAME_PATTERN.test(text)) throw new InvalidArgumentError('Write letters, digits and _.@- alone.');
  return text;
}

function roleOption(text: string): TokenRole {
  const role = TOKEN_ROLES.find((one) => one === text);
  if (role === undefined) throw new InvalidArgumentError(`Write ${TOKEN_ROLES.join(', ')}.`);
  return role;
}

async function toldInOurWords<T>(work: () => Promise<T>): Promise<T> {
  return work().catch((error: unknown) => {
    if (!(error instanceof AppError)) throw error;
    throw new CliError(EXIT.failed, error.message, error.hint);
  });
}
