/** Whether a host takes up no more and nothing else than what a commit changed. Pure. */
import type { FeedMessage } from '../../../api/client-streams.ts';

/** What of a program a commit of another's may not move. */
export interface Shown {
  user_id: string;
  state: string;
  reason: string;
  error_msg: string;
}

export interface Expected {
  /** As all programs were before. */
  before: ReadonlyMap<string, Shown>;
  /** Whose they may be meanwhile, of those that are touched. */
  users: ReadonlyMap<string, ReadonlySet<string>>;
}

/** What is wrong with one message, in words; undefined where nothing is. */
export function wrongIn(message: FeedMessage, { before, users }: Expected): string | undefined {
  if (message.type === 'removed') return `${message.data.program_id} was removed`;
  if (message.type === 'event') {
    const { program_id: id, type, reason } = message.data;
    return type === 'Warning' ? `${id} was told a Warning, ${reason}` : undefined;
  }
  if (message.type !== 'program') return undefined;
  const now = message.data as { program_id: string } & Shown;
  const was = before.get(now.program_id);
  if (was === undefined) return `${now.program_id} was not there before`;
  const allowed = users.get(now.program_id) ?? new Set([was.user_id]);
  if (!allowed.has(now.user_id)) return `${now.program_id} was ${now.user_id}'s`;
  const isSame = now.state === was.state && now.reason === was.reason && now.error_msg === was.error_msg;
  return isSame ? undefined : `${now.program_id} became ${now.state} ${now.reason} ${now.error_msg}`.trim();
}
