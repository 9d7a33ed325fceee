import type Docker from 'dockerode';
import type { EngineInfo } from '../engine.ts';
import { absent, refused } from './errors.ts';
import { epochMs } from './translate.ts';

/** See `Engine.info`. */
export async function info(docker: Docker): Promise<EngineInfo> {
  const found = await refused(docker.info(), 'EngineUnavailable');
  const runtimes = Object.keys((found.Runtimes as object | undefined) ?? {}).sort();
  // Made anew at each start of the engine, unless containers outlived it: live-restore.
  const bridge = await absent(docker.getNetwork('bridge').inspect(), [404], 'InternalError');
  const startedAtMs = epochMs((bridge as { Created?: string } | undefined)?.Created);
  return { id: String(found.ID), version: String(found.ServerVersion), runtimes, startedAtMs };
}
