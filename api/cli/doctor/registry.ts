import { access, constants, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { findFolders } from '../../../registry/git/folders.ts';
import { askHead, createHeadReader } from '../../../registry/git/head.ts';
import { refuseLinkedOwnFolders } from '../../../registry/git/linked-own-folders.ts';
import { isHeldByLiving } from '../../../registry/git/lock-holder.ts';
import { createGitRun } from '../../../registry/git/run.ts';
import { registryPaths } from '../../../registry/paths.ts';
import { livingOwner } from '../../../registry/records/lock.ts';
import { codeOf, describeProblem, withHint } from '../../../schemas/errors.ts';
import type { Runtime } from '../../../schemas/program.ts';
import { CliError } from '../io/exit.ts';
import { readTexts } from '../io/files.ts';
import type { Io } from '../io/io.ts';
import { readManifest } from '../manifests/read-manifest.ts';
import { type Finding, failed, ok, warning } from './finding.ts';

const PROBLEMS_SHOWN = 5;

/** The folder of a registry, what git makes of it, whose it is, and what its manifests say. */
export async function checkRegistry(
  io: Io,
  root: string,
  { runtime, answers }: { runtime: Runtime; answers: boolean },
): Promise<{ findings: Finding[]; isInGit: boolean }> {
  const folder = await checkFolder(root);
  if (folder.status === 'failed') return { findings: [folder], isInGit: false };
  const git = await checkWorkTree(root);
  return {
    findings: [
      folder,
      await checkLock(root, answers),
      ...git.findings,
      await checkManifests(io, root, runtime),
    ],
    isInGit: git.isInGit,
  };
}

async function checkFolder(root: string): Promise<Finding> {
  const { programs, status, data } = registryPaths(root);
  try {
    if (!(await stat(root)).isDirectory()) return failed('registry', `${root} is no folder`, NAME_IT);
    await refuseLinkedOwnFolders(root);
  } catch (error) {
    const isGone = codeOf(error) === 'ENOENT';
    return failed('registry', isGone ? `there is no ${root}` : withHint(error), NAME_IT);
  }
  for (const path of [root, programs, status, data]) {
    const code = await access(path, constants.R_OK | constants.W_OK | constants.X_OK).then(
      () => '',
      (error) => codeOf(error),
    );
    // What is missing is made by the host.
    if (code === '' || (code === 'ENOENT' && path !== root)) continue;
    const message = `${path} can not be read and written by this user (${code})`;
    return failed('registry', message, `Run this as the user of the host, or: sudo chown -R "$USER" ${root}`);
  }
  return ok('registry', `${root} can be read and written`);
}

const NAME_IT = 'Name the one that the host has: hershctl doctor --registry DIR';

/** @param answers whether a host was reached, which then is its owner */
async function checkLock(root: string, answers: boolean): Promise<Finding> {
  const path = join(registryPaths(root).locks, 'host.lock');
  const owner = await livingOwner(path);
  if (owner === undefined) return ok('lock', 'no host has it in use; a lock that one left is taken over');
  const held = `process ${owner.pid} has it in use (${owner.about})`;
  if (answers) return ok('lock', held);
  return warning(
    'lock',
    `${held}, and no host answers at the address that was asked`,
    `Name its address with --server, or end it: kill ${owner.pid}`,
  );
}

/** What git is in the middle of, and locks that one left. */
async function checkWorkTree(root: string): Promise<{ findings: Finding[]; isInGit: boolean }> {
  const unused: string[] = [];
  const run = createGitRun(root);
  const folders = await findFolders(root, run, (why) => unused.push(why));
  const [why] = unused;
  if (why !== undefined)
    return { findings: [failed('git-state', why, `git -C ${root} status`)], isInGit: true };
  if (folders === undefined) return { findings: [], isInGit: false };
  const { operation, locked, ref } = await createHeadReader(folders, (isReftable) =>
    askHead(run, isReftable),
  )();
  const lock = join(folders.gitDir, 'index.lock');
  const findings: Finding[] = [];
  if (operation !== '')
    findings.push(
      failed(
        'git-state',
        `a ${operation} stands half done: what lies there is not taken up`,
        `git -C ${folders.top} status says how it goes on; or end it: git -C ${folders.top} ${operation.split(' ')[0]} --abort`,
      ),
    );
  if (locked && !(await isHeldByLiving(lock)))
    findings.push(
      warning('git-state', 'a lock of git is there, and no git is seen that holds it', `rm ${lock}`),
    );
  if (findings.length === 0)
    findings.push(ok('git-state', ref === '' ? 'a detached HEAD' : `on ${ref.replace('refs/heads/', '')}`));
  return { findings, isInGit: true };
}

async function checkManifests(io: Io, root: string, runtime: Runtime): Promise<Finding> {
  const { programs } = registryPaths(root);
  const texts = await readTexts(io, programs).catch((error: unknown) => {
    // None yet.
    if (error instanceof CliError) return [];
    throw error;
  });
  const problems = texts.flatMap(({ label, text }) => {
    const path = label.startsWith('/') ? label : join(programs, label);
    return readManifest(io, { label: path, text }, runtime).problems;
  });
  if (problems.length === 0) return ok('manifests', `${texts.length} manifests are valid`);
  const shown = problems.slice(0, PROBLEMS_SHOWN).map(describeProblem).join('\n');
  const more = problems.length > PROBLEMS_SHOWN ? `\nand ${problems.length - PROBLEMS_SHOWN} more` : '';
  return failed(
    'manifests',
    `${shown}${more}`,
    `Mend them; hershctl validate ${programs} says when all are.`,
  );
}
