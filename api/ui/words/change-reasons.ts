import type { ProgramBody } from '../../routes/view.ts';
import { buildSaid, firstLine, problemSaid, said } from './brief.ts';
import type { ReasonWords } from './reason-words.ts';
import { again } from './run-reasons.ts';
import type { Words } from './words.ts';

/** What is wrong with something new: a manifest, an image, a port. */
export const CHANGE_REASONS: Record<string, ReasonWords> = {
  BuildFailed: {
    title: 'Build fails',
    brief: (p) => buildSaid(p.error_msg) || 'The image can not be built',
    says: (p) =>
      serves(p)
        ? `The new one can not be built; revision ${p.revision} goes on serving`
        : 'It can not be built',
    more: (p) => [{ mono: firstLine(p.error_msg) }],
    next: (p) => triedThrice(p, 'Tried again when its manifest or sources change, not before.'),
    todo: (p) => [
      ['Read the build log', ': the step that failed is open there.'],
      ['Mend the sources', ' or the Dockerfile, and deploy them.'],
      ['If something outside was at fault', ', build the same again.'],
      ...(serves(p) ? [['Nothing is urgent', `: r${p.revision} serves as before.`] as const] : []),
    ],
    acts: () => ['toSources', 'buildAgain'],
    look: 'build',
    means: 'The image could not be built, or what it is built from is gone. What runs goes on running.',
    fix: 'Read the build log, mend sources or spec. Start tries the same again (Restart, where an older revision serves). One that failed for want of a network, or over something else that passes, is tried 3 times by itself.',
  },
  ImageNotFound: {
    title: 'Image not found',
    brief: (p) => pullBrief(p.error_msg),
    says: () => 'Its image is not here and can not be pulled',
    more: (p) => [{ mono: p.error_msg }],
    next: (p) => triedThrice(p, 'It was tried 3 times. Nothing more is tried by itself.'),
    todo: () => [
      ['Correct the name', [' in ', { mono: 'spec.image' }, '.']],
      [
        'Or bring the image',
        [' here with ', { mono: 'docker pull' }, '; a private registry needs a login of the host.'],
      ],
    ],
    // The same again fails again: what may help stands first.
    acts: () => ['toManifest', 'startNow'],
    look: 'events',
    means: 'spec.image is not on this machine and could not be pulled.',
    fix: 'Correct the name, docker pull it, or give the host a login, then Start. It is tried 3 times by itself, and anew for another userId or pullPolicy.',
  },
  ImageRefused: {
    title: 'Image refused',
    brief: () => 'The host does not fetch its image',
    says: () => 'The host does not fetch its image',
    more: (p) => [{ mono: firstLine(p.error_msg) }],
    next: () => 'Nothing more is tried by itself.',
    todo: () => [
      ['Name another image', [' in ', { mono: 'spec.image' }, ': the message says what is allowed.']],
      ['Or have the operator allow the registry', [' with ', { mono: '--build-registries' }, '.']],
    ],
    acts: () => ['toManifest', 'startNow'],
    look: 'events',
    means:
      'The host does not fetch spec.image: its registry is in the networks of this machine, or not among those that are allowed, or only a host makes images of that name.',
    fix: 'Name another image, or have the operator allow the registry with --build-registries, then Start.',
  },
  DiskFull: {
    title: 'No room',
    brief: () => 'No room for its image',
    says: () => 'The engine has no room for its image',
    next: (p) => [...again(p, 'Tried again '), 'At most a minute apart, until there is room.'],
    todo: () => [
      [
        'Make room',
        [
          ': ',
          { copy: 'docker system df' },
          ' tells where it went; the build cache goes by ',
          { copy: 'docker builder prune' },
          '.',
        ],
      ],
    ],
    acts: () => ['toHost', 'startNow'],
    look: 'build',
    means: 'The engine had no room for the image while it was built or pulled.',
    fix: 'docker system df, then docker builder prune, docker image prune or whatever else fills the disk. It is tried again, at most a minute apart, until there is room.',
  },
  RolledBack: {
    title: 'Rolled back',
    brief: (p) => `${newest(p, 'r')} did not get ready; r${p.revision} is back`,
    says: (p) =>
      `${newest(p, 'Revision ')} did not get ready; revision ${p.revision} ${serves(p) ? 'serves again' : 'is back, and does not serve'}`,
    more: (p) => [{ mono: firstLine(p.error_msg) }],
    next: () => 'The newest is tried again when its manifest or sources change.',
    todo: () => [
      ['See what it printed', ' and what it changed, in Revisions.'],
      ['Mend it', ', or try the same again.'],
      ['Or settle it', ': roll the manifest back, too.'],
    ],
    acts: () => ['toRevisions', 'tryAgain', 'rollBack'],
    look: 'revisions',
    means:
      'The newest revision did not become ready, or did not start, or can not be built after what served was removed. The last good one is back.',
    fix: 'Mend manifest or sources, or restart. Its last output is kept with the revision.',
  },
  InvalidManifest: {
    title: 'Manifest is broken',
    brief: (p) => manifestBrief(p.error_msg),
    says: (p) =>
      p.revision > 0 ? 'Its manifest is broken; the last valid one stays in force' : 'Its manifest is broken',
    more: (p) => [{ mono: p.error_msg }],
    next: () => 'Taken up the moment the file is right. Start and Stop work all the same.',
    todo: () => [['Mend the line', ' here in the editor, or in the file.']],
    acts: () => ['toManifest'],
    look: 'manifest',
    means: 'The manifest does not parse or validate. The last valid one stays in force.',
    fix: 'Mend the place that the message names; it is taken up at once.',
  },
  PortConflict: {
    title: 'Port is taken',
    brief: portBrief,
    says: () => 'The port that its manifest pins is taken by something else',
    more: (p) => [{ mono: p.error_msg }],
    next: (p) => [...again(p, 'Looked at again '), serves(p) ? 'What serves goes on.' : ''],
    todo: (p) => [
      ['Find who has it', [': ', { copy: `ss -ltnp 'sport = :${portIn(p.error_msg)}'` }, '.']],
      ['Or unpin it', [': take ', { mono: 'publishPort' }, ' out, and the host gives it one.']],
    ],
    acts: () => ['toManifest'],
    look: 'events',
    means: 'The pinned port is taken by something else on this machine. What serves on another one goes on.',
    fix: "ss -ltnp 'sport = :PORT'; free it, or take publishPort out.",
  },
  StateNotTaken: {
    title: 'State can not be had',
    brief: () => 'The /state that it asks for can not be had',
    says: () => 'The /state that its annotation asks for can not be had',
    more: (p) => [p.error_msg],
    next: (p) => again(p, 'Looked at again '),
    todo: () => [
      [
        'Take the annotation out',
        [' (', { mono: 'hersh.dev/state-from' }, ') to begin with an empty /state.'],
      ],
    ],
    acts: () => ['toManifest'],
    look: 'events',
    means:
      'The /state that the annotation hersh.dev/state-from asks for can not be had. The program waits for it, and begins on no empty one.',
    fix: 'The message says why: the other program is there, is another user’s, or has nothing in the trash. Take the annotation out to begin with an empty /state.',
  },
  Building: {
    title: 'New one in the making',
    brief: () => 'A newer revision is being built',
    says: (p) => `A newer revision is being built; revision ${p.revision} serves`,
    next: () => 'They change places when it is built, with a gap of about a second.',
    look: 'build',
    means: 'A newer revision is being built while an older one serves.',
    fix: 'Nothing.',
  },
};

/** `r9`, or what can be said where its number is not known. */
function newest({ wanted_revision, revision, error_msg }: ProgramBody, word: string): string {
  const told = Number(/^revision (\d+) was rolled back/.exec(error_msg)?.[1] ?? wanted_revision);
  return told > 0 && told !== revision ? `${word}${told}` : 'The newest';
}

/** What is known as its revision may be down. */
const serves = (p: ProgramBody) => p.revision > 0 && p.state === 'Ready';

function triedThrice(p: ProgramBody, otherwise: string): Words {
  return p.next_try_at === '' ? otherwise : again(p, 'Tried again ').concat('Three times in all.');
}

/** Without the registry: what tells images apart comes last. */
function pullBrief(message: string): string {
  const name = /^(\S+) could not be pulled: /.exec(message)?.[1];
  return name === undefined ? said(message) : `Can not pull ${name.replace(/^.*\//, '')}`;
}

function manifestBrief(message: string): string {
  const { line, text } = problemSaid(message);
  return line === 0 ? `Manifest: ${text}` : `Line ${line}: ${text}`;
}

function portBrief(p: ProgramBody): string {
  const port = portIn(p.error_msg);
  if (port === 'PORT') return 'The port that it pins is taken';
  const holder = /held by program (\S+?),?(?:\s|$)/.exec(p.error_msg)?.[1];
  const what = holder === undefined ? `Port ${port} is taken` : `Port ${port} is held by ${holder}`;
  const serves = p.state === 'Ready' && p.revision > 0 ? `; r${p.revision} serves` : '';
  return `${what}${serves}`;
}

/** Not one of an address: `127.0.0.1:19005` ends in it. */
function portIn(message: string): string {
  return /\b(\d{4,5})\b(?!\.)/.exec(message)?.[1] ?? 'PORT';
}
