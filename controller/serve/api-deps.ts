import { readFile } from 'node:fs/promises';
import type { ApiDeps } from '../../api/deps.ts';
import { parseYaml } from '../../registry/manifests/manifest.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Clock } from '../../schemas/clock.ts';
import type { HostWarning, Unwatched } from '../../schemas/host-view.ts';
import type { Runtime } from '../../schemas/program.ts';
import type { Engine } from '../engine/engine.ts';
import type { Controller } from '../loop/controller.ts';
import type { Metrics } from '../metrics.ts';
import { createReservations } from '../ports/reservations.ts';
import { dryRun } from './dry-run.ts';
import { createExec } from './exec.ts';
import { createFollowLines } from './follow-lines.ts';
import { type AboutHost, createHostView } from './host-view.ts';
import { createLogPage } from './log-data.ts';
import { rememberRuns } from './log-runs.ts';
import { createPauseStore } from './pauses.ts';
import { createProgramLogs } from './program-logs.ts';
import { createProgramSandbox } from './program-sandbox.ts';
import { createStateStore } from './program-state.ts';
import { createProgramStore } from './program-store.ts';
import { createPullImage } from './pull-image.ts';
import { validateText } from './validate-text.ts';

export interface HostParts
  extends Pick<ApiDeps, 'health' | 'log' | 'gitHook' | 'usage' | 'access' | 'audit'> {
  /** What does not change while it runs. */
  about: AboutHost;
  warnings: () => HostWarning[];
  unwatched: () => Unwatched[];
  registry: Registry;
  controller: Controller;
  engine: Engine;
  metrics: Metrics;
  clock: Clock;
  runtime: Runtime;
}

/** What the API needs, made of the parts of the host that have it. */
export async function createApiDeps(parts: HostParts): Promise<ApiDeps> {
  const { registry, controller, engine, metrics, clock, runtime, health, log, gitHook, usage } = parts;
  const { about, warnings, unwatched, access, audit } = parts;
  const openapi = await readFile(new URL('../../schemas/openapi.yaml', import.meta.url), 'utf8');
  const reservations = createReservations(registry, controller.ports, clock);
  const programs = createProgramStore({
    ...{ registry, clock, runtime, observed: controller.observed },
    hold: (work) => controller.collector.hold(work),
    imageIdOf: async (reference) => (await engine.inspectImage(reference))?.id,
    removeStrays: () => controller.removeStrays(),
    tell: controller.tell,
    onBuildStart: (listener) => controller.onBuildStart(listener),
  });
  const statuses = registry.status;
  const logsDeps = { engine, clock, statuses, get: programs.get, ended: rememberRuns(statuses, clock.now()) };
  return {
    ...{ health, log, gitHook, usage, access, audit },
    pull: createPullImage({ registry, tell: controller.tell, pullNow: controller.images.pullNow }, programs),
    state: createStateStore(
      { registry, engine, clock, swaps: controller.swaps, instance: about.instance },
      programs,
    ),
    pauses: createPauseStore(registry, programs, controller.tell),
    programs: {
      ...programs,
      async createFromSources(name, userId, buildId, files) {
        await programs.createFromSources(name, userId, buildId, files);
        reservations.fulfil(name);
      },
    },
    reserve: (name, userId, buildId) => reservations.reserve(name, userId, buildId),
    unreserve: (name) => reservations.unreserve(name),
    exec: createExec({ engine, tell: controller.tell }, programs),
    logs: createProgramLogs(logsDeps),
    logPage: createLogPage(logsDeps),
    followLines: createFollowLines(logsDeps),
    host: createHostView({
      ...{ about, warnings, unwatched, registry, controller, engine, clock, runtime },
      list: programs.list,
    }),
    validate: (text) => validateText(registry, text),
    dryRun: async (name, text, sees) => dryRun({ registry, runtime }, name, text, sees),
    sandbox: createProgramSandbox(engine, statuses),
    proxied: metrics.proxied,
    metrics: () => metrics.text(),
    openapi: () => parseYaml(openapi),
    now: () => clock.now(),
  };
}
