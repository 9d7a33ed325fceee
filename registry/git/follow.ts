import { randomBytes } from 'node:crypto';
import { mkdir, readdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { AppError, codeOf } from '../../schemas/errors.ts';
import { fetchWhole } from './fetch.ts';
import type { GitHead } from './head.ts';
import { whyNotMoved } from './linked-own-folders.ts';
import type { Mover } from './move.ts';
import { createGitRun, type GitResult, type GitRun, wordsOf } from './run.ts';

/** A remote that says nothing for this long is unreachable; how much it has to say is its own affair. */
export const FETCH_SILENCE_MS = 120_000;
/** Where the branch is kept, as that of a remote: `hersh-host/main`. */
const REMOTE = 'hersh-host';
/**
 * The remote's name in this host's calls, to which nothing is written. One that the repository's configuration knows,
 * or a file of it, would bring its own address, and git takes the first: so nobody else can have it.
 */
const REMOTE_HERE = `${REMOTE}-${randomBytes(8).toString('hex')}`;

/** The start of the host waits this long to be told the forms. */
const FORMS_MS_MAX = 5_000;

/** A branch elsewhere that the registry is kept equal to. */
export interface Remote {
  /** What `git fetch` takes; it may hold a password, so it is shown through `redactUrl` only. */
  url: string;
  branch: string;
  intervalMs: number;
  /** A fetch is given up when the remote says nothing for this long. Default 2 minutes. */
  silenceMs?: number;
}

/** Why nothing is taken over from a remote. */
export interface RemoteTrouble {
  /** It does not answer; it holds another history; the work tree is in the way; a submodule of it can not be had. */
  reason: 'RemoteUnreachable' | 'RemoteDiverged' | 'RemoteBlocked' | 'SubmoduleUnavailable';
  /** For people: no password in it. */
  message: string;
}

/** Outcome of one try. */
export interface Followed {
  trouble: RemoteTrouble | undefined;
  moved: boolean;
}

/**
 * Fetches the branch and moves HEAD, index and files to it where that is a mere fast-forward and no file that
 * somebody changed here is in the way. Otherwise nothing changes.
 * @param commonDir where git keeps refs and objects
 */
export async function followOnce(
  run: GitRun,
  remote: Remote,
  readHead: () => Promise<GitHead>,
  mover: Pick<Mover, 'move' | 'bring' | 'owesSubmodules'>,
  commonDir: string,
): Promise<Followed> {
  const { branch } = remote;
  const shown = redactUrl(remote.url);
  const stay = (reason: RemoteTrouble['reason'], message: string): Followed => ({
    trouble: { reason, message },
    moved: false,
  });
  const said = (result: GitResult) => redactText(wordsOf(result), remote.url);

  const bring = async () => {
    const missing = redactText(await mover.bring(relativeTo(remote)), remote.url);
    return missing && `submodules of ${branch} are not at the commit that it names: ${missing}`;
  };
  const brought = async (moved: boolean): Promise<Followed> => {
    const message = await bring();
    return { trouble: message === '' ? undefined : { reason: 'SubmoduleUnavailable', message }, moved };
  };

  // A host that ended between its move and them has left files without; that must not wait for the remote.
  const missing = mover.owesSubmodules() ? await bring() : '';

  const target = `refs/remotes/${REMOTE}/${branch}`;
  const fetched = await fetchWhole({
    ...{ run, commonDir, what: [REMOTE_HERE, `+refs/heads/${branch}:${target}`] },
    options: {
      config: { [`remote.${REMOTE_HERE}.url`]: fetchable(remote.url) },
      silenceMs: remote.silenceMs ?? FETCH_SILENCE_MS,
    },
  });
  if (fetched.code !== 0)
    return stay(
      'RemoteUnreachable',
      [`${branch} can not be fetched from ${shown}: ${said(fetched)}`, missing].filter(Boolean).join('; '),
    );
  const head = await readHead();
  const theirs = (await run(['rev-parse', '--verify', `${target}^{commit}`])).stdout.trim();
  if (head.ref !== `refs/heads/${branch}`) {
    const where = head.ref === '' ? 'no branch' : head.ref.replace(/^refs\/heads\//, '');
    return stay('RemoteBlocked', `the work tree is on ${where}, not on ${branch}`);
  }
  if (head.id === theirs) return brought(false);
  if (head.operation !== '')
    return stay('RemoteBlocked', `a ${head.operation} is in progress in the work tree`);
  if (head.id !== '' && (await run(['merge-base', '--is-ancestor', head.id, theirs])).code !== 0) {
    return stay(
      'RemoteDiverged',
      `the work tree holds commits that ${branch} of ${shown} does not: they diverged; push them there, or drop them with git reset --hard ${REMOTE}/${branch} in the registry`,
    );
  }
  const merged = (await whyNotMoved(run, theirs)) ?? (await mover.move(head.id, theirs));
  if (merged.code !== 0)
    return stay('RemoteBlocked', `${branch} of ${shown} can not be taken over: ${said(merged)}`);
  return brought(true);
}

/**
 * Makes a registry that is to follow a remote a git work tree where it holds nothing yet.
 * Rejects `RegistryUnavailable` where it holds files that git knows nothing of.
 */
export async function prepareFollowing(root: string, remote: Remote): Promise<void> {
  await mkdir(root, { recursive: true });
  const names = await readdir(root);
  if (names.includes('.git')) return;
  if (!(await holdsNothing(root, names))) {
    throw new AppError(
      'RegistryUnavailable',
      `the registry holds files but is not a git work tree, so it can not follow ${redactUrl(remote.url)}`,
      { hint: 'Empty the folder, or put a clone of the remote there.' },
    );
  }
  const run = createGitRun(root);
  const result = await run([
    'init',
    '-q',
    `--initial-branch=${remote.branch}`,
    ...(await formsOf(run, remote)),
  ]);
  if (result.code === 0) return;
  throw new AppError('RegistryUnavailable', `git can not make a work tree here: ${wordsOf(result)}`, {
    hint: 'Following a remote needs git 2.28 or newer.',
  });
}

/**
 * The forms of names and references that the repository elsewhere has, as far as it tells: one whose names are
 * sha256 can not be fetched into another.
 */
async function formsOf(run: GitRun, { url }: Remote): Promise<string[]> {
  const config = { [`remote.${REMOTE_HERE}.url`]: fetchable(url) };
  const { stdout } = await run(['ls-remote', REMOTE_HERE, 'HEAD', 'refs/heads/*'], {
    config,
    env: { GIT_DIR: '/dev/null' },
    limitMs: FORMS_MS_MAX,
  });
  const forms = /^[0-9a-f]{64}\t/m.test(stdout) ? ['--object-format=sha256'] : [];
  // Only a folder of this machine says how it keeps references, to a git that knows the question (2.44).
  const refs = await run(['-C', fetchable(url), 'rev-parse', '--show-ref-format'], {
    env: { GIT_CEILING_DIRECTORIES: dirname(fetchable(url)) },
  });
  return refs.code === 0 && refs.stdout.trim() === 'reftable' ? [...forms, '--ref-format=reftable'] : forms;
}

/** Folders that the host itself makes do not count, as long as nobody put anything into the two for people. */
async function holdsNothing(root: string, names: readonly string[]): Promise<boolean> {
  for (const name of names) {
    if (name === 'status' || name === 'data') continue;
    if (name !== 'programs' && name !== 'sources') return false;
    const inside = await readdir(join(root, name)).catch((error) => [codeOf(error)]);
    if (inside.length > 0) return false;
  }
  return true;
}

/** A path is meant from where the host was started, not from the registry. */
function fetchable(url: string): string {
  return /^[^/]*:/.test(url) ? url : resolve(url);
}

/**
 * What git asks for an address like `../lib.git` of a submodule: the remote of the branch. It writes what comes of it
 * into its configuration, so without a password; where one is needed, a credential helper has it.
 */
export function relativeTo({ url, branch }: Pick<Remote, 'url' | 'branch'>): Record<string, string> {
  const address = fetchable(url);
  const base = /^https?:/i.test(address)
    ? redactUrl(address)
    : address.replace(/^(\w+:\/\/[^/:@]*):[^/@]*@/, '$1@');
  return { [`remote.${REMOTE_HERE}.url`]: base, [`branch.${branch}.remote`]: REMOTE_HERE };
}

/** The address without user, password and query: what may be shown. */
export function redactUrl(url: string): string {
  return url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/]*@/i, '$1').replace(/[?#].*$/s, '');
}

/** The same for an address, or any other with a password, inside a text. */
export function redactText(text: string, url?: string): string {
  return (url === undefined ? text : text.replaceAll(url, redactUrl(url)))
    .replaceAll(/:\/\/[^/\s'"]*@/g, '://')
    .replaceAll(/(:\/\/[^\s'"?]*)\?[^\s'"]*/g, '$1');
}
