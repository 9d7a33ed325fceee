/** The volume of a program that is gone, as the trash has it. */
export interface TrashedVolume {
  /** Whose it was. */
  name: string;
  userId: string;
  volume: string;
  /** RFC 3339. */
  deletedAt: string;
  /** What the program was made of, see `sourcesOf`; not in records of older hosts. */
  sources?: string;
  /** The program that took it over, and has it since. */
  takenBy?: string;
}

/** Who the volume belongs to: it comes back with that name, and the same user. */
export const ownerOf = ({ name, takenBy }: TrashedVolume): string => takenBy ?? name;

/** Asks for the `/state` of the program of that name, which is gone. */
export const STATE_FROM = 'hersh.dev/state-from';

/** What a program is made of, in one word: equal for a program and what it was renamed to. */
export function sourcesOf(rawSpec: Record<string, unknown> | undefined): string {
  const { build, image } = rawSpec ?? {};
  const context = (build as { context?: unknown } | undefined)?.context;
  return typeof context === 'string'
    ? `context ${context}`
    : typeof image === 'string'
      ? `image ${image}`
      : '';
}
