import { count, plural, size } from '../../words/span.ts';
import { copiesGoModAlone, copyingGoSum, type Instruction, instructionsOf } from './dockerfile.ts';
import type { Change, Draft } from './draft.ts';
import { firstDockerfile, isGoWithoutMod } from './first-dockerfile.ts';
import { isKept } from './kept-draft.ts';
import { BODY_BYTES_MAX, FILES_MAX } from './limits.ts';
import { knownCostOf } from './read-text.ts';

/** Something that is looked at before sending. With `bad` nothing is sent. */
export interface Check {
  role: 'bad' | 'warn' | 'good' | 'rest';
  text: string;
  fixes?: readonly Fix[];
  /** Of the Dockerfile. */
  line?: number;
}

export interface Fix {
  label: string;
  change: Change;
}

/** Names in one line. */
const NAMED_MAX = 8;

/** All that can be told before it is sent, the worst first. Pure. */
export function checksOf(draft: Draft): Check[] {
  if (draft.over !== undefined) return [tooMuch(draft.over)];
  const all = [...checksOfFiles(draft), ...checksOfDockerfile(draft), ...goChecks(draft), ...restOf(draft)];
  const order = ['bad', 'warn', 'good', 'rest'];
  return all.sort((one, other) => order.indexOf(one.role) - order.indexOf(other.role));
}

export function maySend(checks: readonly Check[]): boolean {
  return !checks.some(({ role }) => role === 'bad');
}

function tooMuch({ bytes, largest, isOver, count: files }: NonNullable<Draft['over']>): Check {
  const most = largest.map((one) => `${one.name} ${size(one.bytes)}`).join(', ');
  const what =
    isOver === 'names'
      ? `It has more than ${count(files)} files and folders: the rest was not looked at.`
      : isOver === 'files'
        ? `It has more than the ${count(FILES_MAX)} files that can be sent: the rest was not looked at.`
        : `It is ${size(bytes)}, and ${size(BODY_BYTES_MAX)} can be sent. Nothing of it was read.`;
  return {
    role: 'bad',
    text: `${what} Name what the build does not need in .dockerignore, and choose the folder again.${most === '' ? '' : ` The largest: ${most}.`}`,
  };
}

function* checksOfFiles({ files, refused, ignoreError }: Draft): Generator<Check> {
  let bytes = 0;
  for (const [name, text] of files) bytes += knownCostOf(name, text);
  const told = `${plural(files.size, 'file')}, ${size(bytes)} of ${size(BODY_BYTES_MAX)}.`;
  if (bytes > BODY_BYTES_MAX) yield { role: 'bad', text: `Too large: ${told}` };
  else if (files.size > FILES_MAX) yield { role: 'bad', text: `Too many: ${told}` };
  else yield { role: 'good', text: told };
  const binary = refused.filter(({ why }) => why === 'no text').map(({ name }) => name);
  if (binary.length > 0)
    yield {
      role: 'warn',
      text: `Not sent: ${listed(binary)}. The API takes text (UTF-8), and ${binary.length === 1 ? 'this is' : 'these are'} none. Let the build fetch or make ${binary.length === 1 ? 'it' : 'them'}, or put the folder into the registry, under sources/.`,
    };
  const broken = refused.filter(({ why }) => why === 'broken').map(({ name }) => name);
  if (broken.length > 0)
    yield {
      role: 'bad',
      text: `No text, so the host can not tell what is in ${listed(broken)}: sent back as it was told, it would be damaged. Change these sources in the registry itself, or do without.`,
      fixes: [{ label: 'Do without', change: { kind: 'remove', names: broken } }],
    };
  const unread = refused.filter(({ why }) => why === 'not read').map(({ name }) => name);
  if (unread.length > 0)
    yield {
      role: 'warn',
      text: `Not sent: ${listed(unread)}. The browser could not read ${unread.length === 1 ? 'it' : 'them'}.`,
    };
  if (ignoreError !== '')
    yield {
      role: 'bad',
      text: `.dockerignore can not be used, and the build would fail for it: ${ignoreError}.`,
    };
}

function* checksOfDockerfile(draft: Draft): Generator<Check> {
  const text = draft.files.get('Dockerfile');
  if (text === undefined) yield { role: 'bad', ...missing(draft) };
  if (text === undefined) return;
  const all = instructionsOf(text);
  const has = (...words: string[]) => all.some(({ word }) => words.includes(word));
  if (!has('FROM'))
    yield {
      role: 'bad',
      text: all.length === 0 ? 'The Dockerfile is empty.' : 'The Dockerfile has no FROM: it builds nothing.',
    };
  else if (!has('CMD', 'ENTRYPOINT'))
    yield { role: 'warn', text: 'It has neither CMD nor ENTRYPOINT: the base image’s own will run.' };
  if (has('FROM') && !all.some(({ word, text: line }) => word === 'EXPOSE' && /\b8080\b/.test(line)))
    yield {
      role: 'warn',
      text: 'It does not say EXPOSE 8080. That is allowed; the program has to listen there all the same.',
    };
}

function missing(draft: Draft): Pick<Check, 'text' | 'fixes'> {
  const { files, dockerfiles } = draft;
  const write: Fix = {
    label: 'Write one',
    change: { kind: 'write', name: 'Dockerfile', text: firstDockerfile([...files.keys()]) },
  };
  const other = [...files.keys()].find((name) => /^(dockerfile|containerfile)$/i.test(name));
  if (other !== undefined)
    return {
      text: `There is no Dockerfile at the top, but ${other}.`,
      fixes: [{ label: `Take ${other}`, change: { kind: 'rename', name: other, to: 'Dockerfile' } }],
    };
  if (dockerfiles.length > 0)
    return {
      text: `There is no Dockerfile at the top of the folder. There is one in ${listed(dockerfiles)}.`,
      fixes: dockerfiles
        .slice(0, 3)
        .map((path): Fix => ({ label: `Send ${path} alone`, change: { kind: 'folder', path } }))
        .concat(write),
    };
  return { text: 'There is no Dockerfile at the top of the folder.', fixes: [write] };
}

function* goChecks({ files }: Draft): Generator<Check> {
  const [docker, mod] = [files.get('Dockerfile'), files.get('go.mod')];
  const isBuilt = docker === undefined || /\bgo (?:build|run|install)\b/.test(docker);
  const isMade = docker !== undefined && /\bgo mod init\b/.test(docker);
  if (isGoWithoutMod([...files.keys()]) && isBuilt && !isMade)
    yield {
      role: 'warn',
      text: 'There are .go files and no go.mod: go build needs one. Run go mod init and go mod tidy, and add what they make.',
    };
  if (docker === undefined || mod === undefined) return;
  const needs = /^\s*require\b/m.test(mod);
  const alone = copiesGoModAlone(docker);
  const copies = instructionsOf(docker).find(({ word, text }) => word === 'COPY' && /\bgo\.sum\b/.test(text));
  if (!files.has('go.sum')) yield* withoutGoSum(needs, copies);
  else if (alone !== undefined) {
    const mended = copyingGoSum(docker);
    const fixes: Fix[] =
      mended === docker
        ? []
        : [{ label: 'Copy go.sum too', change: { kind: 'write', name: 'Dockerfile', text: mended } }];
    yield {
      role: 'warn',
      line: alone.line,
      text: `Line ${alone.line} copies go.mod and not go.sum: the build will miss the hashes of modules.`,
      fixes,
    };
  }
}

function* withoutGoSum(needs: boolean, copies: Instruction | undefined): Generator<Check> {
  if (needs)
    yield {
      role: 'warn',
      text: 'go.mod requires modules, and there is no go.sum: the build will miss their hashes. Run go mod tidy, and add the file.',
    };
  else if (copies !== undefined)
    yield {
      role: 'warn',
      line: copies.line,
      text: `Line ${copies.line} copies go.sum, and there is none: the build will fail. No module is required, so an empty one does.`,
      fixes: [{ label: 'Add an empty one', change: { kind: 'write', name: 'go.sum', text: '\n' } }],
    };
}

function* restOf(draft: Draft): Generator<Check> {
  const { leftOut } = draft;
  const of = (why: string) => leftOut.filter((one) => one.why === why).map(({ name }) => name);
  const [ignored, git, modules] = [of('.dockerignore'), of('git'), of('modules')];
  if (ignored.length > 0) yield { role: 'rest', text: `Left out: ${listed(ignored)} (.dockerignore).` };
  if (git.length > 0)
    yield { role: 'rest', text: `Left out: ${listed(git)}. The history of git is never sent.` };
  if (modules.length > 0)
    yield {
      role: 'rest',
      text: `Left out: ${listed(modules)}. The build should install its modules itself: RUN npm ci.`,
      fixes: [{ label: 'Send it all the same', change: { kind: 'modules' } }],
    };
  if (!isKept(draft))
    yield { role: 'rest', text: 'More than 1 MiB: a reload of this page forgets what was chosen and typed.' };
}

function listed(names: readonly string[]): string {
  const some = names.slice(0, NAMED_MAX).join(', ');
  return names.length > NAMED_MAX ? `${some} and ${count(names.length - NAMED_MAX)} more` : some;
}
