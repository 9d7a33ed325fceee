import type { HostView } from '../../../../schemas/host-view.ts';
import type { Words } from '../../words/words.ts';

export type Warning = HostView['warnings'][number];

/** A warning in plain words. */
export interface WarningWords {
  role: 'bad' | 'warn';
  title: string;
  /** What it means; the host's own message where there is nothing better. */
  says: Words;
  /** What to do. */
  todo: Words;
  /** Whether the names are told beside it: the host's message has them too, and all in one line. */
  hasNames: boolean;
}

/** @param programs how many there are, those that are in question among them
 * @param hasGit whether the registry is in a git work tree */
export function warningWords(warning: Warning, programs: number, hasGit: boolean): WarningWords {
  const { code, message, names } = warning;
  const plain = { role: 'warn' as const, says: sentence(message), hasNames: false };
  switch (code) {
    case 'PrunePaused':
      return {
        role: 'bad',
        title: `${names.length} of ${Math.max(programs, names.length)} manifests are gone at once`,
        says: [
          'That is not believed: ',
          { firm: 'their programs keep running' },
          ` until the files return or you confirm.${hasGit ? ' No commit took them.' : ''}`,
        ],
        todo: hasGit
          ? [
              'If it was not meant: mount the disk again, or in the registry ',
              { copy: 'git checkout HEAD -- programs' },
              '.',
            ]
          : 'If it was not meant: mount the disk again, or bring the files back. They are taken up at once.',
        hasNames: true,
      };
    case 'StrayContainers':
      return {
        role: 'warn',
        title: `${names.length} ${names.length === 1 ? 'container belongs' : 'containers belong'} to no program`,
        says: `${names.length === 1 ? 'It bears' : 'They bear'} the labels of this host, and no program of the registry knows ${names.length === 1 ? 'it' : 'them'}.`,
        todo: '',
        hasNames: false,
      };
    case 'StrangeContainer':
      return { ...plain, title: 'A container is not what its labels say', todo: '', hasNames: true };
    case 'RegistryUnavailable':
      return {
        ...plain,
        role: 'bad',
        title: 'The registry can not be read',
        todo: 'Mount it, free the disk, mend permissions, or finish what git is in the middle of. It goes on by itself.',
      };
    case 'FolderNotWritable':
      return {
        ...plain,
        role: 'bad',
        title: 'A folder of the host can not be written',
        todo: ['Free the disk (', { copy: 'df -h' }, ') or mend its permissions. It goes on by itself.'],
      };
    case 'StatusDamaged':
      return { ...plain, title: `What was written down of ${names[0] ?? 'a program'} is damaged`, todo: '' };
    case 'ManifestMoved':
      return { ...plain, title: `The manifest of ${names[0] ?? 'a program'} was moved`, todo: '' };
    case 'RegistryNotice':
      return { ...plain, title: 'The registry has something to say', todo: '' };
    default:
      return REMOTE[code] === undefined ? { ...plain, title: code, todo: '' } : { ...plain, ...REMOTE[code] };
  }
}

/** Why the remote is not followed. The names in the commands are those of `registry/git/follow.ts`. */
const REMOTE: Readonly<Record<string, Pick<WarningWords, 'title' | 'todo'>>> = {
  RemoteDiverged: {
    title: 'The git remote is not followed: it has gone another way',
    todo: [
      ...['In the registry, drop what is only here: ', { copy: 'git reset --hard hersh-host/main' }],
      ...['. Or keep it: ', { copy: 'git rebase hersh-host/main' }, ', and push. What runs goes on.'],
    ],
  },
  RemoteUnreachable: {
    title: 'The git remote is not followed: it does not answer',
    todo: 'Look at the network, the address and the key. It is tried again by itself. What runs goes on.',
  },
  RemoteBlocked: {
    title: 'The git remote is not followed: the work tree is in the way',
    todo: ['See what it is: ', { copy: 'git status' }, ' in the registry. What runs goes on.'],
  },
  SubmoduleUnavailable: {
    title: 'A submodule can not be had',
    todo: 'Its address and key have to work for the host, too. It is tried again by itself.',
  },
};

/** With another branch than main in its commands. */
export function onBranch(words: WarningWords, branch: string): WarningWords {
  return { ...words, todo: renamed(words.todo, branch) };
}

function renamed(words: Words, branch: string): Words {
  if (typeof words === 'string') return words;
  if (Array.isArray(words)) return (words as readonly Words[]).map((one) => renamed(one, branch));
  return 'copy' in words
    ? { copy: words.copy.replace('hersh-host/main', `hersh-host/${branch}`) }
    : (words as Words);
}

/** Begins with a capital and ends with a stop. */
function sentence(message: string): string {
  const text = message.charAt(0).toUpperCase() + message.slice(1);
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

/** Programs whose file was moved, and says their name still. */
export function movedManifests(warnings: readonly Warning[]): string[] {
  return warnings.flatMap(({ code, names }) => (code === 'ManifestMoved' ? names : []));
}
