import type { ProgramBody } from '../../routes/view.ts';

/** How a program stands, for whoever looks: the groups of the list. */
export type Kind = 'down' | 'look' | 'busy' | 'fine' | 'rest';

/** What a shape, a word and a colour say together. */
export type Role = 'good' | 'busy' | 'warn' | 'bad' | 'rest';

/** In the order of the list, with what is shown beside their number. */
export const KINDS: readonly {
  kind: Kind;
  title: string;
  label: string;
  state: string;
  role: Role;
  says: string;
}[] = [
  {
    kind: 'down',
    title: 'Down',
    label: 'down',
    state: 'Error',
    role: 'bad',
    says: 'Nothing serves, or what runs does not answer',
  },
  {
    kind: 'look',
    title: 'Serving, needs a look',
    label: 'need a look',
    state: 'Ready',
    role: 'warn',
    says: 'It serves, and something of it is wrong',
  },
  {
    kind: 'busy',
    title: 'On the way',
    label: 'on the way',
    state: 'Starting',
    role: 'busy',
    says: 'Changes by itself',
  },
  { kind: 'fine', title: 'Serving', label: 'serving', state: 'Ready', role: 'good', says: 'As wanted' },
  {
    kind: 'rest',
    title: 'At rest',
    label: 'at rest',
    state: 'Stopped',
    role: 'rest',
    says: 'Stopped by wish, ended, or never started',
  },
];

/** Reasons that ask nobody for anything. */
const NEWS = new Set(['', 'Building', 'Completed', 'Paused']);
const BUSY = new Set(['Building', 'Built', 'Starting', 'Running', 'Stopping']);

/** The program's reason, with the words that the API says otherwise: by `not_ready`, and by conditions. */
export function reasonOf(p: ProgramBody): string {
  if (p.reason !== '') return p.reason;
  if (p.not_ready?.was_ready === true) return 'Unready';
  if (hasLostManifest(p)) return 'ManifestMissing';
  return p.state === 'Ready' && hasLostState(p) ? 'StateLost' : '';
}

/** Its manifest went with most others, which is not believed. */
function hasLostManifest({ conditions }: ProgramBody): boolean {
  return conditions.some(({ type, reason }) => type === 'Valid' && reason === 'ManifestMissing');
}

/** Its /state was removed; told until it changes or is restarted. */
function hasLostState({ conditions }: ProgramBody): boolean {
  return conditions.some(({ type, status }) => type === 'StateLost' && status === 'True');
}

export function isNews(reason: string): boolean {
  return NEWS.has(reason);
}

export function kindOf(p: ProgramBody): Kind {
  const reason = reasonOf(p);
  const isWrong = !isNews(reason);
  if (p.state === 'Error' || (p.state === 'Running' && isWrong)) return 'down';
  if (p.state === 'Created' || p.state === 'Stopped') return 'rest';
  if (isWrong) return BUSY.has(p.state) ? 'down' : 'look';
  return BUSY.has(p.state) || reason === 'Building' ? 'busy' : 'fine';
}

const ROLES: Record<string, Role> = { Ready: 'good', Error: 'bad', Created: 'rest', Stopped: 'rest' };

/** @param kind of the program, where it is one: what runs without answering is as bad as what does not run */
export function roleOf(state: string, kind?: Kind): Role {
  if (kind === 'down') return 'bad';
  return ROLES[state] ?? 'busy';
}

export function isUp({ state }: Pick<ProgramBody, 'state'>): boolean {
  return state === 'Running' || state === 'Ready';
}

/** Whether somebody may have to do something. */
export function isTrouble(kind: Kind): boolean {
  return kind === 'down' || kind === 'look';
}
