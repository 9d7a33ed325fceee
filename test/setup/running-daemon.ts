import { readFileSync } from 'node:fs';

const DAEMON_PID = '/var/run/docker.pid';

/** The pid of a dockerd that lives. A second one in the same network namespace would take down the first. */
export function runningDaemon(): number | undefined {
  try {
    const pid = Number(readFileSync(DAEMON_PID, 'utf8'));
    return pid > 0 && readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'dockerd' ? pid : undefined;
  } catch {
    return undefined;
  }
}
