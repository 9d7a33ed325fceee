import type { Random } from './random.ts';
import { NAMES, type SimStage } from './sim-stage.ts';

/** Somebody pauses a program, or all, or resumes; by a call, as all who pause. Gives what was done, `""` where nothing was. */
export async function pauseSomething(stage: SimStage, random: Random): Promise<string> {
  const { host, paused } = stage;
  if (host === undefined) return '';
  // Whether a call that died with its host had been written down nobody knows until the next one says.
  const [held] = paused;
  const isResume = held !== undefined && random.chance(0.5);
  const name = isResume ? held : random.chance(0.2) ? '' : random.pick(NAMES);
  const of = name === '' ? undefined : name;
  if (isResume) {
    paused.delete(name);
    host.registry.pauses.resume(of).catch(() => undefined);
  } else {
    if (of !== undefined && host.programs.get(of) === undefined) return '';
    const { pauses } = host.registry;
    const done = pauses.pause(of, { by: 'sim', why: '' });
    done.then(
      () => stage.host === host && void paused.add(name),
      () => undefined,
    );
  }
  await stage.advance(0);
  return `${name || 'the host'} is ${isResume ? 'resumed' : 'paused'}`;
}

/** Nothing is paused any more. */
export async function resumeAll(stage: SimStage): Promise<void> {
  const { pauses } = stage.host?.registry ?? {};
  stage.paused.clear();
  if (pauses === undefined) return;
  for (const [name] of pauses.named()) await pauses.resume(name);
  await pauses.resume(undefined);
}

/**
 * Watches that nothing is done to what is paused, from the moment at which its ledger says so: until then what was
 * under way comes to its end.
 */
export function pauseRule(stage: SimStage): (step: { name: string; about: string }) => string {
  return ({ name, about }) => {
    const call = /^engine\.(create|start|stop|remove|rename|unpause)Container$/.exec(name)?.[1];
    const { registry } = stage.host ?? {};
    if (call === undefined || registry === undefined) return '';
    const program = NAMES.find((one) => new RegExp(`hersh-program-${one}(-|$)`).test(about));
    if (program === undefined) return '';
    const isHeld = stage.paused.has(program) || stage.paused.has('');
    const conditions = registry.status.get(program)?.conditions ?? [];
    const isTold = conditions.some(({ type }) => type === 'Paused');
    return isHeld && isTold ? `${call} of ${about}, which is paused` : '';
  };
}
