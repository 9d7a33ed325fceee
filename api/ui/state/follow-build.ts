import { takeRecord } from '../../../schemas/build-records.ts';
import { type Build, type BuildRecord, emptyBuild } from '../../../schemas/build-step.ts';
import { inFrame, watchStream } from './again.ts';
import { client } from './client.ts';

/** Tells a build as it goes, once a frame. Resolves when it has ended, or its stream. */
export async function followBuild(
  name: string,
  signal: AbortSignal,
  onBuild: (build: Build) => void,
): Promise<void> {
  let build = emptyBuild('');
  let isTold = true;
  const tell = () => {
    isTold = true;
    // Another object, so that it is drawn; its steps are the same.
    onBuild({ ...build });
  };
  const take = (record: BuildRecord) => {
    if (record.kind === 'build') build = { ...emptyBuild(''), outcome: 'Running' };
    takeRecord(build, record);
    if (isTold) inFrame(tell);
    isTold = false;
  };
  const abort = new AbortController();
  const silence = watchStream(abort);
  const one = AbortSignal.any([abort.signal, signal]);
  try {
    for await (const { record } of client.followBuild(name, '', one, silence.heard)) take(record);
  } finally {
    silence.end();
    abort.abort();
  }
}
