import { spawn } from 'node:child_process';

/**
 * Tells systemd that the host answers, where a unit of the type `notify` started it: `systemctl start` ends then, and
 * not before. Node has no datagram sockets of the kind that it listens on; its own command has.
 * @param onTrouble the command is not there, or could not tell it: systemd ends the host when its patience does
 */
export function tellSupervisor(env: NodeJS.ProcessEnv, onTrouble: (why: string) => void): void {
  if (env.NOTIFY_SOCKET === undefined) return;
  const child = spawn('systemd-notify', ['--ready'], { env, stdio: 'ignore' });
  child.on('error', ({ message }) => onTrouble(message));
  child.on('exit', (code) => {
    if (code !== 0) onTrouble(`systemd-notify --ready ended with ${code}`);
  });
}
