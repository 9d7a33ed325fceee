import { SetupError } from '../setup/say.ts';

/** An engine that this machine does not have, as it is named by who wants it. */
export interface EngineRow {
  name: string;
  /** Of Debian, which has that version: 26.1.5 and 28.5.2 in November 2026. */
  suite: string;
  version: string;
  /** Of dockerd. */
  flags: readonly string[];
}

export const ENGINES: readonly EngineRow[] = [
  { name: '26.1', suite: 'trixie', version: '26.1', flags: [] },
  { name: '28.5', suite: 'sid', version: '28.5', flags: ['--feature', 'containerd-snapshotter=false'] },
  {
    ...{ name: '28.5-containerd', suite: 'sid', version: '28.5' },
    flags: ['--feature', 'containerd-snapshotter=true'],
  },
];

export function engineNamed(name: string): EngineRow {
  const row = ENGINES.find((one) => one.name === name);
  if (row !== undefined) return row;
  throw new SetupError(`No engine ${name}: there are ${ENGINES.map((one) => one.name).join(', ')}`);
}
