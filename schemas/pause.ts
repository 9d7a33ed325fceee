/** Somebody has the host leave a program alone, or all of them, for as long as this stands. */
export interface Pause {
  /** RFC 3339, UTC, milliseconds. */
  since: string;
  /** Who asked for it; `""` where that is not known. */
  by: string;
  /** For people; `""` where nothing was said. */
  why: string;
}

/** What holds a program: its own pause, or the one of the whole host. */
export interface Paused extends Pause {
  of: 'program' | 'host';
}

/** Who pauses or resumes, and why. */
export type PauseAsked = Omit<Pause, 'since'>;

/** `paused by me since …: reading its heap`, in words for people. */
export function describePause({ since, by, why }: Pause, what = 'paused'): string {
  return `${what}${by === '' ? '' : ` by ${by}`} since ${since}${why === '' ? '' : `: ${why}`}`;
}

/** The same of a program, which may be so because everything is. */
export function describePaused(paused: Paused): string {
  return describePause(paused, paused.of === 'host' ? 'the host is paused' : 'paused');
}
