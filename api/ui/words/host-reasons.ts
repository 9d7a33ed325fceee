import type { ReasonWords } from './reason-words.ts';

/** What is wrong with the host, and so with a program. */
export const HOST_REASONS: Record<string, ReasonWords> = {
  ManifestMissing: {
    title: 'Manifest is gone',
    brief: () => 'Its manifest is gone, with most: not believed',
    says: () => 'Its manifest is gone, with most others at once. That is not believed',
    next: () => 'It runs on until the files return or somebody confirms.',
    todo: () => [['Bring the files back', ', or confirm on the Host page that they are meant to go.']],
    acts: () => ['toHost'],
    look: 'events',
    means:
      'Most manifests went at once, which is not believed unless a commit took them, whatever is deployed since.',
    fix: 'Bring the files back, or confirm the removal on the Host page, which under git is a commit.',
  },
  PortsExhausted: {
    title: 'No port left',
    brief: () => 'Every port of the range is held',
    says: () => 'All ports of the range are held',
    next: () => 'Tried again by itself.',
    todo: () => [['Delete programs', [' that nobody needs, or widen ', { mono: '--port-range' }, '.']]],
    look: 'events',
    means: 'All ports of the range are held by programs.',
    fix: 'Delete programs, or widen --port-range.',
  },
  RegistryUnavailable: {
    title: 'Registry is away',
    brief: () => 'The registry can not be read or written',
    says: () => 'The registry can not be read or written',
    more: (p) => p.error_msg,
    next: () => 'It goes on by itself.',
    todo: () => [['Look at the Host page', ' for the folder and the cause.']],
    acts: () => ['toHost'],
    look: 'events',
    means:
      'status/ or data/ can not be written; programs/ is away, and the sources with it; or git is in the middle of a merge.',
    fix: 'Free the disk, mend permissions, mount the registry, finish the merge; it goes on by itself.',
  },
  StateLost: {
    title: 'State was lost',
    brief: () => 'Its /state was removed; it is new, and empty',
    says: () => 'Somebody removed the volume of its /state; it was made anew, empty',
    more: ({ conditions }) => conditions.find(({ type }) => type === 'StateLost')?.message ?? '',
    next: () => 'This word goes with the next change or restart.',
    todo: () => [['Put a copy back', ', if you have one.']],
    acts: () => ['restart'],
    look: 'events',
    means:
      'Somebody removed the volume of /state (docker volume rm, docker system prune --volumes of a stopped program); it was made anew, empty.',
    fix: 'Put a copy back if you have one; the word goes with the next change or restart.',
  },
  InternalError: {
    title: 'Bug of the host',
    brief: () => 'A bug of Hersh Host; the others go on',
    says: () => 'This is a bug of Hersh Host',
    more: (p) => [{ mono: p.error_msg }],
    next: () => 'Tried again with growing waits. Other programs go on.',
    todo: () => [['Report it', ' with the line of the host’s log.']],
    look: 'events',
    means: 'A bug of the host; other programs go on.',
    fix: 'Report it with the log line.',
  },
};

/** Events, conditions and warnings that are no program's reason: what they mean, and what to do. */
export const ELSEWHERE: readonly (readonly [names: string, means: string, fix: string])[] = [
  [
    'EngineUnavailable',
    'The Docker engine does not answer. What runs goes on running; states are the last known.',
    'systemctl status docker, disk space. It goes on by itself when Docker is back.',
  ],
  [
    'RemoteUnavailable, RemoteUnreachable, RemoteDiverged, RemoteBlocked, SubmoduleUnavailable',
    'The git remote is not followed: it does not answer, has gone another way, or another branch or a changed file is in the way; or it is followed but for a submodule that can not be brought.',
    'What the Host page says. What runs goes on.',
  ],
  [
    'ManifestMoved',
    'A manifest was renamed and says the old name still. Its program keeps running.',
    'Write the new name in it, move it back, or delete the program.',
  ],
  [
    'PrunePaused',
    'Most manifests went at once, which is not believed unless a commit took them.',
    'Bring the files back, or confirm on the Host page.',
  ],
  [
    'StrayContainers, StrayContainer',
    'Containers that no program knows, or that are no program’s own.',
    'Remove them by hand, or let them go on the Host page.',
  ],
  [
    'PortYielded, WaitingForPort',
    'Programs pin ports that others of them still have; one gives way, the others wait for theirs.',
    'Nothing: they change places.',
  ],
  [
    'WaitingForState',
    'It waits for the /state that its annotation asks for; the program that has it is not gone yet.',
    'Nothing: it goes on by itself.',
  ],
  [
    'PortReassigned',
    'Something else took the port of a program; its address is new.',
    'Pin it with publishPort if that matters.',
  ],
  [
    'PortLost',
    'Its port refused connections though it listens in its container; container and network were made anew.',
    'Nothing, if it comes once. If it comes again, look for a firewall rule for 127.0.0.1.',
  ],
  [
    'Drifted, Unpaused',
    'Somebody changed, removed or paused the container behind the host’s back; it was put right.',
    'Ask who.',
  ],
  ['Unhealthy', 'Its liveness probe failed, and it was restarted.', 'Logs.'],
  [
    'OutOfMemory',
    'A process of the program was killed for want of memory; the program itself goes on. It is told once a minute at most.',
    'Raise resources.memory, or start fewer workers.',
  ],
  [
    'PullFailed',
    'An image was asked for anew and could not be pulled; the one that is here is used.',
    'The message has the registry’s words; Restart tries again.',
  ],
  [
    'CredentialsUnavailable',
    'A docker config file or a credential helper can not be used.',
    'Write it anew with docker login, or run the helper as it says.',
  ],
  [
    'StatusLost',
    'Its status file was lost or damaged, and made good from containers and history.',
    'Nothing. The count of restarts begins anew.',
  ],
];
