import { AppError } from '../../schemas/errors.ts';
import { isUpState, type ProgramState, timestamp } from '../../schemas/program.ts';
import type { ApiDeps } from '../deps.ts';
import { jsonObject } from '../http/json-body.ts';
import { findProgram, type RouteContext, type Routes, sendJson } from '../http/route.ts';
import type { ProgramView } from '../program-answers.ts';
import { noteOf, resumeOf } from './pauses.ts';

/** What is sent along says nothing yet, but must be what it claims to be. */
const NO_BODY = 'this route needs no body';

/** start, stop, restart, pull: each states a wish in the manifest; the controller does the rest. */
export function addLifecycleRoutes(routes: Routes): void {
  routes.add('/programs/:id/start', { POST: start });
  routes.add('/programs/:id/stop', { POST: stop });
  routes.add('/programs/:id/restart', { POST: restart });
  routes.add('/programs/:id/pull', { POST: pull });
}

async function start({ c, deps, body }: RouteContext): Promise<Response> {
  jsonObject(body, NO_BODY);
  const view = findProgram(c, deps);
  const { state } = view.status;
  const ended = state === 'Error' || view.finished;
  if (view.desiredState !== 'Stopped' && !ended) {
    throw new AppError('Conflict', `program is already started; its state is ${state}`, {
      hint: isWaiting(view)
        ? `it is started after POST ${resumeOf(deps, view.name)}`
        : isUpState(state)
          ? `POST /programs/${view.name}/restart runs it anew`
          : `wait, or POST /programs/${view.name}/stop first`,
    });
  }
  await deps.programs.editSpec(view.name, {
    desiredState: 'Running',
    // A new value is what makes the controller forget back-off, failed builds and that it had finished.
    ...(ended ? { restartedAt: freshRestartedAt(deps, view.name) } : {}),
  });
  return answer(deps, view, state, 'program start initiated');
}

async function stop({ c, deps, body }: RouteContext): Promise<Response> {
  jsonObject(body, NO_BODY);
  const view = findProgram(c, deps);
  const { state } = view.status;
  const down = state === 'Created' || state === 'Stopped';
  // Wanted, but not yet picked up: that one must be stopped although its state says it is down.
  const wanted = view.desiredState === 'Running' && !view.finished;
  if (down && !wanted) return answer(deps, view, state, 'program is not running');
  if (view.desiredState !== 'Stopped') await deps.programs.editSpec(view.name, { desiredState: 'Stopped' });
  const isHeld = deps.pauses.of(view.name) !== undefined;
  return answer(deps, view, isHeld ? state : 'Stopping', 'program stop initiated');
}

async function restart({ c, deps, body }: RouteContext): Promise<Response> {
  jsonObject(body, NO_BODY);
  const view = findProgram(c, deps);
  const { state } = view.status;
  if (!view.isUp || view.desiredState === 'Stopped') {
    throw new AppError('NotRunning', 'program not running', {
      hint: `its state is ${state}; POST /programs/${view.name}/start starts one that is stopped`,
    });
  }
  await deps.programs.editSpec(view.name, { restartedAt: freshRestartedAt(deps, view.name) });
  return answer(deps, view, state, 'program restart initiated');
}

async function pull({ c, deps, body }: RouteContext): Promise<Response> {
  jsonObject(body, NO_BODY);
  const { name } = findProgram(c, deps);
  if (deps.pauses.of(name) !== undefined) {
    throw new AppError('Conflict', `program ${name} is paused, and nothing is pulled for it`, {
      hint: `POST ${resumeOf(deps, name)} first`,
    });
  }
  const { imageId, changed } = await deps.pull(name, c.req.raw.signal);
  // Which looks its name up anew, whatever the program is doing; one that is stopped gets it at its next start.
  if (changed) await deps.programs.editSpec(name, { restartedAt: freshRestartedAt(deps, name) }, 'pull');
  const { state } = findProgram(c, deps).status;
  const message = changed ? 'another image was pulled: a new revision is made of it' : 'nothing changed';
  return sendJson({ program_id: name, state, message, changed, image_id: imageId });
}

/** It is to run, and is not started while it is paused. */
function isWaiting({ status, details }: ProgramView): boolean {
  return details.paused !== null && !isUpState(status.state);
}

function answer(deps: ApiDeps, { name }: ProgramView, state: ProgramState, message: string): Response {
  return sendJson({ program_id: name, state, message, ...noteOf(deps, name) });
}

/** Now, or the first millisecond after it that the manifest does not hold yet: only a new value is acted on. */
function freshRestartedAt(deps: ApiDeps, name: string): string {
  const text = deps.programs.manifest(name)?.text ?? '';
  let ms = deps.now();
  while (text.includes(timestamp(ms))) ms++;
  return timestamp(ms);
}
